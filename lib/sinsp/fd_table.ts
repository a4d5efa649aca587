// SPDX-License-Identifier: Apache-2.0
// The descriptors of one process, bounded.
import { FdInfo } from "./fd_info.ts";

/** Most descriptors kept per process; further ones are refused and counted. */
export const MAX_FDS = 4096;

/** Descriptor number → FdInfo. */
export class FdTable {
  private readonly map = new Map<number, FdInfo>();
  /** Inserts refused because the table was full. */
  refused = 0;

  get size(): number {
    return this.map.size;
  }

  get(fd: number): FdInfo | undefined {
    return this.map.get(fd);
  }

  /** Stores `info` under `fd`, replacing what was there. Returns false when the table is full. */
  set(fd: number, info: FdInfo): boolean {
    if (this.map.size >= MAX_FDS && !this.map.has(fd)) {
      this.refused++;
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

  /** A copy whose descriptors are copies too (fork without CLONE_FILES). */
  clone(): FdTable {
    const copy = new FdTable();
    for (const [fd, info] of this.map) copy.map.set(fd, Object.assign(new FdInfo(), info));
    return copy;
  }
}
