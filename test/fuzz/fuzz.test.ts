// SPDX-License-Identifier: Apache-2.0
// A fixed number of fuzz rounds, and every file that once broke something.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fuzz, judge } from "./fuzz.ts";

const ROUNDS = 200;

test(`${ROUNDS} damaged captures end in events or one clear error`, async () => {
  const summary = await fuzz(7, 0, ROUNDS);
  expect(summary.failures.map((f) => `${f.round} ${f.from} ${f.done}: ${f.what}`)).toEqual([]);
  expect(summary.rounds).toBe(ROUNDS);
  // Damage that no file notices, or files that are all refused, would be no test.
  expect(summary.whole).toBeGreaterThan(ROUNDS / 10);
  expect(summary.refused).toBeGreaterThan(ROUNDS / 10);
}, 120_000);

for (const name of readdirSync(join(import.meta.dir, "corpus")).filter((f) => f.endsWith(".scap"))) {
  test(`${name} ends in events or one clear error`, async () => {
    for (let use = 0; use < 3; use++)
      expect((await judge(join(import.meta.dir, "corpus", name), use)).wrong).toBeNull();
  });
}
