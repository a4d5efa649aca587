// SPDX-License-Identifier: Apache-2.0
// What a field is: one record of name, type, argument rule, documentation and extractor.
import type { Context } from "../sinsp/inspector.ts";
import type { LineWriter } from "./line_writer.ts";

/**
 * A field's value.
 *  - integers, ports, ids, flags, times: number, or BigInt beyond ±2^53 (canonical, see Int64 in lib/scap/cursor.ts)
 *  - PT.BOOL: boolean
 *  - PT.DOUBLE: number
 *  - text and byte buffers: byte string
 *  - IPv4 address: number; IPv6 address: 16-char byte string
 *  - list fields: array of the above
 */
export type Scalar = number | bigint | boolean | string;
export type Value = Scalar | readonly Scalar[];

/** Reads a field; undefined when the event has no such value. */
export type Extractor = (ctx: Context) => Value | undefined;

/** Stands for "depends on more than the event's type" in `BoundField.byEventType`. */
export const VARIES: unique symbol = Symbol("varies");

/** Argument of a field: none, a position, or a key. A dotted argument (`evt.arg.fd`) is a key. */
export type FieldArg = { readonly index: number } | { readonly key: string } | null;

export interface FieldFlags {
  /** Only usable in filters. */
  filterOnly?: boolean;
  /** Only usable in formats. */
  printOnly?: boolean;
  /** Left out of listings unless asked. */
  deprecated?: boolean;
  /** Never listed. */
  hidden?: boolean;
  noTransformer?: boolean;
  noRhs?: boolean;
  /** Appended to rule outputs by `append_output: suggested_output`. */
  suggested?: boolean;
}

/** How a field takes its argument. */
export interface ArgRule {
  required: boolean;
  /** A number in brackets. */
  index: boolean;
  /** A word in brackets. */
  key: boolean;
  /** A word behind a further dot: `evt.arg.fd`. */
  dotted: boolean;
}

export interface Field {
  /** Full name, e.g. "proc.name". */
  name: string;
  /** Value type, one of PT; an element's type for list fields. */
  type: number;
  /** Print format, one of PF. */
  format: number;
  /** True for list fields (their value is an array). */
  list: boolean;
  arg: ArgRule | null;
  flags: FieldFlags;
  /** One line of documentation, our own words. */
  doc: string;
  /**
   * Makes the extractor for an argument, once per use in a filter or format. Throws FieldArgError when the argument
   * is missing, superfluous or wrong (e.g. `evt.arg.nope`); the message says what was wanted. Callers go through
   * `resolveField` (registry.ts), which checks the argument against `arg` first.
   */
  bind(arg: FieldArg, rawArg: string): BoundField;
  /**
   * How a comparison treats the several values the field may have; when set, `BoundField.all` is present where it
   * applies (not for proc.aname[2]).
   *  - "ancestors": any operator is true when it is true for any value (proc.aname without index)
   *  - "ends": `=`, `in`, `<` … are true when true for any value, `!=` when true for all (fd.ip, fd.port)
   */
  multi?: "ancestors" | "ends";
}

/** A field with its argument settled. */
export interface BoundField {
  /** The value that comparisons see. */
  extract: Extractor;
  /** Usually the field's own; evt.rawarg.X takes those of the parameter. */
  type: number;
  format: number;
  list: boolean;
  /**
   * All candidate values, for fields with `multi`; for fields that hold a host's name (without `multi`), its address
   * in a list of one. Undefined when there is nothing to look at (no descriptor), which
   * makes `exists` false; an empty array when there is (a file has no addresses). The array may be reused by the next
   * call.
   */
  all?: (ctx: Context) => readonly Scalar[] | undefined;
  /** Printed form (byte string), where it is not the plain rendering of `extract` (evt.buffer, evt.rawarg). */
  text?: (ctx: Context) => string | undefined;
  /** Writes the printed form without making a string; false when the event has no such value. */
  write?: (ctx: Context, out: LineWriter) => boolean;
  /** Writes the JSON form without making a value; false when the event has none. */
  writeJson?: (ctx: Context, out: LineWriter) => boolean;
  /** Value in JSON output, where it is not that of `extract` (evt.time is a number of nanoseconds there). */
  json?: Extractor;
  /** The value by event id, where it depends on nothing else; VARIES for event ids where it does. */
  byEventType?: (eventId: number) => Value | undefined | typeof VARIES;
}

/** The argument of a field is missing, superfluous or wrong. */
export class FieldArgError extends Error {
  override name = "FieldArgError";
}

/** There is no field of that name. `nearest` is the most similar existing name, when one is similar. */
export class UnknownFieldError extends Error {
  override name = "UnknownFieldError";
  constructor(
    readonly field: string,
    readonly nearest: string | undefined,
  ) {
    super(`no field named '${field}'${nearest === undefined ? "" : `; did you mean '${nearest}'?`}`);
  }
}

/** A group of fields as `falco list fields` shows it. */
export interface FieldClass {
  name: string;
  shortDoc: string;
  doc: string;
  /** Event sources, e.g. ["syscall"]; empty = every source. */
  sources: readonly string[];
  hidden: boolean;
  fields: readonly Field[];
}
