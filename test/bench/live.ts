// SPDX-License-Identifier: Apache-2.0
// Figures of the live engine beside what they should be: `bun test/bench/live.ts` (root).
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type LiveOptions, openLive, probeEngine } from "../../lib/scap/live.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { SYSCALL_NAMES } from "../../lib/schema/tables/syscalls.ts";
import { falco } from "./entries.ts";

const ROUNDS = 3;
const DD_CALLS = 5_000_000;
const ALERTS = 40;

function code(name: string): number {
  const at = SYSCALL_NAMES.indexOf(name);
  if (at < 0) throw new Error(`no system call ${name}`);
  return at;
}

const STATE_CALLS = ["close", "open", "openat", "openat2", "connect", "execve", "clone"].map(code);

function print(what: string, figure: string, goal: string): void {
  process.stdout.write(`${what.padEnd(44)} ${figure.padStart(16)}   ${goal}\n`);
}

/** What a getppid costs under each of the captures, in ns; in turn, best of the rounds. */
async function callCosts(dir: string, captures: readonly (LiveOptions | null)[]): Promise<number[]> {
  const loop = join(dir, "loop");
  const built = spawnSync("gcc", ["-O2", "-o", loop, join(import.meta.dir, "loop.c")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  const best = captures.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, options] of captures.entries()) {
      const source = options === null ? null : await openLive({ ringBytes: 8 << 20, ...options });
      const child = Bun.spawn([loop], { stdout: "pipe" });
      const text = new Response(child.stdout).text();
      child.exited.then(() => source?.stop());
      if (source !== null) {
        do {
          while (source.next() === NEXT.EVENT);
        } while (await source.more());
      }
      best[i] = Math.min(best[i] ?? 0, Number(await text));
      await source?.close();
    }
  }
  return best;
}

async function calls(dir: string): Promise<void> {
  const untraced: LiveOptions = { syscalls: STATE_CALLS };
  const traced: LiveOptions = { syscalls: [...STATE_CALLS, code("getppid")] };
  // Linux 7 needs perf events; elsewhere they tell what it costs there.
  const onPerf = [untraced, traced].map((o) => ({ ...o, perfCalls: true }));
  const [none = 0, ...costs] = await callCosts(dir, [null, untraced, traced, ...onPerf]);
  const [without = 0, withIt = 0, perfWithout = 0, perfWithIt = 0] = costs.map((ns) => ns - none);
  print("getppid, no probe", `${none.toFixed(0)} ns`, "");
  print("added when it is not selected", `${without.toFixed(0)} ns`, "under 90 ns");
  print("added when it is", `${withIt.toFixed(0)} ns`, "");
  print("on perf events, when it is not selected", `${perfWithout.toFixed(0)} ns`, "under 90 ns");
  print("on perf events, when it is", `${perfWithIt.toFixed(0)} ns`, "");
}

/** Every call of a dd of single bytes. */
async function dd(): Promise<void> {
  const source = await openLive({ ringBytes: 8 << 20 });
  const child = Bun.spawn(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", `count=${DD_CALLS}`], { stderr: "ignore" });
  child.exited.then(() => source.stop());
  let events = 0;
  do {
    while (source.next() === NEXT.EVENT) if (source.cursor.tid === child.pid) events++;
  } while (await source.more());
  const { drops } = source.stats();
  await source.close();
  print(`dd of ${DD_CALLS} bytes, events`, String(events), `${2 * DD_CALLS} and a few`);
  print("the same, drops", String(drops), "0");
}

/** Start of `falco run`, and the time from an open to the line that tells it. */
async function alerts(dir: string): Promise<void> {
  const rules = join(dir, "rules.yaml");
  writeFileSync(
    rules,
    `- rule: mark\n  desc: d\n  condition: evt.type in (open, openat) and fd.name startswith ${dir}/mark\n  output: "%fd.name"\n  priority: ERROR\n`,
  );
  const began = performance.now();
  const [program = "", ...words] = falco(
    "run",
    "-U",
    "-r",
    join(import.meta.dir, "../../rules/falco_rules.yaml"),
    "-r",
    rules,
  );
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => line.includes("engine") && resolve());
    child.once("exit", () => reject(new Error("falco run ended")));
  });
  print("falco run, from exec to watching", `${(performance.now() - began).toFixed(0)} ms`, "under 400 ms");
  let heard: (line: string) => void = () => {};
  createInterface({ input: child.stdout }).on("line", (line) => heard(line));
  const times: number[] = [];
  for (let i = 0; i < ALERTS; i++) {
    const mark = join(dir, `mark-${i}-`);
    await Bun.sleep(100);
    const told = new Promise<number>((resolve) => {
      heard = (line) => line.includes(mark) && resolve(performance.now());
    });
    const opened = performance.now();
    try {
      openSync(mark, "r");
    } catch {
      // It is not there; the attempt is what is looked for.
    }
    times.push((await told) - opened);
  }
  child.removeAllListeners("exit");
  child.kill("SIGINT");
  times.sort((a, b) => a - b);
  print("from an open to its alert, median", `${(times[ALERTS / 2] ?? 0).toFixed(1)} ms`, "under 50 ms");
}

async function main(): Promise<number> {
  const reason = probeEngine();
  if (reason !== null) {
    process.stderr.write(`no live figures here: ${reason}\n`);
    return 1;
  }
  const dir = mkdtempSync(join(tmpdir(), "falco-bench-"));
  try {
    await calls(dir);
    await dd();
    await alerts(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return 0;
}

process.exitCode = await main();
