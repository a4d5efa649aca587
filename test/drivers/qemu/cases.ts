// SPDX-License-Identifier: Apache-2.0
// The driver cases in a guest without a test runner: one line for each that fails, and one with the figures.
import { runDriverCases } from "../cases.ts";

const { cases, drops, missing } = await runDriverCases(process.argv.slice(2));
const failed = cases.filter((c) => c.skipped === null && (c.problems.length > 0 || c.expectations.length === 0));
for (const c of failed) console.log(`${c.family}: ${c.name}: ${c.problems.join("; ") || "nothing is expected"}`);
for (const c of cases.filter((c) => c.skipped !== null)) console.log(`skipped: ${c.name}: ${c.skipped}`);
const skipped = cases.filter((c) => c.skipped !== null).length;
console.log(
  `cases: ${cases.length}, failed ${failed.length}, skipped ${skipped}, lost ${drops}, refused programs ${missing.length}`,
);
for (const program of missing) console.log(`refused: ${program}`);
