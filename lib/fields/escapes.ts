// SPDX-License-Identifier: Apache-2.0
// Escapes in the quoted strings of filters and formats.

const SIMPLE: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  "\\": "\\",
  "/": "/",
  // A backslash before a blank stands for itself and takes the blank with it.
  " ": "\\",
};

/**
 * What a backslash and the chars from `at` on stand for in a string quoted with `quote`, and how many chars those are;
 * undefined when that is no escape.
 */
export function escapeAt(text: string, at: number, quote: string): { value: string; length: number } | undefined {
  const c = text[at] ?? "";
  if (c === quote) return { value: c, length: 1 };
  if (c !== "x") return SIMPLE[c] === undefined ? undefined : { value: SIMPLE[c], length: 1 };
  const hex = text.slice(at + 1, at + 3);
  if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
  return { value: String.fromCharCode(Number.parseInt(hex, 16)), length: 3 };
}
