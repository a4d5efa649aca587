// SPDX-License-Identifier: Apache-2.0
// Packs the program into dist/falco.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileExecutable } from "./compile.ts";

const ROOT = join(import.meta.dir, "..");
const OUT = join(ROOT, "dist/falco");

/** Output of a git command, "" where git or the repository is missing. */
function git(...args: string[]): string {
  const run = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : "";
}

const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
const commit = git("rev-parse", "--short=10", "HEAD");
const built = commit === "" ? version : `${version}+${commit}`;

mkdirSync(join(ROOT, "dist"), { recursive: true });
mkdirSync(join(ROOT, "build"), { recursive: true });

// The start of the executable: it carries the capture library and hands its path on before the program begins.
const SHIM = "build/falco-shim.so";
const entry = join(ROOT, "build/entry.ts");
const withShim = existsSync(join(ROOT, SHIM));
const lines = withShim
  ? [
      'import shim from "./falco-shim.so" with { type: "file" };',
      'import { embedded } from "../cmd/embedded.ts";',
      "embedded.shim = shim;",
    ]
  : [];
writeFileSync(entry, [...lines, 'await import("../cmd/main.ts");', ""].join("\n"));
if (!withShim) console.error(`build: ${SHIM} is not there: this build reads trace files and captures nothing live`);

compileExecutable(entry, OUT, { BUILD_VERSION: JSON.stringify(built) });
console.error(`build: dist/falco ${built}, ${(statSync(OUT).size / 1e6).toFixed(1)} MB`);
