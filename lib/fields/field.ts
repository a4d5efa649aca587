// SPDX-License-Identifier: Apache-2.0
// What a field is: one record of name, type, argument rule, documentation and extractor.
import type { Context } from "../sinsp/inspector.ts";

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

/** Argument of a field in brackets: none, a position, or a key. */
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
  index: boolean;
  key: boolean;
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
   * is missing, superfluous or wrong (e.g. `evt.arg.nope`); the message says what was wanted.
   */
  bind(arg: FieldArg, rawArg: string): BoundField;
  /**
   * How a comparison treats the several values the field may have; when set, `BoundField.all` is present.
   *  - "ancestors": any operator is true when it is true for any value (proc.aname without index)
   *  - "ends": `=`, `in`, `<` … are true when true for any value, `!=` when true for all (fd.ip, fd.port)
   */
  multi?: "ancestors" | "ends";
}

/** A field with its argument settled. */
export interface BoundField {
  extract: Extractor;
  /** Usually the field's own; evt.rawarg.X takes those of the parameter. */
  type: number;
  format: number;
  list: boolean;
  /** All candidate values, for fields with `multi`; undefined or empty when there is none. */
  all?: (ctx: Context) => readonly Scalar[] | undefined;
}

export class FieldArgError extends Error {
  override name = "FieldArgError";
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
