// SPDX-License-Identifier: Apache-2.0
// The descriptors of one process, bounded.
import type { FdInfo } from "./fd_info.ts";

/** Most descriptors kept per process; further ones are refused and counted. */
export const MAX_FDS = 4096;
/** Descriptors below this number are in an array, the few others in a map. */
const LOW = 64;

/** Counter of refused inserts that several tables share. */
export interface RefusedFds {
  refusedFds: number;
}

/** What tells the time of the event that is being applied, in ns relative to the base time. */
export interface EventTime {
  readonly ts: number;
}

/** A descriptor as the machine had it at a time. */
interface Reading {
  info: FdInfo;
  ts: number;
}

/**
 * Descriptor number → FdInfo. What the machine was asked for (`learn`) is true from the moment at which it was asked: it replaces
 * what events from before have made of the descriptor, and is the best guess for as long as they have made nothing of it. Copies
 * of a table share their FdInfo objects until one side changes one, so whoever changes an FdInfo in place takes it from `own`.
 */
export class FdTable {
  private low: (FdInfo | undefined)[] = [];
  private high: Map<number, FdInfo> | null = null;
  private count = 0;
  /** True once two processes have the table in common (CLONE_FILES); exec and unshare then make a copy first. */
  shared = false;
  /** Readings of the machine that events have not come to yet; null when there are none. */
  private readings: Map<number, Reading> | null = null;
  private lastReading = Number.NEGATIVE_INFINITY;
  private time: EventTime | null = null;

  /** `counters.refusedFds` counts the inserts refused because the table was full. */
  constructor(private readonly counters: RefusedFds = { refusedFds: 0 }) {}

  get size(): number {
    return this.count;
  }

  get refused(): number {
    return this.counters.refusedFds;
  }

  get(fd: number): FdInfo | undefined {
    if (this.readings !== null) this.settle(fd);
    return this.at(fd);
  }

  private at(fd: number): FdInfo | undefined {
    if (fd < LOW) return this.low[fd];
    return this.high === null ? undefined : this.high.get(fd);
  }

  /** The descriptor for changing it in place. */
  own(fd: number): FdInfo | undefined {
    const info = this.get(fd);
    if (info === undefined || !info.frozen) return info;
    const copy = info.copy();
    this.put(fd, copy);
    return copy;
  }

  /** Takes in a descriptor as the machine had it at a time; `time` tells that of the events from now on. */
  learn(fd: number, info: FdInfo, readTs: number, time: EventTime): boolean {
    if (!this.set(fd, info)) return false;
    info.frozen = true;
    this.readings ??= new Map();
    this.readings.set(fd, { info, ts: readTs });
    this.lastReading = Math.max(this.lastReading, readTs);
    this.time = time;
    return true;
  }

  /** True when what is known of a descriptor is what the machine said after the present event: it may have been another one. */
  isGuess(fd: number): boolean {
    if (this.readings === null) return false;
    this.settle(fd);
    const reading = this.readings?.get(fd);
    return reading !== undefined && reading.info === this.at(fd);
  }

  /** True when the machine will have told of a descriptor after the present event. */
  hasReading(fd: number): boolean {
    return this.readings?.has(fd) === true;
  }

  /** Brings a descriptor to what it is at the present event. */
  private settle(fd: number): void {
    const ts = this.time?.ts ?? Number.POSITIVE_INFINITY;
    if (ts > this.lastReading) this.settleAll();
    else {
      const reading = this.readings?.get(fd);
      if (reading !== undefined && reading.ts <= ts) this.impose(fd, reading);
    }
  }

  private impose(fd: number, { info }: Reading): void {
    this.readings?.delete(fd);
    this.store(fd, info);
  }

  /** Brings all to what they are at the present event. */
  private settleDue(): void {
    if (this.readings === null) return;
    const ts = this.time?.ts ?? Number.POSITIVE_INFINITY;
    for (const [fd, reading] of this.readings) if (reading.ts <= ts) this.impose(fd, reading);
  }

  /** Brings all to what the machine said: no event will come that is older. */
  settleAll(): void {
    const { readings } = this;
    if (readings === null) return;
    this.readings = null;
    this.time = null;
    for (const [fd, { info }] of readings) this.store(fd, info);
  }

  private put(fd: number, info: FdInfo): void {
    if (fd < LOW) {
      const low = this.low;
      while (low.length < fd) low.push(undefined);
      low[fd] = info;
    } else {
      this.high ??= new Map();
      this.high.set(fd, info);
    }
  }

  /** Stores `info` under `fd` (an integer ≥ 0), replacing what was there. Returns false when the table is full. */
  set(fd: number, info: FdInfo): boolean {
    if (fd < 0) return false;
    if (this.readings !== null) this.settle(fd);
    return this.store(fd, info);
  }

  private store(fd: number, info: FdInfo): boolean {
    if (this.at(fd) === undefined) {
      if (this.count >= MAX_FDS) {
        this.counters.refusedFds++;
        return false;
      }
      this.count++;
    }
    this.put(fd, info);
    return true;
  }

  /** Removes what `get` gave at an event, if need be at a later one: what the machine said of the time between stays. */
  delete(fd: number): boolean {
    if (this.at(fd) === undefined) return false;
    this.count--;
    if (fd < LOW) this.low[fd] = undefined;
    else this.high?.delete(fd);
    return true;
  }

  clear(): void {
    this.low = [];
    this.high = null;
    this.count = 0;
    this.readings = null;
  }

  *entries(): IterableIterator<[number, FdInfo]> {
    this.settleDue();
    for (let fd = 0; fd < this.low.length; fd++) {
      const info = this.low[fd];
      if (info !== undefined) yield [fd, info];
    }
    if (this.high !== null) yield* this.high.entries();
  }

  /** Removes the descriptors for which `test` is true. */
  deleteIf(test: (fd: number, info: FdInfo) => boolean): void {
    this.settleDue();
    const low = this.low;
    for (let fd = 0; fd < low.length; fd++) {
      const info = low[fd];
      if (info === undefined || !test(fd, info)) continue;
      low[fd] = undefined;
      this.count--;
    }
    if (this.high === null) return;
    for (const [fd, info] of this.high) if (test(fd, info)) this.delete(fd);
  }

  /** A copy (fork without CLONE_FILES). */
  clone(): FdTable {
    this.settleDue();
    const copy = new FdTable(this.counters);
    for (const info of this.low) if (info !== undefined) info.frozen = true;
    copy.low = this.low.slice();
    if (this.high !== null && this.high.size > 0) {
      for (const info of this.high.values()) info.frozen = true;
      copy.high = new Map(this.high);
    }
    copy.count = this.count;
    return copy;
  }
}
