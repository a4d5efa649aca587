// SPDX-License-Identifier: Apache-2.0
// Lists: which items they come to, and putting them into conditions in place of their names.
import { quoteValue } from "./exceptions.ts";
import type { ListDefinition } from "./items.ts";

/** Most items that a list may come to. */
export const MAX_ITEMS = 1_000_000;
/** Longest text that a condition may come to when lists are put in. */
export const MAX_TEXT = 16 * 1024 * 1024;

/** A condition that grew too long. */
export class TextTooLong extends Error {
  override name = "TextTooLong";
}

/** A list with the items of the lists it names. */
export class ResolvedList {
  /** Names of lists among the items. */
  readonly lists: string[] = [];
  /** Number of all items. */
  readonly count: number;
  /** Named by a list, macro or rule. */
  used = false;
  private all: string[] | undefined;

  constructor(
    readonly definition: ListDefinition,
    private readonly definitions: ReadonlyMap<string, ListDefinition>,
  ) {
    let count = 0;
    const lists = new Set<string>();
    for (const item of definition.items) {
      const named = this.named(item);
      if (named) lists.add(item);
      count += named ? named.items.length : 1;
    }
    this.lists.push(...lists);
    this.count = count;
  }

  /**
   * All items; those of a named list stand where its name stood, as they were written there, which is one level deep.
   */
  get items(): readonly string[] {
    this.all ??= this.definition.items.flatMap((item) => this.named(item)?.items ?? [item]);
    return this.all;
  }

  /** The list that an item names; only lists that were first defined before this one was last changed are seen. */
  private named(item: string): ListDefinition | undefined {
    const list = this.definitions.get(item);
    return list && list.index < this.definition.visibility ? list : undefined;
  }
}

/** Finds out which lists name which. `tooLarge` hears of lists that come to too many items; those are left out. */
export function resolveLists(
  definitions: ReadonlyMap<string, ListDefinition>,
  tooLarge: (list: ResolvedList) => void,
): Map<string, ResolvedList> {
  const result = new Map<string, ResolvedList>();
  for (const definition of definitions.values()) {
    const list = new ResolvedList(definition, definitions);
    if (list.count > MAX_ITEMS) tooLarge(list);
    else result.set(definition.name, list);
  }
  for (const { lists } of result.values()) {
    for (const name of lists) {
      const list = result.get(name);
      if (list) list.used = true;
    }
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

/** Where quoted strings begin and end, in order. */
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

/** Takes blanks off the end of a text in pieces. */
function trimTail(pieces: string[]): void {
  for (let last = pieces.pop(); last !== undefined; last = pieces.pop()) {
    const trimmed = last.replace(/[ \t\n\r]+$/, "");
    if (trimmed === "") continue;
    pieces.push(trimmed);
    return;
  }
}

/** Replaces every occurrence of a list's name by its items, with a blank before and behind instead of those around. */
function substitute(text: string, list: ResolvedList): string {
  const name = list.definition.name;
  const items = list.items.map(quoteValue).join(", ");
  const ranges = quotedRanges(text);
  const pieces: string[] = [];
  let length = 0;
  let range = 0;
  let done = 0;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    let end = at + name.length;
    if (at < done) continue;
    if (at > 0 && !DELIMITERS.includes(text[at - 1] as string)) continue;
    if (end < text.length && !DELIMITERS.includes(text[end] as string)) continue;
    while ((ranges[range]?.[1] ?? Number.POSITIVE_INFINITY) < at) range++;
    if ((ranges[range]?.[0] ?? Number.POSITIVE_INFINITY) <= at) continue;
    pieces.push(text.slice(done, at));
    trimTail(pieces);
    while (end < text.length && BLANKS.includes(text[end] as string)) end++;
    if (list.items.length === 0) {
      // Nothing is left of the name: one of the commas around it goes too.
      const tail = pieces.at(-1);
      if (tail?.endsWith(",")) pieces[pieces.length - 1] = tail.slice(0, -1);
      else if (text[end] === ",") end++;
    }
    pieces.push(pieces.length > 0 ? ` ${items} ` : `${items} `);
    length += items.length;
    if (length > MAX_TEXT) throw new TextTooLong();
    done = end;
  }
  if (pieces.length === 0) return text;
  pieces.push(text.slice(done));
  return pieces.join("");
}
