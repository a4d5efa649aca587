// SPDX-License-Identifier: Apache-2.0
// Field values as text and as JSON, by type and print format.

import { toText } from "../scap/bytes.ts";
import { PF, PT } from "../schema/tables/enums.ts";
import { formatIp } from "../sinsp/address.ts";
import type { Context } from "../sinsp/inspector.ts";
import { dots } from "./buffer_text.ts";
import type { BoundField, Scalar, Value } from "./field.ts";
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
      return type === PT.BYTEBUF ? dots(v, 0) : v;
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

/** JSON source text of one value: exact integers, byte strings as UTF-8 text, addresses and hexadecimals as strings. */
function scalarJson(v: Scalar, type: number, format: number): string {
  switch (typeof v) {
    case "boolean":
      return v ? "true" : "false";
    case "string":
      return JSON.stringify(toText(scalarText(v, type, format)));
    case "number":
      if (format === PF.HEX || format === PF.OCT || ADDRESS.has(type)) return `"${scalarText(v, type, format)}"`;
      if (type === PT.DOUBLE) return Number.isFinite(v) ? (Number.isInteger(v) ? `${v}.0` : String(v)) : "null";
      return decimal(v);
    case "bigint":
      return format === PF.HEX || format === PF.OCT ? `"${scalarText(v, type, format)}"` : String(v);
  }
}

/** JSON source text of a field's value; undefined when it has none. */
export function fieldJson(field: BoundField, ctx: Context): string | undefined {
  const v = (field.json ?? field.extract)(ctx);
  if (v === undefined) return undefined;
  if (typeof v === "object") return `[${v.map((e) => scalarJson(e, field.type, field.format)).join(",")}]`;
  // A text form that differs from the value (a rendered buffer) is what JSON shows as well.
  if (typeof v === "string" && field.json === undefined && field.text !== undefined) {
    const text = field.text(ctx);
    return text === undefined ? undefined : JSON.stringify(toText(text));
  }
  return scalarJson(v, field.type, field.format);
}
