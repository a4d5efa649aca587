// SPDX-License-Identifier: Apache-2.0
// Nothing stays: no BPF program, map or link after a capture, however it ended; no descriptor, mapping or memory in a process that
// opens and closes again and again.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { openLive } from "../../lib/scap/live.ts";
import { falco, MAIN, PATIENCE_MS } from "../support/falco.ts";
import { compile, reasonToSkip } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

const reason = reasonToSkip();
let dir = "";
let program = "";
beforeAll(() => {
  ({ dir, program } = compile("bpf_ids.c"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** BPF programs, maps and links of the kernel, as "prog 12". */
function allObjects(): Set<string> {
  const run = spawnSync(program, { encoding: "utf8", maxBuffer: 1 << 24 });
  if (run.status !== 0) throw new Error(run.stderr);
  return new Set(run.stdout.split("\n").filter((line) => line !== ""));
}

/** Those of them that some process has open. */
function heldObjects(): Set<string> {
  const held = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
        const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1");
        for (const [, kind, id] of info.matchAll(/^(prog|map|link)_id:\s*(\d+)$/gm)) held.add(`${kind} ${id}`);
      }
    } catch (e) {
      // It ended, or closed it, while we looked; or it is one that not even root may look into.
      if (!["ENOENT", "ESRCH", "EACCES"].includes((e as NodeJS.ErrnoException).code ?? "")) throw e;
    }
  }
  return held;
}

/**
 * Objects that were not there `before` and that no process has open, once none of them goes away any more: the kernel takes its
 * time. Captures of others on this machine have theirs open.
 */
async function orphans(before: ReadonlySet<string>): Promise<string[]> {
  let found: string[] = [];
  for (let i = 0; i < 100; i++) {
    const all = allObjects();
    const held = heldObjects();
    found = [...all].filter((o) => !before.has(o) && !held.has(o));
    if (found.length === 0) return [];
    await Bun.sleep(100);
  }
  return found;
}

/** `falco capture` in the background. */
function capturing(): ChildProcess {
  return spawn(process.execPath, [MAIN, "capture", "-p", "%evt.num"], { stdio: ["ignore", "pipe", "ignore"] });
}

function closed(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", resolve));
}

describe.skipIf(reason !== null)(`nothing stays in the kernel (${reason ?? "root"})`, () => {
  test("after captures that ended, and starts that failed", async () => {
    const before = allObjects();
    expect(falco(["capture", "-q", "-n", "1"]).status).toBe(0);
    expect(falco(["capture", "-q", "--", "/no/such/command"]).status).toBe(1);
    expect(falco(["run", "-M", "0", "-o", "engine.kind=kmod"]).status).toBe(1);
    await expect(openLive({ ringBytes: 1000 })).rejects.toThrow("ring size");
    expect(await orphans(before)).toEqual([]);
  });

  test("after SIGKILL, while loading and while capturing", async () => {
    const before = allObjects();
    for (const ms of [200, 400, 800]) {
      const child = capturing();
      await Bun.sleep(ms);
      child.kill("SIGKILL");
      await closed(child);
    }
    const child = capturing();
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    // What it holds is seen: otherwise this test would see nothing.
    const held = [...heldObjects()].filter((o) => !before.has(o));
    child.kill("SIGKILL");
    await closed(child);
    for (const kind of ["prog", "map", "link"]) expect(held.some((o) => o.startsWith(kind))).toBe(true);
    expect(await orphans(before)).toEqual([]);
  });

  test("fifty sources of one process, one after the other", async () => {
    const mappings = (): number =>
      readFileSync("/proc/self/maps", "latin1")
        .split("\n")
        .filter((l) => l.includes("bpf-map")).length;
    const fds = (): number => readdirSync("/proc/self/fd").length;
    const threads = (): number => readdirSync("/proc/self/task").length;
    const resident = (): number => {
      Bun.gc(true);
      return process.memoryUsage.rss();
    };
    const cycle = async (): Promise<void> => {
      const source = await openLive({ ringBytes: 1 << 20 });
      source.next();
      await source.close();
    };
    // The first ones bring in libraries, threads and arenas that stay.
    for (let i = 0; i < 10; i++) await cycle();
    const first = { fds: fds(), mappings: mappings() };
    const firstThreads = threads();
    const memory = resident();
    for (let i = 0; i < 40; i++) await cycle();
    expect({ fds: fds(), mappings: mappings() }).toEqual(first);
    // One is started for each; the engine that runs us may start a few of its own.
    expect(threads() - firstThreads).toBeLessThan(10);
    // What a source takes in memory is some MB, so that not even one in ten may stay.
    expect(resident() - memory).toBeLessThan(16 << 20);
  });
});
