// SPDX-License-Identifier: Apache-2.0
// Field values as text and as JSON, by type and print format.

import { PF, PT } from "../schema/tables/enums.ts";
import { formatIp } from "../sinsp/address.ts";
import type { Context } from "../sinsp/inspector.ts";
import { dots } from "./buffer_text.ts";
import type { BoundField, Scalar, Value } from "./field.ts";
import { LineWriter } from "./line_writer.ts";
import { decimal } from "./number_text.ts";

const UNSIGNED = new Set<number>([PT.UINT64, PT.RELTIME, PT.ABSTIME]);
const ADDRESS = new Set<number>([PT.IPADDR, PT.IPV4ADDR, PT.IPV6ADDR, PT.IPNET, PT.IPV4NET, PT.IPV6NET]);

function based(v: number | bigint, base: 8 | 16): string {
  return (v < 0 ? BigInt.asUintN(64, BigInt(v)) : v).toString(base).toUpperCase();
}

/** One value as text (byte string). */
export function scalarText(v: Scalar, type: number, format: number): string {
  switch (typeof v) {
    case "string":
      if (ADDRESS.has(type)) return formatIp(v);
      return type === PT.BYTEBUF ? dots(v) : v;
    case "boolean":
      return v ? "true" : "false";
    case "number":
      if (format === PF.HEX) return based(v, 16);
      if (format === PF.OCT) return based(v, 8);
      if (type === PT.DOUBLE) return v.toFixed(1);
      if (ADDRESS.has(type)) return formatIp(v);
      if (v < 0 && UNSIGNED.has(type)) return String(BigInt.asUintN(64, BigInt(v)));
      return format === PF["10_PADDED_DEC"] ? decimal(v).padStart(9, "0") : decimal(v);
    case "bigint":
      if (format === PF.HEX) return based(v, 16);
      if (format === PF.OCT) return based(v, 8);
      return String(UNSIGNED.has(type) ? BigInt.asUintN(64, v) : v);
  }
}

/** A value as text; lists as `(a,b)`. */
export function valueText(v: Value, type: number, format: number): string {
  if (typeof v === "object") return `(${v.map((e) => scalarText(e, type, format)).join(",")})`;
  return scalarText(v, type, format);
}

/** The printed form of a field; undefined when it has no value. */
export function fieldText(field: BoundField, ctx: Context): string | undefined {
  if (field.text !== undefined) return field.text(ctx);
  const v = field.extract(ctx);
  return v === undefined ? undefined : valueText(v, field.type, field.format);
}

const WHOLE = /^-?[0-9]+$/;

/** A finite number with a fraction, or ".0" to say that it may have one. */
function doubleJson(v: number): string {
  if (!Number.isFinite(v)) return "null";
  const text = String(v);
  return WHOLE.test(text) ? `${text}.0` : text;
}

/** Writes one value as JSON in UTF-8: exact integers, byte strings as text, addresses and hexadecimals as strings. */
function writeScalar(out: LineWriter, v: Scalar, type: number, format: number): void {
  if (typeof v === "string") {
    out.json(ADDRESS.has(type) || type === PT.BYTEBUF ? scalarText(v, type, format) : v);
  } else if (typeof v === "boolean") out.str(v ? "true" : "false");
  else if (format === PF.HEX || format === PF.OCT || ADDRESS.has(type)) out.json(scalarText(v, type, format));
  else if (typeof v === "bigint") out.str(String(v));
  else if (type === PT.DOUBLE) out.str(doubleJson(v));
  else out.dec(v);
}

const parts = new LineWriter(4096);

/** Writes a field's value as JSON in UTF-8; writes nothing and says false when it has none. */
export function writeFieldJson(out: LineWriter, field: BoundField, ctx: Context): boolean {
  if (field.json === undefined && field.write !== undefined) {
    // What is written without a string is text.
    const start = parts.at;
    if (!field.write(ctx, parts)) return false;
    out.jsonRange(parts.bytes, start, parts.at);
    parts.at = start;
    return true;
  }
  const v = (field.json ?? field.extract)(ctx);
  if (v === undefined) return false;
  if (typeof v === "object") {
    out.byte(91);
    v.forEach((e, i) => {
      if (i > 0) out.byte(44);
      writeScalar(out, e, field.type, field.format);
    });
    out.byte(93);
    return true;
  }
  // A text form that differs from the value (a rendered buffer) is what JSON shows as well.
  if (typeof v === "string" && field.json === undefined && field.text !== undefined) {
    const text = field.text(ctx);
    if (text === undefined) return false;
    out.json(text);
    return true;
  }
  writeScalar(out, v, field.type, field.format);
  return true;
}

const scratch = new LineWriter(4096);

/** JSON text (UTF-16) of a field's value; undefined when it has none. */
export function fieldJson(field: BoundField, ctx: Context): string | undefined {
  if (!writeFieldJson(scratch, field, ctx)) return undefined;
  const text = scratch.bytes.utf8Slice(0, scratch.at);
  scratch.at = 0;
  return text;
}
