// SPDX-License-Identifier: Apache-2.0
// Packs the program into dist/falco: minified bytecode inside a copy of Bun.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

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
const build = spawnSync(
  process.execPath,
  [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    // A binary that root runs must not pick up code or settings from the directory it is started in.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--define",
    `BUILD_VERSION=${JSON.stringify(built)}`,
    join(ROOT, "cmd/main.ts"),
    "--outfile",
    OUT,
  ],
  { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] },
);
if (build.status !== 0) process.exit(1);
console.error(`build: dist/falco ${built}, ${(statSync(OUT).size / 1e6).toFixed(1)} MB`);
