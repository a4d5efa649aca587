// SPDX-License-Identifier: Apache-2.0
// Field values as text and as JSON, by type and print format.

import { PF, PT } from "../schema/tables/enums.ts";
import { formatIp } from "../sinsp/address.ts";
import type { Context } from "../sinsp/inspector.ts";
import { dots } from "./buffer_text.ts";
import type { BoundField, Scalar, Value } from "./field.ts";
import { LineWriter } from "./line_writer.ts";
import { decimal } from "./number_text.ts";

/** Integers that are shown in decimals. */
export const INTEGER: ReadonlySet<number> = new Set<number>([
  PT.INT8,
  PT.INT16,
  PT.INT32,
  PT.INT64,
  PT.UINT8,
  PT.UINT16,
  PT.UINT32,
  PT.UINT64,
  PT.RELTIME,
  PT.ABSTIME,
  PT.PORT,
]);
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

/** Writes a value, or a list. */
function writeValue(out: LineWriter, v: Value, type: number, format: number): void {
  if (typeof v !== "object") {
    writeScalar(out, v, type, format);
    return;
  }
  out.byte(91);
  v.forEach((e, i) => {
    if (i > 0) out.byte(44);
    writeScalar(out, e, type, format);
  });
  out.byte(93);
}

/** Writes a field's value; false, with nothing written, when the event has none. */
export type FieldWriter = (ctx: Context, out: LineWriter) => boolean;

/** The writer of a field's JSON form, in UTF-8. */
export function jsonWriterOf(field: BoundField): FieldWriter {
  if (field.writeJson !== undefined) return field.writeJson;
  const { type, format, extract, text, write } = field;
  if (field.json === undefined && write !== undefined) {
    // What is written without a string is text.
    return (ctx, out) => {
      const start = out.beginJson();
      if (write(ctx, out)) {
        out.endJson(start);
        return true;
      }
      out.at = start - 1;
      return false;
    };
  }
  if (field.json === undefined && text !== undefined && type === PT.BYTEBUF) {
    // A buffer is shown rendered.
    return (ctx, out) => {
      const shown = text(ctx);
      if (shown === undefined) return false;
      out.json(shown);
      return true;
    };
  }
  if (field.json === undefined && type === PT.CHARBUF && !field.list) {
    const get = extract as (ctx: Context) => string | undefined;
    return (ctx, out) => {
      const v = get(ctx);
      if (v === undefined) return false;
      out.json(v);
      return true;
    };
  }
  const get = field.json ?? extract;
  return (ctx, out) => {
    const v = get(ctx);
    if (v === undefined) return false;
    if (typeof v === "number" && format !== PF.HEX && INTEGER.has(type)) out.dec(v);
    else writeValue(out, v, type, format);
    return true;
  };
}

const scratch = new LineWriter(4096);
const writers = new WeakMap<BoundField, FieldWriter>();

/** JSON text (UTF-16) of a field's value; undefined when it has none. */
export function fieldJson(field: BoundField, ctx: Context): string | undefined {
  let write = writers.get(field);
  if (write === undefined) {
    write = jsonWriterOf(field);
    writers.set(field, write);
  }
  if (!write(ctx, scratch)) return undefined;
  const text = scratch.bytes.utf8Slice(0, scratch.at);
  scratch.at = 0;
  return text;
}
