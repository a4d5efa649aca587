// SPDX-License-Identifier: Apache-2.0
// The live source on this kernel: nothing lost or doubled, losses counted when the reader stalls, its own calls left out.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beginLive, type LiveSource, openLive, probeEngine } from "../../lib/scap/live.ts";
import { SHIM_OPTION } from "../../lib/scap/shim.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EV, SC } from "../../lib/schema/tables/enums.ts";
import { PATIENCE_MS } from "../support/falco.ts";

setDefaultTimeout(PATIENCE_MS);

/** Each run of the tests has marks of its own, so that two at once do not count each other's calls. */
const FIRST_MARK = 0x40000000 + (process.pid % 512) * 0x100000;
const reason = probeEngine();
let dir = "";
let mark = "";

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "falco-live-"));
  mark = join(dir, "mark");
  const gcc = Bun.spawn(["gcc", "-O2", "-Wall", "-Werror", "-o", mark, join(import.meta.dir, "mark.c"), "-lpthread"]);
  expect(await gcc.exited).toBe(0);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs `mark`, and `use` on every event until it has ended and the rings are empty. */
async function under(source: LiveSource, threads: number, calls: number, use: () => void): Promise<void> {
  const child = Bun.spawn([mark, String(threads), String(calls), String(FIRST_MARK)]);
  child.exited.then(() => source.stop());
  do {
    while (source.next() === NEXT.EVENT) use();
  } while (await source.more());
  expect(await child.exited).toBe(0);
}

/** Number of the marked call the cursor is on, −1 when it is on something else. */
function marked(source: LiveSource, total: number): number {
  const c = source.cursor;
  if (c.type !== EV.CLOSE_X) return -1;
  const n = c.i64(1) - FIRST_MARK;
  return n >= 0 && n < total ? n : -1;
}

describe.skipIf(reason !== null)(`live source (${reason ?? "root"})`, () => {
  test("1,000,000 calls of four threads come exactly once and in each thread's order", async () => {
    const total = 1_000_000;
    // Room for all of them, so that a busy machine cannot make the reader late.
    const source = await openLive({ ringBytes: 128 << 20 });
    const seen = new Uint8Array(total);
    const next = [0, 250_000, 500_000, 750_000];
    let doubled = 0;
    let disordered = 0;
    let count = 0;
    await under(source, 4, total / 4, () => {
      const n = marked(source, total);
      if (n < 0) return;
      const thread = Math.floor(n / 250_000);
      if (next[thread] !== n) disordered++;
      next[thread] = n + 1;
      doubled += seen[n] ?? 0;
      seen[n] = 1;
      count++;
    });
    expect({ count, doubled, disordered, drops: source.stats().drops }).toEqual({
      count: total,
      doubled: 0,
      disordered: 0,
      drops: 0,
    });
    await source.close();
  });

  test("what a full ring could not take is counted by kind, and what it took is whole", async () => {
    const total = 200_000;
    const source = await openLive({ ringBytes: 1 << 16, syscalls: [SC.close], signals: false, processExits: false });
    // Nothing is read while the calls are made.
    expect(await Bun.spawn([mark, "2", String(total / 2), String(FIRST_MARK)]).exited).toBe(0);
    source.stop();
    let count = 0;
    do {
      while (source.next() === NEXT.EVENT) if (marked(source, total) >= 0) count++;
    } while (await source.more());
    const stats = source.stats();
    expect(count).toBeGreaterThan(100);
    expect(stats.dropsByCategory["close_exit"]).toBeGreaterThan(0);
    expect(stats.drops).toBe(stats.dropsByCategory["close_exit"] ?? 0);
    expect(count + stats.drops).toBeGreaterThanOrEqual(total);
    await source.close();
  });

  test("page faults that a full ring could not take are counted as such", async () => {
    const source = await openLive({
      ringBytes: 1 << 16,
      syscalls: [],
      signals: false,
      processExits: false,
      pageFaults: true,
    });
    for (let i = 0; i < 40; i++) expect(await Bun.spawn(["true"]).exited).toBe(0);
    source.stop();
    let count = 0;
    do {
      while (source.next() === NEXT.EVENT) if (source.cursor.type === EV.PAGE_FAULT_E) count++;
    } while (await source.more());
    const stats = source.stats();
    expect(count).toBeGreaterThan(100);
    expect(stats.dropsByCategory["page_fault"]).toBeGreaterThan(0);
    expect(stats.drops).toBe(stats.dropsByCategory["page_fault"] ?? 0);
    expect(stats.events).toBe(count);
    await source.close();
  });

  test("the capturing process itself is left out, unless asked for", async () => {
    for (const excludeSelf of [true, false]) {
      const source = await openLive({ excludeSelf, syscalls: [SC.openat, SC.open] });
      const name = join(dir, `self-${excludeSelf}`);
      closeSync(openSync(name, "w"));
      source.stop();
      let own = 0;
      do {
        while (source.next() === NEXT.EVENT) {
          if (source.cursor.type === EV.OPENAT_2_X && source.cursor.str(2) === name) own++;
          if (source.cursor.type === EV.OPEN_X && source.cursor.str(1) === name) own++;
        }
      } while (await source.more());
      expect(own).toBe(excludeSelf ? 0 : 1);
      await source.close();
    }
  });

  test("system calls are chosen anew while events flow", async () => {
    const source = await openLive({ syscalls: [SC.close] });
    source.select([SC.getppid]);
    let count = 0;
    await under(source, 1, 100, () => {
      if (marked(source, 100) >= 0) count++;
    });
    expect(count).toBe(0);
    await source.close();
  });

  test("settings change while events flow", async () => {
    const source = await openLive({ syscalls: [SC.close] });
    source.set(SHIM_OPTION.DROP_FAILED, 1);
    expect(() => source.set(SHIM_OPTION.RING_BYTES, 1)).toThrow("cannot change");
    let count = 0;
    await under(source, 1, 100, () => {
      if (marked(source, 100) >= 0) count++;
    });
    expect(count).toBe(0);
    await source.close();
  });

  test("dropping mode keeps part of every second, says where, and never drops what changes the state", async () => {
    const source = await openLive({ sampling: 2, syscalls: [SC.close, SC.clock_nanosleep, SC.fstat] });
    const types = new Map<number, number>();
    const child = Bun.spawn(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.1; done"]);
    child.exited.then(() => source.stop());
    do {
      while (source.next() === NEXT.EVENT) types.set(source.cursor.type, (types.get(source.cursor.type) ?? 0) + 1);
    } while (await source.more());
    const count = (t: number): number => types.get(t) ?? 0;
    expect(count(EV.DROP_E)).toBeGreaterThan(0);
    expect(Math.abs(count(EV.DROP_E) - count(EV.DROP_X))).toBeLessThanOrEqual(1);
    expect(count(EV.CLOSE_X)).toBeGreaterThan(12);
    expect(count(EV.FSTAT_X)).toBe(0);
    await source.close();
  });

  test("two sources see the same, each on its own", async () => {
    // Room for what the rest of the machine does meanwhile.
    const options = { syscalls: [SC.close], ringBytes: 128 << 20 };
    const one = await openLive(options);
    const two = await openLive(options);
    let first = 0;
    let second = 0;
    await under(one, 2, 500, () => {
      if (marked(one, 1000) >= 0) first++;
    });
    two.stop();
    do {
      while (two.next() === NEXT.EVENT) if (marked(two, 1000) >= 0) second++;
    } while (await two.more());
    expect([first, second]).toEqual([1000, 1000]);
    await one.close();
    await two.close();
  });

  test("closing twice, giving up a load, and statistics after the end", async () => {
    beginLive().cancel();
    const loading = beginLive({ syscalls: [SC.close] });
    const source = await loading.finish({ syscalls: [SC.getppid] });
    await source.close();
    await source.close();
    expect(source.next()).toBe(NEXT.END);
    expect(await source.more()).toBe(false);
    expect(source.stats().events).toBeGreaterThanOrEqual(0);
  });

  test("a ring size that is none is an error in one sentence", async () => {
    expect(openLive({ ringBytes: 1000 })).rejects.toThrow("ring size 1000: wanted a power of two");
  });
});
