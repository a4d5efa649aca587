// SPDX-License-Identifier: Apache-2.0
// Events with arbitrary parameters never make the state throw or grow beyond its bounds.
import { expect, test } from "bun:test";
import { EVENT_HEADER_SIZE, type EventCursor } from "../../lib/scap/cursor.ts";
import { type CaptureSource, NEXT } from "../../lib/scap/source.ts";
import { EVENT_LARGE, EVENTS, PARAM_SIZE } from "../../lib/schema/events.ts";
import { MAX_FDS } from "../../lib/sinsp/fd_table.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import type { ThreadGroup } from "../../lib/sinsp/thread_info.ts";
import { emptyState, MemorySource, processEntry } from "../support/events.ts";

/** Small reproducible generator (mulberry32). */
function generator(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Few values, so that events meet each other's threads and descriptors; some absurd ones. */
const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  5n,
  63n,
  64n,
  100n,
  101n,
  102n,
  103n,
  0xffffffffn,
  -1n,
  -2n,
  -115n,
  1n << 62n,
  -(1n << 63n),
];

/** Plays `count` random events that a source may deliver: their lengths fit, nothing else is sure. */
function chaos(seed: number, count: number): CaptureSource {
  const random = generator(seed);
  const pick = (n: number) => Math.floor(random() * n);
  const shell = [100, 101].map((tid) => processEntry({ tid, ptid: tid === 100 ? 101 : 100 }));
  const source = new MemorySource([{ state: emptyState({ processes: shell }), events: [] }]);
  const cursor: EventCursor = source.cursor;
  let left = count;
  const param = (type: number): Buffer => {
    const size = PARAM_SIZE[type] ?? 0;
    const shape = pick(10);
    if (shape === 0) return Buffer.alloc(0);
    if (shape === 1 || size === 0) {
      const texts = [
        "/",
        "..",
        "a/../b/",
        "x\0y\0",
        "\x02\x7f\0\0\x01",
        "\x01",
        "{}",
        "/".repeat(3000),
        "cpu=/docker/\0",
      ];
      if (pick(2) === 0) return Buffer.from(texts[pick(texts.length)] ?? "", "latin1");
      return Buffer.from(Array.from({ length: pick(48) }, () => (pick(3) === 0 ? pick(12) : pick(256))));
    }
    const b = Buffer.alloc(8);
    b.writeBigInt64LE(NUMBERS[pick(NUMBERS.length)] ?? 0n);
    return Buffer.from(b.subarray(0, Math.min(size, 8)));
  };
  source.next = () => {
    if (left-- === 0) return NEXT.END;
    const type = pick(EVENTS.length);
    const types = EVENTS[type]?.params ?? [];
    const params = types.slice(0, pick(8) === 0 ? pick(types.length + 1) : types.length).map((p) => param(p.type));
    const wide = EVENT_LARGE[type] === 1 ? 4 : 2;
    const lens = Buffer.alloc(params.length * wide);
    for (const [i, p] of params.entries()) lens.writeUIntLE(p.length, i * wide, wide);
    const bytes = Buffer.concat([Buffer.alloc(EVENT_HEADER_SIZE), lens, ...params]);
    cursor.unconverted();
    Object.assign(cursor, {
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      offset: 0,
      type,
      tid: [100, 101, 102, 103, 5, 0, -1, 2 ** 40][pick(8)],
      ts: cursor.ts + pick(1e6),
      num: cursor.num + 1,
      flags: pick(20) === 0 ? 1 : 0,
      nparams: params.length,
      legacyEnter: pick(4) === 0,
    });
    cursor.reset();
    return NEXT.EVENT;
  };
  return source;
}

for (const seed of [1, 2, 3, 4]) {
  test(`seed ${seed}: 20,000 random events are applied, the bounds hold`, () => {
    const insp = new Inspector(chaos(seed, 20_000), {
      maxThreads: 200,
      isAlive: (tid) => tid % 2 === 0,
      purgeIntervalNs: 1e9,
      purgeAfterNs: 1e9,
    });
    let events = 0;
    let read = 0;
    while (insp.next() === NEXT.EVENT) {
      events++;
      // What extractors read.
      const t = insp.thread;
      read += [insp.fd?.name, insp.fdNum, insp.rawres, t?.args.length, t?.env.length, t?.cwd, t?.containerId].length;
      if (t !== null) insp.leaderOf(t);
    }
    expect(events).toBe(20_000);
    expect(read).toBe(7 * events);
    const stats = insp.stats();
    expect(stats.threads).toBeLessThanOrEqual(200);
    const alive = new Map<ThreadGroup, number>();
    for (const t of insp.threads.values()) {
      expect(t.fds?.size ?? 0).toBeLessThanOrEqual(MAX_FDS);
      if (t.group !== null) alive.set(t.group, (alive.get(t.group) ?? 0) + (t.dead ? 0 : 1));
    }
    for (const [group, count] of alive) expect(group.alive).toBe(count);
    const again = new Inspector(new MemorySource([{ state: insp.snapshotState(), events: [] }]));
    expect(again.threads.size).toBeLessThanOrEqual(stats.threads);
  });
}
