// SPDX-License-Identifier: Apache-2.0
// Runs the program as a user would, from its sources, and keeps what it said.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** What is run: `process.execPath MAIN ARGS…`. */
export const MAIN = join(import.meta.dir, "../../cmd/main.ts");

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string | Uint8Array;
  /** Milliseconds until the program is killed (status null). */
  timeout?: number;
}

/** `falco ARGS…`, with times in UTC and without colours unless `env` says otherwise. */
export function falco(args: readonly string[], options: RunOptions = {}): Outcome {
  const run = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: options.cwd ?? process.cwd(),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", TZ: "UTC", ...options.env },
    input: options.input ?? "",
    timeout: options.timeout ?? 30_000,
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status: run.status, stdout: run.stdout.toString("utf8"), stderr: run.stderr.toString("utf8") };
}

/** A shell line in which `falco` is the program (for pipes and redirections); run by bash with pipefail unset. */
export function shell(line: string, options: RunOptions = {}): Outcome {
  const run = spawnSync("bash", ["-c", `falco() { "${process.execPath}" "${MAIN}" "$@"; }\n${line}`], {
    cwd: options.cwd ?? process.cwd(),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", TZ: "UTC", ...options.env },
    timeout: options.timeout ?? 30_000,
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status: run.status, stdout: run.stdout.toString("utf8"), stderr: run.stderr.toString("utf8") };
}
