// SPDX-License-Identifier: Apache-2.0
// What a trace file holds: machine, state, blocks, events by type and the time they span.
import { EVENTS } from "../schema/events.ts";
import { BLOCK_TYPES } from "./blocks.ts";
import { toText } from "./bytes.ts";
import type { PassOptions } from "./copy.ts";
import type { FileSource } from "./reader.ts";
import { hex } from "./section.ts";
import { FD_TYPE, NEXT } from "./source.ts";

/** One section of a capture; concatenated captures have several. */
export interface SectionInfo {
  /** Version of the file format, such as "1.2". */
  format: string;
  hostname: string;
  cpus: number;
  memoryBytes: number;
  maxPid: number;
  /** Boot time as ISO 8601 with nanoseconds; null when it is unknown. */
  bootTime: string | null;
  processes: number;
  threads: number;
  descriptors: number;
  descriptorsByType: Record<string, number>;
  interfaces: number;
  users: number;
  groups: number;
  events: number;
  /** Times of the earliest and latest event, ISO 8601 with nanoseconds; null without events. */
  firstEvent: string | null;
  lastEvent: string | null;
  /** Seconds between them. */
  duration: number;
}

/** Plain data about a capture. */
export interface CaptureInfo {
  file: string;
  packing: string;
  sections: SectionInfo[];
  /** Blocks by type and version, in the order of first appearance. */
  blocks: { id: string; name: string; count: number }[];
  events: number;
  /** Events of types that this version does not know. */
  unknownEvents: number;
  /** As recorded, most frequent first. */
  eventsByType: { id: number; name: string; direction: ">" | "<"; count: number }[];
  /** What is wrong with the file; null when it is whole. */
  damage: string | null;
}

const FD_TYPE_NAMES = new Map<number, string>(
  Object.entries(FD_TYPE).map(([name, type]) => [type, name.toLowerCase()]),
);

/** ns since the epoch → `2024-05-01T12:00:00.123456789Z`. */
export function isoTime(ns: bigint): string {
  const ms = Number(ns / 1_000_000n);
  if (!(ms <= 8.64e15)) return `${ns} ns`;
  const seconds = new Date(ms).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, "0")}Z`;
}

function describeSection(source: FileSource): SectionInfo {
  const { machine, state } = source;
  const byType: Record<string, number> = {};
  let descriptors = 0;
  for (const list of state.fds.values()) {
    for (const fd of list) {
      const name = FD_TYPE_NAMES.get(fd.type) ?? String(fd.type);
      byType[name] = (byType[name] ?? 0) + 1;
      descriptors++;
    }
  }
  // A list may name a thread twice; the later entry replaces the former.
  const leaders = new Set<number>();
  const threads = new Set<number>();
  for (const p of state.processes) {
    threads.add(p.tid);
    if (p.tid === p.pid) leaders.add(p.tid);
  }
  return {
    format: `1.${source.minor}`,
    hostname: toText(machine.hostname),
    cpus: machine.numCpus,
    memoryBytes: machine.memorySize,
    maxPid: machine.maxPid,
    bootTime: machine.bootTime === 0n ? null : isoTime(machine.bootTime),
    processes: leaders.size,
    threads: threads.size,
    descriptors,
    descriptorsByType: byType,
    interfaces: state.interfaces.length,
    users: state.users.length,
    groups: state.groups.length,
    events: 0,
    firstEvent: null,
    lastEvent: null,
    duration: 0,
  };
}

/** Counts of one pass over a capture. */
class Tally {
  readonly sections: SectionInfo[] = [];
  readonly types = new Float64Array(EVENTS.length);
  readonly blocks = new Map<number, number>();
  private readonly source: FileSource;
  private section: SectionInfo;
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;

  constructor(source: FileSource) {
    this.source = source;
    this.section = this.begin();
  }

  private begin(): SectionInfo {
    const section = describeSection(this.source);
    this.sections.push(section);
    for (const [id, count] of this.source.blocks) this.blocks.set(id, (this.blocks.get(id) ?? 0) + count);
    this.low = Number.POSITIVE_INFINITY;
    this.high = Number.NEGATIVE_INFINITY;
    return section;
  }

  /** Ends the section whose base time is `base` (ns since the epoch). */
  finish(base: bigint): void {
    if (this.section.events === 0) return;
    this.section.firstEvent = isoTime(base + BigInt(Math.round(this.low)));
    this.section.lastEvent = isoTime(base + BigInt(Math.round(this.high)));
    this.section.duration = (this.high - this.low) / 1e9;
  }

  /** Walks what is in memory; true: a further section began. */
  walk(): boolean {
    const { source, types, section } = this;
    const { cursor } = source;
    let { low, high } = this;
    let blockId = -1;
    let run = 0;
    let events = 0;
    let result = source.next();
    for (; result === NEXT.EVENT; result = source.next()) {
      types[cursor.type]!++;
      events++;
      if (cursor.ts < low) low = cursor.ts;
      if (cursor.ts > high) high = cursor.ts;
      if (source.blockId !== blockId) {
        if (run > 0) this.blocks.set(blockId, (this.blocks.get(blockId) ?? 0) + run);
        blockId = source.blockId;
        run = 0;
      }
      run++;
    }
    if (run > 0) this.blocks.set(blockId, (this.blocks.get(blockId) ?? 0) + run);
    section.events += events;
    this.low = low;
    this.high = high;
    return result === NEXT.SECTION;
  }

  next(): void {
    this.section = this.begin();
  }
}

/**
 * Reads all of `source` (opened with `asRecorded`) and tells what it holds. Damage does not throw: it is in `damage`,
 * and all before it is counted.
 */
export async function gatherInfo(source: FileSource, options: PassOptions = {}): Promise<CaptureInfo> {
  const more = options.more ?? (() => source.more());
  const tally = new Tally(source);
  let damage: string | null = null;
  let base = source.baseTime;
  try {
    do {
      while (tally.walk()) {
        tally.finish(base);
        tally.next();
        base = source.baseTime;
      }
      options.onBatch?.();
    } while (await more());
  } catch (error) {
    damage = error instanceof Error ? error.message : String(error);
  }
  tally.finish(base);
  const eventsByType = EVENTS.map((e) => ({
    id: e.id,
    name: e.name,
    direction: (e.id & 1) === 0 ? (">" as const) : ("<" as const),
    count: tally.types[e.id] ?? 0,
  }));
  return {
    file: source.name,
    packing: source.packing,
    sections: tally.sections,
    blocks: [...tally.blocks].map(([id, count]) => ({
      id: hex(id),
      name: BLOCK_TYPES.get(id)?.name ?? "unknown",
      count,
    })),
    events: tally.sections.reduce((sum, s) => sum + s.events, 0),
    unknownEvents: source.unknownEvents,
    eventsByType: eventsByType.filter((e) => e.count > 0).sort((a, b) => b.count - a.count || a.id - b.id),
    damage,
  };
}
