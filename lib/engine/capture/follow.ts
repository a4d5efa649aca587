// SPDX-License-Identifier: Apache-2.0
// Follows one process and all that descends from it.
import { EV } from "../../schema/tables/enums.ts";
import type { Context } from "../../sinsp/inspector.ts";

/** Most threads followed at a time; further ones are taken for strangers. */
const MAX_FOLLOWED = 1_000_000;

/**
 * A filter that lets the events of a process and its descendants through, from the process's first successful execve on:
 * what is before that is the doing of the program that starts it.
 */
export class Follower {
  private readonly tids = new Set<number>();
  private begun = false;

  constructor(private readonly pid: number) {
    this.tids.add(pid);
  }

  private begins(ctx: Context): boolean {
    const { tid, type } = ctx.ev;
    if (tid !== this.pid || (type !== EV.EXECVE_19_X && type !== EV.EXECVEAT_X)) return false;
    this.begun = ctx.rawres === 0;
    return this.begun;
  }

  /** True when the event belongs to the process or a descendant. Must see every event, in order. */
  matches(ctx: Context): boolean {
    if (!this.begun) return this.begins(ctx);
    const { tid, type } = ctx.ev;
    const known = this.tids.has(tid);
    // The number of a thread that ended may be given to a stranger; the first process is wanted to its end.
    if (known) {
      if (type === EV.PROCEXIT_1_E) this.tids.delete(tid);
      return true;
    }
    const thread = ctx.thread;
    if (thread === null || !(this.tids.has(thread.pid) || this.tids.has(thread.ptid))) return false;
    if (this.tids.size < MAX_FOLLOWED) this.tids.add(tid);
    return true;
  }
}
