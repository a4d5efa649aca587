// SPDX-License-Identifier: Apache-2.0
// Turns the text of constants into values of a field's type.
import type { Scalar } from "../fields/field.ts";
import { PT } from "../schema/tables/enums.ts";
import { portOfService } from "./services.ts";
import { type IntShape, intShape, kindOf } from "./types.ts";

/** A network: an address of either family and the length of its prefix in bits. */
export interface Network {
  readonly address: number | string;
  readonly prefix: number;
}

/** Most bytes of a text or buffer constant. */
export const MAX_CONSTANT = 255;

/** A constant that does not suit its type; the message (a byte string) says what was wanted. */
export class ConstantError extends Error {
  override name = "ConstantError";
}

/** Parses a constant for a comparison with values of type `type` (a PT, not a network). Throws ConstantError. */
export function parseConstant(text: string, type: number): Scalar {
  const shape = intShape(type);
  if (type === PT.PORT) return parsePort(text);
  if (shape !== undefined) return parseInteger(text, shape);
  switch (kindOf(type)) {
    case "bool":
      if (text === "true" || text === "false") return text === "true";
      throw wanted("true or false", text);
    case "double": {
      const v = Number(text.trim());
      if (!/^\s*[+-]?(?:[0-9]|0[xX])/.test(text) || !Number.isFinite(v)) throw wanted("a number", text);
      return v;
    }
    case "ip":
      return parseAddress(text) ?? fail("an IPv4 or IPv6 address", text);
    case "text":
    case "bytes":
      return checkText(text);
    default:
      throw new ConstantError("values of this type cannot be compared");
  }
}

function wanted(what: string, text: string): ConstantError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return new ConstantError(`expected ${what}, found '${shown}'`);
}

function fail(what: string, text: string): never {
  throw wanted(what, text);
}

/** Refuses what a text or buffer constant cannot hold. */
export function checkText(text: string): string {
  if (text.length > MAX_CONSTANT) {
    throw new ConstantError(`a constant has at most ${MAX_CONSTANT} bytes, found ${text.length}`);
  }
  if (text.includes("\0")) throw new ConstantError("a constant cannot hold a NUL byte");
  return text;
}

const INTEGER = /^[\t-\r ]*([+-]?)([0-9]+|0[xX][0-9a-fA-F]{1,17})$/;

/** An integer as C reads it: cut to 64 bits by saturation, then to the type's width by dropping upper bits. */
function parseInteger(text: string, shape: IntShape): number | bigint {
  const m = INTEGER.exec(text);
  if (m === null) throw wanted("an integer", text);
  const digits = withoutZeroes(m[2] as string);
  const negative = m[1] === "-";
  if (digits.length < 10 && (shape.signed || !negative) && shape.bits >= 32) {
    return negative ? 0 - Number(digits) : Number(digits);
  }
  // Whatever has more digits than this is beyond 64 bits.
  let v = BigInt(digits.slice(0, 22));
  if (shape.signed) {
    if (negative) v = -v;
    const max = (1n << 63n) - 1n;
    v = v > max ? max : v < -max - 1n ? -max - 1n : v;
    v = BigInt.asIntN(shape.bits, v);
  } else {
    const max = (1n << 64n) - 1n;
    v = v > max ? max : negative ? -v : v;
    v = BigInt.asUintN(shape.bits, v);
  }
  const n = Number(v);
  return Number.isSafeInteger(n) ? n : v;
}

/** Decimal digits without the zeroes in front. */
function withoutZeroes(digits: string): string {
  let i = 0;
  while (i < digits.length - 1 && digits[i] === "0" && digits[i + 1] !== "x" && digits[i + 1] !== "X") i++;
  return digits.slice(i);
}

function parsePort(text: string): number {
  if (/^(?:[0-9]+|0[xX][0-9a-fA-F]+)$/.test(text)) {
    const port = Number(text);
    if (port <= 65535) return port;
    throw wanted("a port of at most 65535", text);
  }
  return portOfService(text) ?? fail("a port or the name of a service", text);
}

/** An address in text form: IPv4 as a number, IPv6 as 16 chars; undefined when it is neither. */
export function parseAddress(text: string): number | string | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): number | undefined {
  const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (m === null) return undefined;
  let v = 0;
  for (let i = 1; i <= 4; i++) {
    const part = m[i] as string;
    if (Number(part) > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    v = v * 256 + Number(part);
  }
  return v;
}

function parseIpv6(text: string): string | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string): number[] | undefined => {
    if (half === "") return [];
    const out: number[] = [];
    const parts = half.split(":");
    for (const [i, part] of parts.entries()) {
      if (i === parts.length - 1 && part.includes(".")) {
        const v4 = parseIpv4(part);
        if (v4 === undefined) return undefined;
        out.push(v4 >>> 16, v4 & 0xffff);
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
        out.push(Number.parseInt(part, 16));
      } else {
        return undefined;
      }
    }
    return out;
  };
  const head = groups(halves[0] as string);
  const tail = halves.length === 2 ? groups(halves[1] as string) : [];
  if (head === undefined || tail === undefined) return undefined;
  // An address with dots in front of "::" is none.
  if (halves.length === 2 && (halves[0] as string).includes(".")) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail]
    .map((g) => String.fromCharCode(g >> 8, g & 0xff))
    .join("");
}

/** A network `ADDRESS/BITS`. Throws ConstantError. */
export function parseNetwork(text: string): Network {
  const slash = text.indexOf("/");
  const bits = text.slice(slash + 1).replace(/^[\t-\r ]*\+?/, "");
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (address === undefined || !/^0*[0-9]{1,3}$/.test(bits)) throw wanted("a network, ADDRESS/BITS", text);
  const most = typeof address === "number" ? 32 : 128;
  if (Number(bits) > most) throw wanted(`a prefix of at most ${most} bits`, text);
  return { address, prefix: Number(bits) };
}

/** Bytes written as hexadecimal digits, for bcontains and bstartswith. Throws ConstantError. */
export function parseHex(text: string): string {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw wanted("pairs of hexadecimal digits", text);
  if (text.length > 2 * MAX_CONSTANT) {
    throw new ConstantError(`a constant has at most ${MAX_CONSTANT} bytes, found ${text.length / 2}`);
  }
  return Buffer.from(text, "hex").latin1Slice();
}
