// SPDX-License-Identifier: Apache-2.0
// The descriptors of one process, bounded.
import type { FdInfo } from "./fd_info.ts";

/** Most descriptors kept per process; further ones are refused and counted. */
export const MAX_FDS = 4096;

/** Counter of refused inserts that several tables share. */
export interface RefusedFds {
  refusedFds: number;
}

/** Descriptor number → FdInfo. */
export class FdTable {
  private readonly map = new Map<number, FdInfo>();
  /** True once two processes have the table in common (CLONE_FILES); exec and unshare then make a copy first. */
  shared = false;

  /** `counters.refusedFds` counts the inserts refused because the table was full. */
  constructor(private readonly counters: RefusedFds = { refusedFds: 0 }) {}

  get size(): number {
    return this.map.size;
  }

  get refused(): number {
    return this.counters.refusedFds;
  }

  get(fd: number): FdInfo | undefined {
    return this.map.get(fd);
  }

  /** Stores `info` under `fd`, replacing what was there. Returns false when the table is full. */
  set(fd: number, info: FdInfo): boolean {
    if (this.map.size >= MAX_FDS && !this.map.has(fd)) {
      this.counters.refusedFds++;
      return false;
    }
    this.map.set(fd, info);
    return true;
  }

  delete(fd: number): boolean {
    return this.map.delete(fd);
  }

  clear(): void {
    this.map.clear();
  }

  entries(): IterableIterator<[number, FdInfo]> {
    return this.map.entries();
  }

  /** Removes every descriptor for which `test` is true. */
  deleteIf(test: (fd: number, info: FdInfo) => boolean): void {
    for (const [fd, info] of this.map) if (test(fd, info)) this.map.delete(fd);
  }

  /** A copy whose descriptors are copies too (fork without CLONE_FILES). */
  clone(): FdTable {
    const copy = new FdTable(this.counters);
    for (const [fd, info] of this.map) copy.map.set(fd, info.copy());
    return copy;
  }
}
