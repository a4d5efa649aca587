// SPDX-License-Identifier: Apache-2.0
// What a configuration key is: its record, and short ways to write one.

/**
 * Types of values:
 *  - boolean, integer, number, string
 *  - strings: list of strings; a lone string stands for a list of one
 *  - map: names with one scalar each
 *  - records: list of maps with fixed keys, described by `record`
 */
export type KeyType = keyof TypeMap;

export interface TypeMap {
  boolean: boolean;
  integer: number;
  number: number;
  string: string;
  strings: readonly string[];
  map: ReadonlyMap<string, string>;
  records: readonly ConfigRecord[];
}

/** An entry of a list of maps: values by the names in `record`, only those that were given. */
export type ConfigRecord = ReadonlyMap<string, RecordValue>;
export type RecordValue = boolean | string | readonly string[] | FieldList | PlainValue;
/** Names of fields, or key and format. */
export type FieldList = readonly (readonly [key: string, format: string | null])[];
/** Anything YAML can say. */
export type PlainValue = string | null | readonly PlainValue[] | { readonly [key: string]: PlainValue };

/** A key inside the entries of a list. Its name may have dots. */
export interface RecordKey {
  readonly key: string;
  /** fields: list of names or `key: format` pairs; any: whatever is there. */
  readonly type: "boolean" | "string" | "strings" | "fields" | "any";
  readonly values?: readonly string[];
  readonly doc: string;
}

interface More {
  /** Words a string (or each string of a list) may be; letter case does not matter. */
  readonly values?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Keys of the entries of a "records" list. */
  readonly record?: readonly RecordKey[];
  /** Key of `record` that a plain string in the list stands for. */
  readonly short?: string;
  /** Set when nothing in this program heeds the key so far: what is missing, as a noun phrase. */
  readonly missing?: string;
  /** A value for the shipped file's comment, as YAML. */
  readonly example?: string;
}

export interface KeySpec<K extends string = string, T extends KeyType = KeyType> extends More {
  /** Full name with dots. */
  readonly key: K;
  readonly type: T;
  readonly default: TypeMap[T];
  /** What it does, in whole sentences. */
  readonly doc: string;
}

type Maker<T extends KeyType> = <K extends string>(
  key: K,
  value: TypeMap[T],
  doc: string,
  more?: More,
) => KeySpec<K, T>;

function maker<T extends KeyType>(type: T): Maker<T> {
  return (key, value, doc, more = {}) => ({ key, type, default: value, doc, ...more });
}

export const bool = maker("boolean");
export const int = maker("integer");
export const num = maker("number");
export const str = maker("string");
export const strs = maker("strings");

export function map<K extends string>(key: K, doc: string, more: More = {}): KeySpec<K, "map"> {
  return { key, type: "map", default: new Map(), doc, ...more };
}

export function records<K extends string>(key: K, doc: string, more: More): KeySpec<K, "records"> {
  return { key, type: "records", default: [], doc, ...more };
}
