// SPDX-License-Identifier: Apache-2.0
// Where the reference captures and verdicts are, for tests that compare with them.

import { test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** Repository root. */
export const ROOT = resolve(import.meta.dir, "../..");
const DIR = resolve(ROOT, "../shared");

/** True when the reference data lies beside the repository. */
export const HAS_SHARED = existsSync(join(DIR, "golden"));

/** Path of a file of the reference data. */
export function sharedPath(...parts: string[]): string {
  return join(DIR, ...parts);
}

/** A test that needs the reference data; skipped, with the reason in its name, where that is missing. */
export function sharedTest(name: string, fn: () => void | Promise<void>, timeoutMs = 60_000): void {
  if (HAS_SHARED) test(name, fn, timeoutMs);
  else test.skip(`${name} (reference data not found beside the repository)`, fn);
}
