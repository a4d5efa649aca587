// SPDX-License-Identifier: Apache-2.0
// Numbers as the names of a flag table, remembered per value.
import { FLAG_TABLES } from "../schema/tables/flags.ts";

/** Most values remembered per table: hostile captures hold arbitrary numbers. */
const MAX_CACHED = 4096;

/** Number → names joined by "|"; "" when the table has none for it. */
export type FlagText = (value: number) => string;

function cached(render: FlagText): FlagText {
  const cache = new Map<number, string>();
  return (value) => {
    const known = cache.get(value);
    if (known !== undefined) return known;
    const text = render(value);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(value, text);
    return text;
  };
}

/** Names of the bits in a value. Entries are taken in table order; a name for the whole value ends the search. */
function bits(table: readonly (readonly [string, number])[]): FlagText {
  return (value) => {
    let text = "";
    let rest = value >>> 0;
    const initial = rest;
    for (const [name, raw] of table) {
      const entry = raw >>> 0;
      const take = entry === 0 ? initial === 0 : (entry & rest) >>> 0 === entry && rest !== 0;
      if (!take) continue;
      text += text === "" ? name : `|${name}`;
      if (entry === initial) break;
      rest = (rest & ~entry) >>> 0;
    }
    return text;
  };
}

/** Names whose value is exactly the number. */
function enumeration(table: readonly (readonly [string, number])[]): FlagText {
  return (value) =>
    table
      .filter(([, entry]) => entry >>> 0 === value >>> 0)
      .map(([name]) => name)
      .join("|");
}

const bitTexts = new Map<string, FlagText>();
const enumTexts = new Map<string, FlagText>();
const none: FlagText = () => "";

/** Renderer of bit flags by table name. */
export function flagBits(table: string | null): FlagText {
  return lookup(table, bitTexts, bits);
}

/** Renderer of enumerations by table name. */
export function flagEnum(table: string | null): FlagText {
  return lookup(table, enumTexts, enumeration);
}

function lookup(
  name: string | null,
  made: Map<string, FlagText>,
  make: (t: readonly (readonly [string, number])[]) => FlagText,
): FlagText {
  const table = name === null ? undefined : FLAG_TABLES[name];
  if (name === null || table === undefined) return none;
  const known = made.get(name);
  if (known !== undefined) return known;
  const text = cached(make(table));
  made.set(name, text);
  return text;
}
