// SPDX-License-Identifier: Apache-2.0
// Writes rules/falco.yaml from the table of configuration keys; with --check it only compares and exits 1 when stale.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shippedConfig } from "../lib/config/render.ts";

const FILE = join(import.meta.dir, "../rules/falco.yaml");

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== shippedConfig()) {
    console.error("rules/falco.yaml: stale, run 'bun scripts/generate-config.ts'");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, shippedConfig());
}
