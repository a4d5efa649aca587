// SPDX-License-Identifier: Apache-2.0
// Lists: which items they come to, and putting them into conditions in place of their names.
import { quoteValue } from "./exceptions.ts";
import type { ListDefinition } from "./items.ts";

/** A list with the items of the lists it names. */
export interface ResolvedList {
  definition: ListDefinition;
  /** Own items that are no list names. */
  own: string[];
  /** Names of lists among the items. */
  lists: string[];
  /** All items; those of a named list stand where its name stood. */
  items: string[];
  /** Named by a list, macro or rule. */
  used: boolean;
}

/**
 * Replaces names of lists among items by the items of that list as it was written, which is one level deep. Only lists
 * that were first defined before the naming list was last changed are seen.
 */
export function resolveLists(definitions: ReadonlyMap<string, ListDefinition>): Map<string, ResolvedList> {
  const result = new Map<string, ResolvedList>();
  for (const definition of definitions.values()) {
    const resolved: ResolvedList = { definition, own: [], lists: [], items: [], used: false };
    for (const item of definition.items) {
      const named = definitions.get(item);
      if (named && named.index < definition.visibility) {
        if (!resolved.lists.includes(item)) resolved.lists.push(item);
        for (const i of named.items) resolved.items.push(i);
      } else {
        resolved.own.push(item);
        resolved.items.push(item);
      }
    }
    result.set(definition.name, resolved);
  }
  for (const { lists } of result.values()) {
    for (const name of lists) (result.get(name) as ResolvedList).used = true;
  }
  return result;
}

const BLANKS = " \t\n\r";
const DELIMITERS = `${BLANKS}(),=`;

/** Puts the items of lists into conditions where a list's name stands as a whole word outside quotes. */
export class ListSubstitution {
  private readonly lists: readonly ResolvedList[];
  private readonly byName: Map<string, number>;
  /** Ranks of lists whose name has a delimiter in it, so that it is no single word. */
  private readonly odd: readonly number[];

  constructor(lists: ReadonlyMap<string, ResolvedList>) {
    this.lists = [...lists.values()];
    this.byName = new Map(this.lists.map((list, i) => [list.definition.name, i]));
    this.odd = this.lists.flatMap((list, i) => (words(list.definition.name).length === 1 ? [] : [i]));
  }

  /** The condition with lists put in, in the order of their definition; marks them as used. */
  apply(condition: string): string {
    const candidates = new Set(this.odd);
    this.collect(condition, candidates);
    if (candidates.size === 0) return condition;
    let text = condition;
    // Lists are put in by rank, so that a list whose items name a later list brings that one in as well.
    for (let done = -1; ; ) {
      let next = Number.POSITIVE_INFINITY;
      for (const rank of candidates) if (rank > done && rank < next) next = rank;
      const list = this.lists[next];
      if (!list) return text;
      done = next;
      const result = substitute(text, list);
      if (result === text) continue;
      list.used = true;
      text = result;
      for (const item of list.items) this.collect(item, candidates);
    }
  }

  private collect(text: string, candidates: Set<number>): void {
    for (const word of words(text)) {
      const rank = this.byName.get(word);
      if (rank !== undefined) candidates.add(rank);
    }
  }
}

function words(text: string): string[] {
  return text.split(/[ \t\n\r(),=]+/).filter((word) => word !== "");
}

/** Positions of the characters that stand inside quotes. */
function quotedRanges(text: string): [number, number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i < text.length; i++) {
    const quote = text[i];
    if (quote !== '"' && quote !== "'") continue;
    const start = i;
    for (i++; i < text.length && text[i] !== quote; i++) if (text[i] === "\\") i++;
    ranges.push([start, i]);
  }
  return ranges;
}

function substitute(condition: string, list: ResolvedList): string {
  const name = list.definition.name;
  let text = condition;
  let ranges = quotedRanges(text);
  const items = list.items.map(quoteValue).join(", ");
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    let start = at;
    let end = at + name.length;
    if (start > 0 && !DELIMITERS.includes(text[start - 1] as string)) continue;
    if (end < text.length && !DELIMITERS.includes(text[end] as string)) continue;
    if (ranges.some(([from, to]) => start >= from && start <= to)) continue;
    while (start > 0 && BLANKS.includes(text[start - 1] as string)) start--;
    while (end < text.length && BLANKS.includes(text[end] as string)) end++;
    if (list.items.length === 0) {
      // Nothing is left of the name: one of the commas around it goes too.
      if (text[start - 1] === ",") start--;
      else if (text[end] === ",") end++;
    }
    const before = start > 0 ? `${text.slice(0, start)} ` : "";
    text = `${before}${items} ${text.slice(end)}`;
    at = before.length + items.length;
    ranges = quotedRanges(text);
  }
  return text;
}
