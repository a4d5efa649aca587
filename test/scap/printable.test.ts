// SPDX-License-Identifier: Apache-2.0
// Control characters are made visible, and nothing else is touched.
import { expect, test } from "bun:test";
import { toBytes, toText } from "../../lib/scap/bytes.ts";
import {
  colourSequences,
  escapeControls,
  escapeControlsInBytes,
  escapeControlsInLines,
} from "../../lib/scap/printable.ts";

const ORDINARY = "Grüße, 世界 \u{1f600}";

test("escapeControls() leaves ordinary text alone", () => {
  expect(escapeControls(`${ORDINARY}\t\x7f`)).toBe(`${ORDINARY}\\t\\x7f`);
});

test("escapeControls() makes one line", () => {
  expect(escapeControls("a\nb\rc\x1b[2J\x9b\u2028")).toBe("a\\nb\\rc\\x1b[2J\\u009b\\u2028");
});

test("escapeControlsInLines() keeps line feeds and tabs", () => {
  expect(escapeControlsInLines(`${ORDINARY}\n\tb\rc\x1b[2J`)).toBe(`${ORDINARY}\n\tb\\rc\\x1b[2J`);
});

test("escapeControlsInBytes() keeps UTF-8 and the sequences that are allowed", () => {
  const allowed = new Set(["\x1b[32m"]);
  const clean = (text: string): string => toText(escapeControlsInBytes(toBytes(text), allowed));
  expect(clean(`\x1b[32m${ORDINARY}\n\t`)).toBe(`\x1b[32m${ORDINARY}\n\t`);
  expect(clean("\x1b[31mred \x1b[2J \x1b]0;title\x07 \x9b2J \r \x00 \x7f")).toBe(
    "\\x1b[31mred \\x1b[2J \\x1b]0;title\\x07 \\u009b2J \\r \\x00 \\x7f",
  );
});

test("colourSequences() finds those of a format", () => {
  expect([...colourSequences("\x1b[1;44m%proc.name\x1b[0m \x1b[2J")]).toEqual(["\x1b[1;44m", "\x1b[0m"]);
  expect(colourSequences("%proc.name").size).toBe(0);
});
