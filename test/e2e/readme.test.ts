// SPDX-License-Identifier: Apache-2.0
// The examples of the README are run, and their output is the one shown there.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shell } from "../support/falco.ts";
import { ROOT } from "../support/shared.ts";

interface Example {
  command: string;
  /** Lines shown; "…" stands for any number of lines. */
  shown: string[];
}

/** Commands behind "    $ " with the indented lines that follow them. */
function examples(text: string): Example[] {
  const found: Example[] = [];
  let current: Example | null = null;
  for (const line of text.split("\n")) {
    if (line.startsWith("    $ ")) {
      current = { command: line.slice(6), shown: [] };
      found.push(current);
    } else if (line.startsWith("    ") && current !== null) current.shown.push(line.slice(4));
    else current = null;
  }
  return found;
}

/** Pattern of an output: the lines shown, with "…" for any number of lines. */
function pattern(shown: readonly string[]): RegExp {
  const parts = shown.map((line) =>
    line === "…" ? "(?:.*\\n)*" : `${line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}\\n`,
  );
  return new RegExp(`^${parts.join("")}$`);
}

const found = examples(readFileSync(join(ROOT, "README.md"), "utf8"));

test("the README has examples with output", () => {
  expect(found.length).toBeGreaterThan(4);
  for (const { shown } of found) expect(shown.some((line) => line !== "…")).toBe(true);
});

for (const { command, shown } of found) {
  test(`$ ${command}`, () => {
    const got = shell(command, { cwd: ROOT });
    expect(got.stderr).toBe("");
    expect(got.stdout).toMatch(pattern(shown));
  });
}
