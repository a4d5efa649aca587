// SPDX-License-Identifier: Apache-2.0
// Checks that every source file names its licence at the top and, in TypeScript, its subject in the line after.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const KERNEL_SIDE = "driver/";

/** What is wrong with the head of a file; null when nothing is. */
export function checkHead(path: string, text: string): string | null {
  const lines = text.split("\n", 4);
  if (lines[0]?.startsWith("#!")) lines.shift();
  const licence = /SPDX-License-Identifier: \(?(.+?)\)?(?: \*\/)?$/.exec(lines[0] ?? "")?.[1];
  if (licence === undefined) return "no SPDX-License-Identifier in the first line";
  const wanted =
    path.startsWith(KERNEL_SIDE) && /\.[ch]$/.test(path)
      ? ["MIT OR GPL-2.0-only", "GPL-2.0-only OR MIT"]
      : ["Apache-2.0"];
  if (!wanted.includes(licence)) return `licence is '${licence}', wanted '${wanted[0]}'`;
  if (path.endsWith(".ts") && !/^\/\/ \S/.test(lines[1] ?? "")) return "no comment line that names the file's subject";
  return null;
}

if (import.meta.main) {
  const listed = spawnSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
  if (listed.status !== 0) {
    console.error(`spdx: git ls-files failed: ${listed.stderr.trim()}`);
    process.exit(1);
  }
  const paths = listed.stdout.split("\0").filter((p) => /\.(ts|c|h|sh)$/.test(p) || p === ".ci/run");
  let wrong = 0;
  for (const path of paths) {
    const problem = checkHead(path, readFileSync(join(ROOT, path), "utf8"));
    if (problem === null) continue;
    console.error(`${path}: ${problem}`);
    wrong++;
  }
  console.error(`spdx: ${paths.length} files, ${wrong} wrong`);
  process.exit(wrong > 0 ? 1 : 0);
}
