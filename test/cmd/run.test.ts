// SPDX-License-Identifier: Apache-2.0
// `falco run` on this machine: alerts of real system calls, reload, signals, limits. Needs root and a kernel that suits.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeEngine } from "../../lib/scap/live.ts";
import { ROOT } from "../support/shared.ts";

/** Why there is no live engine here; null when there is one. */
function unable(): string | null {
  if (!existsSync(join(ROOT, "build/falco-shim.so"))) return "the capture library is not built";
  return probeEngine();
}
const REASON = unable();

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "falco-run-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A rule that tells of files opened below our directory whose name contains `word`. */
function rule(name: string, word: string): string {
  return `- rule: ${name}
  desc: a file of ours was opened
  condition: evt.type in (open, openat, creat) and fd.name startswith ${dir}/ and fd.name contains ${word}
  output: ${name} file=%fd.name by %proc.name of %proc.pname user=%user.name
  priority: WARNING
`;
}

/** A falco run in the background; its texts grow while it runs. */
class Running {
  stdout = "";
  stderr = "";
  private readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(...args: string[]) {
    const env = { ...process.env, TZ: "UTC", FALCO_HOSTNAME: "guest" };
    this.child = spawn(process.execPath, [join(ROOT, "cmd/main.ts"), "run", ...args], { cwd: dir, env });
    this.child.stdout?.on("data", (b: Buffer) => {
      this.stdout += b.toString("utf8");
    });
    this.child.stderr?.on("data", (b: Buffer) => {
      this.stderr += b.toString("utf8");
    });
    this.ended = new Promise((resolve) => this.child.once("close", (code) => resolve(code)));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until `done` holds; repeats `nudge` meanwhile. */
  async until(done: () => boolean, nudge: () => void = () => {}): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (done()) return;
      nudge();
      await Bun.sleep(25);
    }
    throw new Error(`it did not happen; stdout: ${this.stdout} stderr: ${this.stderr}`);
  }

  /** Waits until events flow. */
  started(): Promise<void> {
    return this.until(() => this.stderr.includes("system calls are watched"));
  }
}

const touch = (name: string): void => void spawnSync("touch", [join(dir, name)]);

describe.skipIf(REASON !== null)(`falco run${REASON === null ? "" : ` (${REASON})`}`, () => {
  test("tells what happens, with the state of processes that ran before, and sums up at Ctrl-C", async () => {
    writeFileSync(join(dir, "a.yaml"), rule("Ours", "one"));
    const falco = new Running("-r", "a.yaml", "-P", "pid");
    await falco.started();
    await falco.until(
      () => falco.stdout.includes("one.txt"),
      () => touch("one.txt"),
    );
    expect(falco.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{9}: Warning Ours file=\S+\/one\.txt by touch of bun user=root\n/);
    expect(readFileSync(join(dir, "pid"), "utf8")).toBe(`${falco.pid}\n`);
    falco.kill("SIGINT");
    expect(await falco.ended).toBe(0);
    expect(falco.stdout).toContain("Events detected: ");
    expect(falco.stdout).toMatch(/\n {3}Ours: \d+\n$/);
    expect(falco.stderr).toContain("Syscall event drop monitoring:\n   - event drop detected: 0 occurrences\n");
    expect(existsSync(join(dir, "pid"))).toBe(false);
  }, 120_000);

  test("reads rules anew at SIGHUP, keeps the old ones when the new are wrong", async () => {
    writeFileSync(join(dir, "b.yaml"), rule("Before", "two"));
    const falco = new Running("-r", "b.yaml");
    await falco.started();
    await falco.until(
      () => falco.stdout.includes("Before"),
      () => touch("two.txt"),
    );
    writeFileSync(join(dir, "b.yaml"), "- rule: broken\n");
    falco.kill("SIGHUP");
    await falco.until(() => falco.stderr.includes("reload refused"));
    falco.stdout = "";
    await falco.until(
      () => falco.stdout.includes("Before"),
      () => touch("two.txt"),
    );
    writeFileSync(join(dir, "b.yaml"), rule("After", "three"));
    falco.kill("SIGHUP");
    await falco.until(() => falco.stderr.includes("reloaded: 1 rules"));
    await falco.until(
      () => falco.stdout.includes("After"),
      () => touch("three.txt"),
    );
    falco.kill("SIGTERM");
    expect(await falco.ended).toBe(0);
    expect(falco.stdout).toMatch(/\n {3}After: \d+\n {3}Before: \d+\n$/);
  }, 120_000);

  test("opens its file anew at SIGUSR1", async () => {
    writeFileSync(join(dir, "c.yaml"), rule("Logged", "four"));
    const log = join(dir, "alerts.log");
    const options = [
      "file_output.enabled=true",
      "file_output.keep_alive=true",
      `file_output.filename=${log}`,
      "stdout_output.enabled=false",
    ];
    const falco = new Running("-r", "c.yaml", ...options.flatMap((o) => ["-o", o]));
    await falco.started();
    await falco.until(
      () => existsSync(log) && readFileSync(log, "utf8") !== "",
      () => touch("four.txt"),
    );
    renameSync(log, `${log}.1`);
    falco.kill("SIGUSR1");
    await falco.until(
      () => existsSync(log) && readFileSync(log, "utf8") !== "",
      () => touch("four.txt"),
    );
    falco.kill("SIGINT");
    expect(await falco.ended).toBe(0);
  }, 120_000);

  test("ends by itself after -M seconds, and after -n events", async () => {
    writeFileSync(join(dir, "d.yaml"), rule("Never", "nothing-is-called-so"));
    const timed = new Running("-r", "d.yaml", "-M", "0.3");
    expect(await timed.ended).toBe(0);
    const counted = new Running("-r", "d.yaml", "-n", "3");
    await counted.started();
    const nudges = setInterval(() => touch("x"), 20);
    expect(await counted.ended).toBe(0);
    clearInterval(nudges);
  }, 120_000);

  test("does not watch itself", async () => {
    writeFileSync(join(dir, "e.yaml"), rule("Own", "own"));
    const log = join(dir, "own.log");
    const falco = new Running("-r", "e.yaml", "-o", "file_output.enabled=true", "-o", `file_output.filename=${log}`);
    await falco.started();
    await falco.until(
      () => falco.stdout.includes("own.txt"),
      () => touch("own.txt"),
    );
    falco.kill("SIGINT");
    await falco.ended;
    expect(falco.stdout).not.toContain("own.log");
  }, 120_000);
});

test("falco run names an engine that is not there", () => {
  const run = spawnSync(process.execPath, [join(ROOT, "cmd/main.ts"), "run", "--engine", "kmod"], { cwd: dir });
  expect(run.status).toBe(1);
  expect(run.stderr.toString()).toBe("falco: engine kmod is not there yet; modern_ebpf is\n");
});
