// SPDX-License-Identifier: Apache-2.0
// Runs the program as a user would, from its sources, and keeps what it said.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** What is run: `process.execPath MAIN ARGS…`. */
export const MAIN = join(import.meta.dir, "../../cmd/main.ts");

/** How long a test of the whole program may take: a machine may be busy with many other things. */
export const PATIENCE_MS = 180_000;

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
    timeout: options.timeout ?? PATIENCE_MS,
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status: run.status, stdout: run.stdout.toString("utf8"), stderr: run.stderr.toString("utf8") };
}

/** A shell line in which `falco` is the program (for pipes and redirections); run by bash with pipefail unset. */
export function shell(line: string, options: RunOptions = {}): Outcome {
  const run = spawnSync("bash", ["-c", `falco() { "${process.execPath}" "${MAIN}" "$@"; }\n${line}`], {
    cwd: options.cwd ?? process.cwd(),
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", TZ: "UTC", ...options.env },
    timeout: options.timeout ?? PATIENCE_MS,
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status: run.status, stdout: run.stdout.toString("utf8"), stderr: run.stderr.toString("utf8") };
}

/** What `falco ARGS…` shows on a terminal of so many columns: output and messages as they come, with "\n" line ends. */
export function onTerminal(args: readonly string[], options: RunOptions & { columns?: number } = {}): string {
  const quoted = [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const run = spawnSync("script", ["-qec", `stty cols ${options.columns ?? 80}; ${quoted}`, "/dev/null"], {
    cwd: options.cwd ?? process.cwd(),
    env: { PATH: process.env["PATH"] ?? "", HOME: "/", TZ: "UTC", TERM: "xterm", SHELL: "/bin/sh", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeout ?? 30_000,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.status === null || run.error !== undefined)
    throw new Error(`script(1) did not run: ${run.error ?? "timeout"}`);
  return run.stdout.toString("utf8").replaceAll("\r\n", "\n");
}
