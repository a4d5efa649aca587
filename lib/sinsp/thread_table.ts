// SPDX-License-Identifier: Apache-2.0
// All threads known, their groups and their parents; bounded.
import { FdTable, type RefusedFds } from "./fd_table.ts";
import { ThreadGroup, type ThreadInfo } from "./thread_info.ts";

/** Most threads kept unless told otherwise. */
export const MAX_THREADS = 262_144;
/** Threads that are found without the map. */
const LATELY = 256;
/** Threads that exited lately are remembered in a ring of this many … */
const EXITED_RING = 8192;
/** … for this long (ns). */
const EXITED_NS = 2e9;

/** Links threads by id, by process and by parent. */
export class ThreadTable {
  private readonly map = new Map<number, ThreadInfo>();
  private readonly groups = new Map<number, ThreadGroup>();
  /** Threads looked up lately, each at the lowest bits of its id. */
  private readonly lately: (ThreadInfo | undefined)[] = new Array(LATELY).fill(undefined);
  private readonly exitedTid = new Float64Array(EXITED_RING).fill(-1);
  private readonly exitedPtid = new Float64Array(EXITED_RING).fill(-1);
  private readonly exitedTs = new Float64Array(EXITED_RING);
  private exitedAt = 0;
  /** Threads refused because the table was full. */
  refused = 0;

  constructor(
    private readonly counters: RefusedFds,
    readonly limit: number = MAX_THREADS,
  ) {}

  get size(): number {
    return this.map.size;
  }

  get(tid: number): ThreadInfo | undefined {
    const lately = this.lately[tid & (LATELY - 1)];
    if (lately !== undefined && lately.tid === tid) return lately;
    const thread = this.map.get(tid);
    if (thread !== undefined) this.lately[tid & (LATELY - 1)] = thread;
    return thread;
  }

  values(): IterableIterator<ThreadInfo> {
    return this.map.values();
  }

  /**
   * Adds a thread whose `tid`, `pid`, `ptid` are set, replacing one of the same id. Joins its group (taking over the
   * group's descriptors when it has none of its own) and its parent's children. False when the table is full.
   */
  add(thread: ThreadInfo): boolean {
    const old = this.map.get(thread.tid);
    if (old !== undefined) this.evict(old);
    else if (this.map.size >= this.limit) {
      this.refused++;
      return false;
    }
    this.map.set(thread.tid, thread);
    this.join(thread);
    this.adopt(thread, thread.ptid);
    return true;
  }

  /** Puts a thread into the group of its `pid`. */
  private join(thread: ThreadInfo): void {
    let group = this.groups.get(thread.pid);
    if (group === undefined) {
      group = new ThreadGroup(thread.pid);
      // Threads of unknown processes have nothing in common.
      if (thread.pid >= 0) this.groups.set(thread.pid, group);
    }
    thread.group = group;
    group.alive++;
    const elder = group.leader ?? group.others?.values().next().value;
    if (elder !== undefined) {
      thread.fds ??= elder.fds;
      if (thread !== elder && thread.fs.cwd === "") thread.fs = elder.fs;
    }
    thread.fds ??= new FdTable(this.counters);
    if (thread.tid === thread.pid) group.leader = thread;
    else {
      group.others ??= new Set();
      group.others.add(thread);
    }
  }

  private leave(thread: ThreadInfo): void {
    const group = thread.group;
    if (group === null) return;
    if (!thread.dead) {
      thread.dead = true;
      group.alive--;
    }
    if (group.leader === thread) group.leader = null;
    else group.others?.delete(thread);
    const empty = group.leader === null && (group.others === null || group.others.size === 0);
    if (empty && group.pid >= 0) this.groups.delete(group.pid);
  }

  /** Makes `ptid` the parent of a thread in the table. */
  adopt(thread: ThreadInfo, ptid: number): void {
    if (thread.ptid !== ptid) this.map.get(thread.ptid)?.children?.delete(thread.tid);
    thread.ptid = ptid;
    const parent = this.map.get(ptid);
    if (parent === undefined || parent === thread) return;
    parent.children ??= new Set();
    parent.children.add(thread.tid);
  }

  /** Marks a thread as gone; it stays in the table until `remove`. */
  markDead(thread: ThreadInfo): void {
    if (thread.dead) return;
    thread.dead = true;
    if (thread.group !== null) thread.group.alive--;
  }

  /** Brings a dead leader back (exec by another thread of its group). */
  revive(thread: ThreadInfo): void {
    if (!thread.dead) return;
    thread.dead = false;
    if (thread.group !== null) thread.group.alive++;
  }

  /**
   * Takes a thread out of the table at time `ts` (ns, relative). Its children go to the reaper. A leader whose group
   * still lives stays as a dead entry; the last thread of a group takes a dead leader along.
   */
  remove(tid: number, ts: number): void {
    const thread = this.map.get(tid);
    if (thread === undefined) return;
    const group = thread.group;
    this.markDead(thread);
    this.reparent(thread);
    if (group !== null && group.leader === thread && group.alive > 0) return;
    this.drop(thread, ts);
    const leader = group === null ? null : group.leader;
    if (leader?.dead && group?.alive === 0) {
      this.reparent(leader);
      this.drop(leader, ts);
    }
  }

  /** Takes out a thread whose id has a new owner; with a leader goes its whole group. */
  private evict(thread: ThreadInfo): void {
    const group = thread.group;
    if (group !== null && group.leader === thread) {
      for (const other of [...(group.others ?? [])]) this.drop(other, Number.NaN);
    }
    this.reparent(thread);
    this.drop(thread, Number.NaN);
  }

  /** `ts` NaN: not remembered as an exit. */
  private drop(thread: ThreadInfo, ts: number): void {
    this.map.delete(thread.tid);
    this.map.get(thread.ptid)?.children?.delete(thread.tid);
    this.leave(thread);
    const slot = thread.tid & (LATELY - 1);
    if (this.lately[slot] === thread) this.lately[slot] = undefined;
    if (Number.isNaN(ts)) return;
    const at = this.exitedAt;
    this.exitedTid[at] = thread.tid;
    this.exitedPtid[at] = thread.ptid;
    this.exitedTs[at] = ts;
    this.exitedAt = (at + 1) % EXITED_RING;
  }

  private reparent(thread: ThreadInfo): void {
    const children = thread.children;
    if (children === null || children.size === 0) return;
    const named = thread.reaperTid > 0 ? this.map.get(thread.reaperTid) : undefined;
    const reaper = named !== undefined && !named.invalid && named !== thread ? named : this.findReaper(thread);
    thread.children = null;
    for (const tid of children) {
      const child = this.map.get(tid);
      if (child === undefined || child.ptid !== thread.tid) continue;
      child.ptid = -1;
      this.adopt(child, reaper === undefined ? 0 : reaper.tid);
    }
  }

  /** The kernel's choice: a living thread of the group, else the nearest subreaper above in the same pid namespace, else init. */
  private findReaper(thread: ThreadInfo): ThreadInfo | undefined {
    const group = thread.group;
    if (group !== null && group.alive > 0) {
      if (group.leader !== null && !group.leader.dead && group.leader !== thread) return group.leader;
      for (const other of group.others ?? []) if (!other.dead && other !== thread) return other;
    }
    let at = this.map.get(thread.ptid);
    for (let steps = 0; at !== undefined && steps < 1000; steps++) {
      const inNamespace = at.pidnsInitStart === thread.pidnsInitStart;
      if (!inNamespace) break;
      if (at.group?.subreaper === true && at.group.alive > 0) {
        const leader: ThreadInfo | null = at.group.leader;
        return leader === null || leader.dead ? at : leader;
      }
      const up: ThreadInfo | undefined = this.map.get(at.ptid);
      if (up === at) break;
      at = up;
    }
    const init = this.map.get(1);
    return init === thread ? undefined : init;
  }

  /** True when the thread left the table less than two seconds before `ts`. */
  exitedLately(tid: number, ptid: number, ts: number): boolean {
    for (let i = 0; i < EXITED_RING; i++) {
      const at = (this.exitedAt - 1 - i + EXITED_RING) % EXITED_RING;
      if (ts - (this.exitedTs[at] as number) > EXITED_NS || this.exitedTid[at] === -1) return false;
      if (this.exitedTid[at] === tid && this.exitedPtid[at] === ptid) return true;
    }
    return false;
  }

  clear(): void {
    this.map.clear();
    this.groups.clear();
    this.lately.fill(undefined);
    this.exitedTid.fill(-1);
    this.exitedAt = 0;
  }
}
