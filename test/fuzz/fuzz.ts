// SPDX-License-Identifier: Apache-2.0
// Reads damaged captures all the way up to the state and checks that each ends in events or one clear error.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { copyCapture } from "../../lib/scap/copy.ts";
import { ScapFormatError } from "../../lib/scap/errors.ts";
import { gatherInfo } from "../../lib/scap/info.ts";
import { rawLine } from "../../lib/scap/raw.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { createCaptureWriter } from "../../lib/scap/writer.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import {
  block,
  cat,
  event,
  eventBlock,
  fdList,
  interfaceList,
  machineInfo,
  processEntry,
  sectionHeader,
  userList,
} from "../scap/build.ts";
import { HAS_SHARED, sharedPath } from "../support/shared.ts";
import { mutate, mutatePacked, Random } from "./mutate.ts";

/** Longest a damaged file may take, in ms. */
const TIME_LIMIT = 1000;
/** Resident memory that no file may bring the process to, in bytes. */
const MEMORY_LIMIT = 300 * 1024 * 1024;
/** Larger captures of the reference data would only slow the rounds down. */
const MAX_SEED_FILE = 600_000;

export interface Failure {
  round: number;
  from: string;
  done: string;
  what: string;
  bytes: Buffer;
}

export interface Summary {
  rounds: number;
  /** Files that were read to a regular end. */
  whole: number;
  /** Files that ended in a ScapFormatError. */
  refused: number;
  events: number;
  /** Longest file in ms, and greatest resident memory in bytes. */
  slowest: number;
  memory: number;
  failures: Failure[];
}

/** A capture with every block there is, for machines without the reference data. */
function everyBlock(): Buffer {
  const close = event({ type: "CLOSE_X", params: [0, 5] });
  const note = event({ type: "NOTIFICATION_E", params: ["id", "text"] });
  const read = event({ type: "READ_E", params: [3, 80], short: true });
  const readX = event({ type: "READ_X", params: [4, "data"], short: true });
  const open = event({ type: "OPENAT_2_X", params: [3, -100, "/etc/passwd", 1, 0, 2, 3] });
  const lists = [0x202, 0x207, 0x209, 0x210, 0x211, 0x212, 0x213, 0x214, 0x215].map((id, i) =>
    block(id, processEntry(i + 1)),
  );
  const events = [close, note, read, readX, open].flatMap((e) => [
    eventBlock(e, { version: 1 }),
    eventBlock(e, { version: 1, flags: 1 }),
    eventBlock(e),
    eventBlock(e, { flags: 0 }),
    eventBlock(e, { large: true }),
  ]);
  const state = [interfaceList(1), interfaceList(2), userList(1), userList(2), ...lists, fdList(1), fdList(2)];
  const section = cat(sectionHeader({ extra: Buffer.from("comment") }), machineInfo(), ...state, ...events);
  return cat(section, section);
}

/** Captures to damage, unpacked. */
export function seedCaptures(): [name: string, bytes: Buffer][] {
  const seeds: [string, Buffer][] = [["every block", everyBlock()]];
  if (!HAS_SHARED) return seeds;
  for (const dir of ["captures", "golden"]) {
    for (const name of readdirSync(sharedPath(dir))) {
      if (!/\.scap(\.gz)?$/.test(name) || name.startsWith("trunc-")) continue;
      const bytes = readFileSync(sharedPath(dir, name));
      const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
      if (plain.length <= MAX_SEED_FILE) seeds.push([name, plain]);
    }
  }
  return seeds;
}

/** The ways a file is used: what each does with all events. */
const USES: readonly ((path: string) => Promise<number>)[] = [
  async (path) => {
    const source = await openCapture(path);
    const inspector = new Inspector(source);
    try {
      do {
        for (let r = inspector.next(); r === NEXT.EVENT || r === NEXT.SECTION; r = inspector.next());
      } while (await inspector.more());
    } finally {
      await source.close();
    }
    return source.stats().events;
  },
  async (path) => {
    const source = await openCapture(path);
    let length = 0;
    try {
      do {
        for (let r = source.next(); r === NEXT.EVENT || r === NEXT.SECTION; r = source.next()) {
          if (r === NEXT.EVENT) length += rawLine(source.cursor).length;
        }
      } while (await source.more());
    } finally {
      await source.close();
    }
    if (length < 0) throw new Error("lines of negative length");
    return source.stats().events;
  },
  async (path) => {
    const source = await openCapture(path, { asRecorded: true });
    const writer = createCaptureWriter(`${path}.copy`);
    let damage: unknown = null;
    try {
      await copyCapture(source, writer);
    } catch (error) {
      damage = error;
    }
    await writer.close();
    await source.close();
    const again = await openCapture(`${path}.copy`, { asRecorded: true });
    const info = await gatherInfo(again);
    await again.close();
    if (info.damage !== null) throw new Error(`the copy is damaged: ${info.damage}`);
    if (info.events !== writer.events) throw new Error(`${writer.events} events copied, ${info.events} read`);
    if (damage !== null) throw damage;
    return source.stats().events;
  },
];

/** Uses a file; returns what is wrong with how that went, or null. */
export async function judge(path: string, use: number): Promise<{ wrong: string | null; events: number; ms: number }> {
  const start = performance.now();
  let wrong: string | null = null;
  let events = -1;
  try {
    events = await (USES[use % USES.length] as (path: string) => Promise<number>)(path);
  } catch (error) {
    if (!(error instanceof ScapFormatError))
      wrong = error instanceof Error ? (error.stack ?? error.message) : String(error);
    else if (error.message.includes("\n")) wrong = `a message of several lines: ${error.message}`;
  }
  return { wrong, events, ms: performance.now() - start };
}

/** Runs rounds `from` to `to` of a seed; `onRound` is told before each one. */
export async function fuzz(seed: number, from: number, to: number, onRound?: (n: number) => void): Promise<Summary> {
  const seeds = seedCaptures();
  const packed = seeds.flatMap(([name, bytes]): [string, Buffer][] => [
    [`${name} (gzip)`, gzipSync(bytes)],
    [`${name} (zstd)`, zstdCompressSync(bytes)],
  ]);
  const dir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "falco-fuzz-"));
  const summary: Summary = { rounds: 0, whole: 0, refused: 0, events: 0, slowest: 0, memory: 0, failures: [] };
  try {
    for (let round = from; round < to; round++) {
      onRound?.(round);
      const random = new Random(seed * 1_000_003 + round);
      const inPacked = random.below(8) === 0;
      const [name, original] = random.pick(inPacked ? packed : seeds);
      const { bytes, done } = inPacked ? mutatePacked(original, random) : mutate(original, random);
      const path = join(dir, "damaged.scap");
      writeFileSync(path, bytes);
      const use = random.below(USES.length);
      let { wrong, events, ms } = await judge(path, use);
      // A busy machine may stop a process for long: what counts is that it is slow again.
      if (ms > TIME_LIMIT) ms = Math.min(ms, (await judge(path, use)).ms);
      const memory = process.memoryUsage.rss();
      if (ms > TIME_LIMIT) wrong ??= `it took ${ms.toFixed(0)} ms`;
      if (memory > MEMORY_LIMIT) wrong ??= `memory went to ${(memory / 1e6).toFixed(0)} MB`;
      summary.rounds++;
      if (events >= 0) {
        summary.whole++;
        summary.events += events;
      } else summary.refused++;
      summary.slowest = Math.max(summary.slowest, ms);
      summary.memory = Math.max(summary.memory, memory);
      if (wrong !== null) summary.failures.push({ round, from: name, done, what: wrong, bytes });
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return summary;
}
