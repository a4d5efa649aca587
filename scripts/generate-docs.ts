// SPDX-License-Identifier: Apache-2.0
// Writes docs/falco.1 and docs/commands.md from the flag records of cmd/.
// With --check it only compares and exits 1 when a file is stale.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manPage, markdownManual } from "../cmd/cli/manual.ts";
import { COMMANDS } from "../cmd/commands.ts";
import { TOP_FLAGS } from "../cmd/top_flags.ts";

const ROOT = join(import.meta.dir, "..");
const PAGES: Readonly<Record<string, string>> = {
  "docs/falco.1": manPage(COMMANDS, TOP_FLAGS),
  "docs/commands.md": markdownManual(COMMANDS, TOP_FLAGS),
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, text] of Object.entries(PAGES)) {
  const file = join(ROOT, path);
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  stale++;
  if (check) console.error(`${path}: stale, run 'npm run generate'`);
  else {
    writeFileSync(file, text);
    console.error(`${path}: written`);
  }
}
process.exit(check && stale > 0 ? 1 : 0);
