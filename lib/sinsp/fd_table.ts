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

/**
 * Descriptor number → FdInfo. Copies of a table share their FdInfo objects until one side changes one, so whoever
 * changes an FdInfo in place takes it from `own`.
 */
export class FdTable {
  private low: (FdInfo | undefined)[] = [];
  private high: Map<number, FdInfo> | null = null;
  private count = 0;
  /** True once two processes have the table in common (CLONE_FILES); exec and unshare then make a copy first. */
  shared = false;

  /** `counters.refusedFds` counts the inserts refused because the table was full. */
  constructor(private readonly counters: RefusedFds = { refusedFds: 0 }) {}

  get size(): number {
    return this.count;
  }

  get refused(): number {
    return this.counters.refusedFds;
  }

  get(fd: number): FdInfo | undefined {
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
    if (this.get(fd) === undefined) {
      if (this.count >= MAX_FDS) {
        this.counters.refusedFds++;
        return false;
      }
      this.count++;
    }
    this.put(fd, info);
    return true;
  }

  delete(fd: number): boolean {
    if (this.get(fd) === undefined) return false;
    this.count--;
    if (fd < LOW) this.low[fd] = undefined;
    else this.high?.delete(fd);
    return true;
  }

  clear(): void {
    this.low = [];
    this.high = null;
    this.count = 0;
  }

  *entries(): IterableIterator<[number, FdInfo]> {
    for (let fd = 0; fd < this.low.length; fd++) {
      const info = this.low[fd];
      if (info !== undefined) yield [fd, info];
    }
    if (this.high !== null) yield* this.high.entries();
  }

  /** Removes the descriptors for which `test` is true. */
  deleteIf(test: (fd: number, info: FdInfo) => boolean): void {
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
