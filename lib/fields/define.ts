// SPDX-License-Identifier: Apache-2.0
// Short constructors for field records, so that a field is one readable statement.
import { PF, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { ArgRule, BoundField, Extractor, Field, FieldArg, FieldFlags, Scalar, VARIES, Value } from "./field.ts";
import type { LineWriter } from "./line_writer.ts";

/** What may differ from a plain field. */
export interface FieldOptions {
  format?: number;
  flags?: FieldFlags;
  list?: boolean;
  text?: (ctx: Context) => string | undefined;
  json?: Extractor;
  write?: (ctx: Context, out: LineWriter) => boolean;
  writeJson?: (ctx: Context, out: LineWriter) => boolean;
  byEventType?: (eventId: number) => Value | undefined | typeof VARIES;
  multi?: "ancestors" | "ends";
  all?: (ctx: Context) => readonly Scalar[] | undefined;
}

/** A field without argument. */
export function field(name: string, type: number, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  const format = more.format ?? PF.NA;
  const list = more.list ?? false;
  const bound: BoundField = { extract, type, format, list };
  if (more.text) bound.text = more.text;
  if (more.json) bound.json = more.json;
  if (more.write) bound.write = more.write;
  if (more.writeJson) bound.writeJson = more.writeJson;
  if (more.byEventType) bound.byEventType = more.byEventType;
  if (more.all) bound.all = more.all;
  const record: Field = { name, type, format, list, arg: null, flags: more.flags ?? {}, doc, bind: () => bound };
  if (more.multi) record.multi = more.multi;
  return record;
}

/** A byte-string field. */
export function text(name: string, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  return field(name, PT.CHARBUF, doc, extract, more);
}

/** A boolean field. */
export function bool(name: string, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  return field(name, PT.BOOL, doc, extract, more);
}

/** A signed 64-bit id (printed as a plain number). */
export function id64(name: string, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  return field(name, PT.INT64, doc, extract, { format: PF.ID, ...more });
}

/** An unsigned 64-bit number. */
export function u64(name: string, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  return field(name, PT.UINT64, doc, extract, { format: PF.DEC, ...more });
}

/** An unsigned 32-bit number. */
export function u32(name: string, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  return field(name, PT.UINT32, doc, extract, { format: PF.DEC, ...more });
}

/** A length of time in nanoseconds. */
export function duration(name: string, doc: string, extract: Extractor, more: FieldOptions = {}): Field {
  return field(name, PT.RELTIME, doc, extract, { format: PF.DEC, ...more });
}

/** Which arguments a field takes, by the words used in its record. */
export function argRule(required: boolean, ...kinds: ("index" | "key" | "dotted")[]): ArgRule {
  return {
    required,
    index: kinds.includes("index"),
    key: kinds.includes("key"),
    dotted: kinds.includes("dotted"),
  };
}

/** What `argField` needs to bind: the extractor for the argument, and what differs from the record. */
export type Binding = Extractor | (Partial<BoundField> & { extract: Extractor });

/** A field with an argument: `bind` makes the extractor for it. */
export function argField(
  name: string,
  type: number,
  arg: ArgRule,
  doc: string,
  bind: (arg: FieldArg, rawArg: string) => Binding,
  more: Pick<FieldOptions, "format" | "flags" | "list" | "multi"> = {},
): Field {
  const format = more.format ?? PF.NA;
  const list = more.list ?? false;
  const record: Field = {
    name,
    type,
    format,
    list,
    arg,
    flags: more.flags ?? {},
    doc,
    bind(a, raw) {
      const made = bind(a, raw);
      return typeof made === "function" ? { extract: made, type, format, list } : { type, format, list, ...made };
    },
  };
  if (more.multi) record.multi = more.multi;
  return record;
}
