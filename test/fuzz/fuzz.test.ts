// SPDX-License-Identifier: Apache-2.0
// A fixed number of fuzz rounds, and every file that once broke something.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { judge } from "./fuzz.ts";

const ROUNDS = 200;

// In a process of its own: the memory limit is for what the fuzzer needs, not for the tests that ran before.
test(`${ROUNDS} damaged captures end in events or one clear error`, () => {
  const run = Bun.spawnSync([process.execPath, join(import.meta.dir, "main.ts"), "7", String(ROUNDS)]);
  const out = run.stdout.toString();
  const counts = /^seed 7: (\d+) rounds .*: (\d+) files read to the end, (\d+) refused with one line, 0 failures/m.exec(
    out,
  );
  if (counts === null) throw new Error(`the fuzzer says:\n${out}${run.stderr}`);
  const [, rounds, whole, refused] = counts.map(Number);
  expect(rounds).toBe(ROUNDS);
  // Damage that no file notices, or files that are all refused, would be no test.
  expect(whole).toBeGreaterThan(ROUNDS / 10);
  expect(refused).toBeGreaterThan(ROUNDS / 10);
  expect(run.exitCode).toBe(0);
}, 120_000);

for (const name of readdirSync(join(import.meta.dir, "corpus")).filter((f) => f.endsWith(".scap"))) {
  test(`${name} ends in events or one clear error`, async () => {
    for (let use = 0; use < 3; use++)
      expect((await judge(join(import.meta.dir, "corpus", name), use)).wrong).toBeNull();
  });
}
