// SPDX-License-Identifier: Apache-2.0
// What the live tests share: whether this kernel lets us, programs to watch, and what /proc says.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeEngine } from "../../lib/scap/live.ts";

/** Why there is no live capture here; null when there is. */
export function reasonToSkip(): string | null {
  return probeEngine();
}

/** Compiles a C program of this folder into a new directory; returns both. */
export function compile(source: string): { dir: string; program: string } {
  const dir = mkdtempSync(join(tmpdir(), "falco-live-"));
  const program = join(dir, source.replace(/\.c$/, ""));
  const args = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, join(import.meta.dir, source), "-lpthread"];
  const gcc = spawnSync("gcc", args, { encoding: "utf8" });
  if (gcc.status !== 0) throw new Error(gcc.stderr);
  return { dir, program };
}

/** What reading from /proc says of those that have ended. */
const ENDED = ["ENOENT", "ESRCH"];

const LOST = /^falco: \d+ events were lost\n/m;

/**
 * The outcome of `run`, once nothing was lost in it: this machine may have loud neighbours, whom the probe hears too. Tries
 * a few times.
 */
export function whole<T extends { stderr: string }>(run: () => T): T {
  for (let tries = 1; ; tries++) {
    const outcome = run();
    if (!LOST.test(outcome.stderr) || tries === 8) return outcome;
  }
}

/** A program that says where it is, and goes on at a line. */
export class Puppet {
  private readonly child: ChildProcess;
  private said = "";
  private readonly ended: Promise<number | null>;
  private wake: () => void = () => {};

  constructor(program: string, ...args: string[]) {
    this.child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout?.on("data", (bytes: Buffer) => {
      this.said += bytes.toString("utf8");
      this.wake();
    });
    // One that has ended already does not read; that it has is seen by its end.
    this.child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until it has printed `word`. */
  async says(word: string): Promise<void> {
    while (!this.said.includes(word)) {
      await new Promise<void>((resolve, reject) => {
        this.wake = resolve;
        void this.ended.then(() => reject(new Error(`it ended before it said ${word}`)));
      });
    }
  }

  goOn(): void {
    this.child.stdin?.write("\n");
  }

  end(): Promise<number | null> {
    this.child.stdin?.end();
    return this.ended;
  }
}

/** A thread as /proc has it. */
export interface ProcThread {
  tid: number;
  pid: number;
  ptid: number;
  comm: string;
  args: string;
  cwd: string;
  /** Link texts by descriptor, of the process. */
  fds: Map<number, string>;
}

function readThreadOf(pid: number, tid: number): ProcThread {
  const dir = `/proc/${pid}/task/${tid}`;
  const status = readFileSync(`${dir}/status`, "latin1");
  const fds = new Map<number, string>();
  for (const fd of readdirSync(`${dir}/fd`)) fds.set(Number(fd), readlinkSync(`${dir}/fd/${fd}`));
  return {
    tid,
    pid,
    ptid: Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]),
    comm: readFileSync(`${dir}/comm`, "latin1").trimEnd(),
    args: readFileSync(`${dir}/cmdline`, "latin1"),
    cwd: readlinkSync(`${dir}/cwd`),
    fds,
  };
}

/** True when there is such a thread and it has not ended. */
export function lives(tid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${tid}/status`, "latin1"));
  } catch (e) {
    if (ENDED.includes((e as NodeJS.ErrnoException).code ?? "")) return false;
    throw e;
  }
}

/** Pid and tid of the threads of a process and all its descendants, without those that have ended. */
function treeOf(root: number): [pid: number, tid: number][] {
  const out: [number, number][] = [];
  const visit = (pid: number): void => {
    for (const tid of readdirSync(`/proc/${pid}/task`).map(Number)) {
      if (lives(tid)) out.push([pid, tid]);
      const children = readFileSync(`/proc/${pid}/task/${tid}/children`, "latin1");
      for (const child of children.split(" ")) if (child !== "") visit(Number(child));
    }
  };
  visit(root);
  return out;
}

/** A process and all its descendants, thread by thread, by tid. They have to hold still. */
export function familyOf(root: number): Map<number, ProcThread> {
  return new Map(treeOf(root).map(([pid, tid]) => [tid, readThreadOf(pid, tid)]));
}

/** How /proc/PID/syscall begins in futex. */
const FUTEX = process.arch === "arm64" ? "98 " : "202 ";

/** The threads of a churn program, as one text, when all hold still as far as can be seen in one look; else undefined. */
function heldThreads(root: number): string | undefined {
  try {
    const threads = treeOf(root).filter(([pid]) => pid !== root);
    const held = threads.every(([pid, tid]) =>
      readFileSync(`/proc/${pid}/task/${tid}/syscall`, "latin1").startsWith(FUTEX),
    );
    return held ? threads.join(" ") : undefined;
  } catch (e) {
    // One ended while we looked: they do not hold still.
    if (ENDED.includes((e as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw e;
  }
}

/** Waits until all descendants of a churn program hold still: two looks, one after the other, find the same. */
export async function allHold(root: number): Promise<void> {
  let before: string | undefined;
  for (let i = 0; i < 2000; i++) {
    const now = heldThreads(root);
    if (now !== undefined && now === before) return;
    before = now;
    await Bun.sleep(10);
  }
  throw new Error(`the descendants of ${root} do not hold still`);
}
