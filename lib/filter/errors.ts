// SPDX-License-Identifier: Apache-2.0
// What is wrong with a filter, where, and how it is shown.
import { toText } from "../scap/bytes.ts";
import type { Pos } from "./ast.ts";

/** What a compile error is about; lets callers single out names that may come with a plugin. */
export type FilterErrorKind =
  | "syntax"
  | "depth"
  | "unknown-field"
  | "unknown-event-type"
  | "unknown-macro"
  | "argument"
  | "operator"
  | "value"
  | "type";

/** Most characters of a message. */
const MAX_MESSAGE = 400;

/** One printable line from a message that quotes bytes of a filter; control characters show as `\xHH`. */
export function printable(bytes: string): string {
  const text = toText(bytes.length > MAX_MESSAGE ? `${bytes.slice(0, MAX_MESSAGE)}...` : bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/**
 * A filter that cannot be used. `message` is given as a byte string. `line` and `col` start at 1, `col` counts bytes; CR and LF each begin a line.
 * `stage` is "parse" for grammar and "compile" for fields, operators, types and values, where the place is the start
 * of the comparison.
 */
export class FilterError extends Error {
  override name = "FilterError";
  readonly line: number;
  readonly col: number;

  constructor(
    readonly stage: "parse" | "compile",
    readonly kind: FilterErrorKind,
    readonly pos: Pos,
    message: string,
  ) {
    super(printable(message));
    this.line = pos.line;
    this.col = pos.col;
  }
}

/** Something in a filter that is allowed but probably not meant. */
export interface FilterWarning {
  readonly message: string;
  readonly line: number;
  readonly col: number;
}

/** Most bytes of a long line that are shown around the caret. */
const WINDOW = 110;

/**
 * Three lines: `NAME:LINE:COL: message`, the line of the filter, and a caret under the place. `bytes` is the filter as
 * a byte string. Long lines are cut around the place; control bytes show as blanks.
 */
export function describeFilterError(bytes: string, error: FilterError, name = "filter"): string {
  const { snippet, caret } = sourceLine(bytes, error.line, error.col);
  return `${name}:${error.line}:${error.col}: ${error.message}\n  ${snippet}\n  ${" ".repeat(caret)}^`;
}

/** The line with the place (as text), and how many columns stand before the caret. */
export function sourceLine(bytes: string, line: number, col: number): { snippet: string; caret: number } {
  let start = 0;
  for (let n = 1; n < line; n++) {
    while (start < bytes.length && bytes[start] !== "\n" && bytes[start] !== "\r") start++;
    start++;
  }
  let end = start;
  while (end < bytes.length && bytes[end] !== "\n" && bytes[end] !== "\r") end++;
  const place = Math.min(start + col - 1, end);
  let from = start;
  let to = end;
  if (end - start > WINDOW) {
    from = Math.max(start, Math.min(place - WINDOW / 2, end - WINDOW));
    to = Math.min(end, from + WINDOW);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes would move the caret
  const show = (s: string) => toText(s).replace(/[\x00-\x1f\x7f]/g, " ");
  const head = from > start ? "…" : "";
  const before = head + show(bytes.slice(from, place));
  return { snippet: before + show(bytes.slice(place, to)) + (to < end ? "…" : ""), caret: [...before].length };
}
