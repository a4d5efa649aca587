// SPDX-License-Identifier: Apache-2.0
// Prints the driver-test table: `bun test/drivers/table.ts [family…]`. Exits 1 when a case failed.
import { runDriverCases } from "./cases.ts";

const { cases, drops, missing } = await runDriverCases(process.argv.slice(2));
const byFamily = new Map<string, { passed: number; failed: number; skipped: number; events: number }>();
for (const c of cases) {
  const row = byFamily.get(c.family) ?? { passed: 0, failed: 0, skipped: 0, events: 0 };
  byFamily.set(c.family, row);
  if (c.skipped) row.skipped++;
  else if (c.problems.length > 0) row.failed++;
  else row.passed++;
  row.events += c.expectations.length;
  if (c.skipped) console.log(`skipped  ${c.name}: ${c.skipped}`);
  for (const p of c.problems) console.log(`FAILED   ${c.name}: ${p}`);
}
console.log("family          passed  failed  skipped  events compared");
for (const [family, r] of byFamily) {
  console.log(
    `${family.padEnd(14)} ${String(r.passed).padStart(7)} ${String(r.failed).padStart(7)} ${String(r.skipped).padStart(8)} ${String(r.events).padStart(16)}`,
  );
}
console.log(`drops: ${drops}`);
if (missing.length > 0) console.log(`refused by this kernel: ${missing.join(" ")}`);
process.exit(missing.length > 0 || cases.some((c) => c.problems.length > 0) ? 1 : 0);
