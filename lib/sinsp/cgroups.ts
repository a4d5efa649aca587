// SPDX-License-Identifier: Apache-2.0
// Sets of cgroups, shared between the threads that have the same.
import { type ContainerMatch, matchContainer } from "./container_id.ts";

/** The cgroups of a thread. Threads with equal cgroups share one object. */
export class Cgroups {
  private split: readonly string[] | null = null;
  private match: ContainerMatch | null = null;

  /** `raw`: `subsystem=path` strings, NUL between them, as events have them. */
  constructor(readonly raw: string) {}

  /** `subsystem=path` strings; the unified hierarchy's "io" bears its older name "blkio". */
  get list(): readonly string[] {
    this.split ??= this.raw
      .split("\0")
      .filter((s) => s !== "")
      .map((s) => (s.startsWith("io=") ? `blk${s}` : s));
    return this.split;
  }

  /** Container the cgroups belong to: short id ("host" outside of containers) and full id ("" when unknown). */
  get container(): ContainerMatch {
    this.match ??= matchContainer(this.list);
    return this.match;
  }
}

/** No cgroups known. */
export const NO_CGROUPS = new Cgroups("");

/** Most distinct sets remembered; when full the memory starts anew (sets in use stay with their threads). */
const MAX_SETS = 8192;

/** Finds the shared object of a set of cgroups. */
export class CgroupPool {
  private readonly sets = new Map<string, Cgroups>([["", NO_CGROUPS]]);

  get(raw: string): Cgroups {
    let set = this.sets.get(raw);
    if (set === undefined) {
      if (this.sets.size >= MAX_SETS) this.sets.clear();
      set = new Cgroups(raw);
      this.sets.set(raw, set);
    }
    return set;
  }
}
