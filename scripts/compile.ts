// SPDX-License-Identifier: Apache-2.0
// Makes one executable of a program: minified bytecode inside a copy of Bun that takes no code from where it is started.
import { spawnSync } from "node:child_process";
import { guardExecutable } from "./guard/guard.ts";

/** Compiles the program that begins in the file `entry` to the executable `out`. Throws when that fails. */
export function compileExecutable(entry: string, out: string, defines: Readonly<Record<string, string>> = {}): void {
  const args = [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    // An executable that root runs must not pick up code or settings from the directory it is started in …
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...Object.entries(defines).flatMap(([name, value]) => ["--define", `${name}=${value}`]),
    entry,
    "--outfile",
    out,
  ];
  const build = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (build.status !== 0) throw new Error(`${entry} cannot be compiled`);
  // … nor from its environment.
  guardExecutable(out);
}
