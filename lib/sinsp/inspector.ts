// SPDX-License-Identifier: Apache-2.0
// The state engine: takes events from a source, keeps threads and descriptors true, offers the current event's context.
import { noInline } from "bun:jsc";
import type { EventCursor } from "../scap/cursor.ts";
import { EVENT_FLAG } from "../scap/cursor.ts";
import type {
  CaptureSource,
  FdEntry,
  GroupEntry,
  InitialState,
  InterfaceEntry,
  MachineInfo,
  ProcessEntry,
  Selection,
  UserEntry,
} from "../scap/source.ts";
import { MEET, NEXT } from "../scap/source.ts";
import { EVENT_FD_PARAM, EVENT_FLAGS, EVENT_HAS_RETURN, EVENTS } from "../schema/events.ts";
import { EC, EF, EV } from "../schema/tables/enums.ts";
import { CgroupPool } from "./cgroups.ts";
import type { ContainerInfo } from "./container_info.ts";
import { ContainerTable } from "./containers.ts";
import type { Context } from "./context.ts";
import type { FdInfo } from "./fd_info.ts";
import { FdTable } from "./fd_table.ts";
import type { Handler } from "./handlers/handler.ts";
import { descriptorTypes, HANDLERS, HANDLERS_WITHOUT_FIGURES, handledTypes } from "./handlers/index.ts";
import type { InspectorOptions, InspectorStats } from "./options.ts";
import { joinPath } from "./path.ts";
import { Questions } from "./questions.ts";
import { entryOf, fdEntryOf, fdOf, fixRoles, serverPortsOf, threadOf } from "./seed.ts";
import type { ThreadInfo } from "./thread_info.ts";
import { ThreadInfo as Thread } from "./thread_info.ts";
import { MAX_THREADS, ThreadTable } from "./thread_table.ts";
import { UserTable } from "./users.ts";

export type { Context, ThreadContext } from "./context.ts";
export type { InspectorOptions, InspectorStats, MissingThread, ThreadCondition } from "./options.ts";

/** Events that carry no thread. */
const NO_THREAD = Uint8Array.from(EVENTS, (e) =>
  (e.flags & EF.SKIPPARSERESET) !== 0 ||
  (e.kind & (EC.PLUGIN | EC.METAEVENT)) !== 0 ||
  e.id === EV.ASYNCEVENT_E ||
  e.id === EV.CONTAINER_JSON_2_E
    ? 1
    : 0,
);
NO_THREAD[EV.PROCINFO_E] = 0;
// Page faults belong to the thread that faults, although they need no parsing.
NO_THREAD[EV.PAGE_FAULT_E] = 0;

/** Events kept from users unless they ask: internal ones, and those that only carry users, groups or containers. */
const INTERNAL = Uint8Array.from(EVENTS, (e) =>
  e.category === EC.INTERNAL ||
  e.id === EV.CONTAINER_JSON_2_E ||
  (e.id >= EV.USER_ADDED_E && e.id <= EV.GROUP_DELETED_X)
    ? 1
    : 0,
);
/** 1 for enter events of system calls. */
const IS_ENTER = Uint8Array.from(EVENTS, (e) => ((e.kind & EC.SYSCALL) !== 0 && (e.id & 1) === 0 ? 1 : 0));
/** 1 for exit events of system calls. */
const IS_EXIT = Uint8Array.from(EVENTS, (e) => ((e.kind & EC.SYSCALL) !== 0 && (e.id & 1) === 1 ? 1 : 0));
const USES_FD = Uint8Array.from(EVENT_FLAGS, (f) => (f & EF.USES_FD ? 1 : 0));

/** The types that are looked at whatever their thread, or that the state needs, by event id. */
function neededTypes(options: InspectorOptions & { wanted: Uint8Array }, handlers: readonly Handler[]): Uint8Array {
  const handled = handledTypes(handlers);
  const internal = options.internal === true ? 1 : 0;
  const optional = options.threads?.types;
  return options.wanted.map((w, id) => {
    if (handled[id] === 1) return 1;
    return INTERNAL[id] === 1 ? internal : optional?.[id] === 1 ? 0 : w;
  });
}

/** fdNum not worked out yet. */
const LAZY = -2;

/** Keeps the state and is the Context of the event under the source's cursor. */
export class Inspector implements Context {
  readonly ev: EventCursor;
  thread: ThreadInfo | null = null;
  fdNameChanged = false;
  prevTs = Number.NaN;
  firstTs = Number.NaN;
  enterTs = Number.NaN;
  interfaces: readonly InterfaceEntry[] = [];
  /** True for events that are applied to the state but not shown: internal and state-only ones. */
  hidden = false;
  /** Set by a handler that asks for the end (a CPU came or went): the reason. */
  abortReason = "";
  /** Handlers: relative time of the last context switch, by CPU. */
  readonly switchTs: number[] = [];
  readonly threads: ThreadTable;
  readonly users = new UserTable();
  readonly containers = new ContainerTable();
  readonly cgroupPool = new CgroupPool();
  /** Ports that servers are bound to, for the roles of connections learned from lists. */
  readonly serverPorts = new Set<number>();
  readonly counters = { refusedFds: 0, unknownThreads: 0, healedThreads: 0, purgedThreads: 0 };

  private deliveredTs = Number.NaN;
  private base: bigint;
  private theFdNum = LAZY;
  private theFd: FdInfo | null = null;
  private closingTable: FdTable | null = null;
  private closingFd = -1;
  private exiting: ThreadInfo | null = null;
  private pending = false;
  private generation = 0;
  /**
   * Old captures are numbered as their readers number them, which do not count the events that carry users and groups.
   * The lists of their writers have no process groups.
   */
  private olderWriter = false;
  private uncounted = 0;
  private purgeAt = Number.POSITIVE_INFINITY;
  private readonly questions: Questions;
  private readonly askedContainers = new Set<string>();
  private readonly handlers: readonly Handler[];
  /** What to ask the source for; null = all events. */
  private readonly selection: Selection | null;

  constructor(
    readonly source: CaptureSource,
    private readonly opts: InspectorOptions = {},
  ) {
    this.ev = source.cursor;
    this.base = source.baseTime;
    this.questions = new Questions(opts);
    this.handlers = opts.figures === false ? HANDLERS_WITHOUT_FIGURES : HANDLERS;
    const { wanted } = opts;
    this.selection =
      wanted === undefined
        ? null
        : {
            wanted: neededTypes({ ...opts, wanted }, this.handlers),
            harmless: descriptorTypes(this.handlers),
            meet: (tid, type) => this.meet(tid, type),
          };
    this.threads = new ThreadTable(this.counters, opts.maxThreads ?? MAX_THREADS);
    this.seed(source.state);
  }

  /** What happened so far was not shown to anybody: the next event is the first. */
  forgetEvents(): void {
    this.firstTs = Number.NaN;
    this.deliveredTs = Number.NaN;
    for (const thread of this.threads.values()) thread.fds?.settleAll();
  }

  /** An event whose type nobody wants tells of its thread all the same, and may be wanted because of it. */
  private meet(tid: number, type: number): number {
    const { threads } = this.opts;
    const asked = threads !== undefined && threads.types[type] === 1;
    if (NO_THREAD[type] === 1) return asked ? MEET.DELIVER : MEET.PASS;
    const thread = this.lookup(tid, type);
    if (threads !== undefined) {
      this.thread = thread;
      if (threads.matches(this)) return asked ? MEET.DELIVER : MEET.PASS;
    }
    return thread === null ? MEET.PASS : MEET.KNOWN;
  }

  /** Events that were counted and not delivered, because nobody wants their types. */
  get passedOver(): number {
    return this.source.passedOver ?? 0;
  }

  get machine(): MachineInfo {
    return this.source.machine;
  }

  get baseTime(): bigint {
    return this.source.baseTime;
  }

  /**
   * Moves to the next event and applies it. Returns a NEXT code; at SECTION the state has been thrown away and seeded
   * anew, so callers just go on.
   */
  next(): number {
    if (this.pending) this.flush();
    const code = this.source.next();
    if (code !== NEXT.EVENT) {
      if (code === NEXT.SECTION) this.restart();
      return code;
    }
    this.apply();
    return code;
  }

  /** Waits for more events; see CaptureSource.more. */
  more(): Promise<boolean> {
    return this.source.more();
  }

  /** Applies the event under the cursor. */
  private apply(): void {
    const ev = this.ev;
    const type = ev.type;
    const ts = ev.ts;
    this.prevTs = this.deliveredTs;
    this.hidden = INTERNAL[type] === 1 || (ev.flags & EVENT_FLAG.STATE_ONLY) !== 0;
    // Statistics events start the clock too, although they are not shown.
    if (Number.isNaN(this.firstTs) && (!this.hidden || type === EV.PROCINFO_E)) {
      this.firstTs = ts;
      if (this.selection !== null) this.source.choose?.(this.selection);
    }
    if (!this.hidden) {
      this.deliveredTs = ts;
    } else if (this.olderWriter && type >= EV.USER_ADDED_E && type <= EV.GROUP_DELETED_X) this.uncounted++;
    if (this.uncounted > 0) ev.num -= this.uncounted;
    this.theFdNum = LAZY;
    this.theFd = null;
    this.fdNameChanged = false;
    this.enterTs = Number.NaN;
    const handler = this.handlers[type]!;
    if (NO_THREAD[type] === 1) {
      this.thread = null;
    } else {
      const thread = this.lookup(ev.tid, type);
      this.thread = thread;
      if (thread !== null) {
        if (IS_ENTER[type] === 1) {
          thread.lastEnterType = ev.recordedType < 0 ? type : ev.recordedType;
          thread.lastEnterTs = ts;
          thread.enter = null;
        } else if (thread.lastEnterType >= 0 && IS_EXIT[type] === 1) {
          const recorded = ev.recordedType < 0 ? type : ev.recordedType;
          if (thread.lastEnterType === recorded - 1) this.enterTs = thread.lastEnterTs;
          else thread.enter = null;
          thread.lastEnterType = -1;
        }
        thread.lastEventTs = ts;
      }
    }
    handler(this, ev);
    if (ts >= this.purgeAt) this.purge(ts);
  }

  private lookup(tid: number, type: number): ThreadInfo | null {
    const thread = this.threads.get(tid);
    if (thread !== undefined) {
      return thread.generation === this.generation ? thread : this.recheck(thread);
    }
    if (tid < 0) return null;
    // A child's own clone event brings all there is to know.
    if (type === EV.CLONE_20_X || type === EV.CLONE3_X || type === EV.FORK_20_X || type === EV.VFORK_20_X) {
      if (this.rawres === 0) return null;
    }
    // Processors' idle threads, and threads whose own events will tell; statistics are of all threads of a machine.
    if (type === EV.SCHEDSWITCH_6_E || type === EV.PROCEXIT_1_E || type === EV.PAGE_FAULT_E) return null;
    if (type === EV.PROCINFO_E) return null;
    this.counters.unknownThreads++;
    return this.heal(tid) ?? this.stub(tid);
  }

  /** Handlers: asks the machine for a descriptor of the event's process, of which the event does not tell all. */
  askFd(fd: number): void {
    const thread = this.thread;
    const found = thread === null ? undefined : this.questions.fd(thread.pid, fd, this.ev.ts);
    if (thread !== null && found !== undefined) this.putFds(thread, [found]);
  }

  /** Learns a thread from the machine; undefined when it cannot be had. */
  private heal(tid: number): ThreadInfo | undefined {
    const found = this.questions.thread(tid, this.ev.ts);
    if (found === undefined) return undefined;
    const thread = threadOf(found.entry, this.baseTime, this.cgroupPool);
    thread.generation = this.generation;
    if (!this.threads.add(thread)) return undefined;
    if (thread.isLeader() || thread.fds?.size === 0) this.putFds(thread, found.fds);
    this.counters.healedThreads++;
    return thread;
  }

  /** An entry for a thread that nothing is known of, so that it is asked for once. */
  private stub(tid: number): ThreadInfo {
    const thread = new Thread();
    thread.tid = tid;
    thread.generation = this.generation;
    thread.comm = "<NA>";
    thread.exe = "<NA>";
    thread.invalid = true;
    // A refused stub serves this event only.
    this.threads.add(thread);
    return thread;
  }

  /** After a loss of events: compares an entry with the machine, once per loss. */
  private recheck(thread: ThreadInfo): ThreadInfo {
    thread.generation = this.generation;
    const found = this.questions.thread(thread.tid, this.ev.ts);
    if (found === undefined) return thread;
    const e = found.entry;
    if (!thread.invalid && e.pid === thread.pid && e.exepath === thread.exepath && e.comm === thread.comm)
      return thread;
    const fresh = threadOf(e, this.baseTime, this.cgroupPool);
    fresh.generation = this.generation;
    fresh.lastEnterType = thread.lastEnterType;
    fresh.lastEnterTs = thread.lastEnterTs;
    if (this.threads.add(fresh)) {
      this.putFds(fresh, found.fds);
      this.counters.healedThreads++;
    }
    return fresh;
  }

  /** To be called when the source lost events: every thread is compared with the machine at its next event. */
  afterLoss(): void {
    if (this.opts.onMissingThread !== undefined) this.generation++;
  }

  /** Delayed removals: what an event closed or ended is still there while the event is looked at. */
  private flush(): void {
    this.pending = false;
    if (this.closingTable !== null) {
      this.closingTable.delete(this.closingFd);
      this.closingTable = null;
    }
    if (this.exiting !== null) {
      this.threads.remove(this.exiting.tid, this.ev.ts);
      this.exiting = null;
    }
  }

  /** Handlers: removes a descriptor before the next event. */
  closeLater(table: FdTable, fd: number): void {
    this.closingTable = table;
    this.closingFd = fd;
    this.pending = true;
  }

  /** Handlers: removes a dead thread before the next event. */
  exitLater(thread: ThreadInfo): void {
    this.exiting = thread;
    this.pending = true;
  }

  /** Handlers: makes `thread` the event's thread (it was created by the event). */
  setThread(thread: ThreadInfo): void {
    this.thread = thread;
    thread.lastEventTs = this.ev.ts;
  }

  /** Handlers: names the descriptor the event created or works on. */
  setFd(num: number, fd: FdInfo | null): void {
    this.theFdNum = num;
    this.theFd = fd;
  }

  get fdNum(): number {
    if (this.theFdNum === LAZY) this.findFd();
    return this.theFdNum;
  }

  get fd(): FdInfo | null {
    if (this.theFdNum === LAZY) this.findFd();
    return this.theFd;
  }

  /** Handlers: the event's descriptor for changing it in place; null when unknown. */
  ownFd(): FdInfo | null {
    const fd = this.fd;
    if (fd === null || !fd.frozen) return fd;
    this.theFd = this.thread?.fds?.own(this.theFdNum) ?? null;
    return this.theFd;
  }

  private findFd(): void {
    const ev = this.ev;
    const type = ev.type;
    this.theFdNum = -1;
    if (USES_FD[type] !== 1 || this.thread === null) return;
    const param = EVENT_FD_PARAM[type] as number;
    if (param < 0) return;
    const num = ev.i64(param, -1);
    this.theFdNum = num;
    if (num >= 0) this.theFd = this.thread.fds?.get(num) ?? null;
  }

  get rawres(): number {
    return EVENT_HAS_RETURN[this.ev.type] === 1 ? this.ev.i64(0) : 0;
  }

  getThread(tid: number): ThreadInfo | undefined {
    const thread = this.threads.get(tid);
    return thread?.invalid ? undefined : thread;
  }

  /** Handlers: same, asking the machine when the thread is unknown. */
  findThread(tid: number): ThreadInfo | undefined {
    return this.threads.get(tid) ?? (tid > 0 ? this.heal(tid) : undefined);
  }

  leaderOf(thread: ThreadInfo): ThreadInfo {
    return thread.group?.leader ?? thread;
  }

  parentOf(thread: ThreadInfo): ThreadInfo | undefined {
    return this.getThread(thread.ptid);
  }

  container(id: string): ContainerInfo | undefined {
    return this.containers.get(id);
  }

  private accountsOf(containerId: string): void {
    const ask = this.opts.onContainerUsers;
    if (ask === undefined || containerId === "" || containerId === "host" || this.thread === null) return;
    if (this.askedContainers.has(containerId) || this.askedContainers.size >= 10_000) return;
    this.askedContainers.add(containerId);
    const found = ask(containerId, this.thread);
    for (const u of found?.users ?? []) this.users.addUser(u, containerId);
    for (const g of found?.groups ?? []) this.users.addGroup(g, containerId);
  }

  user(uid: number, containerId: string): UserEntry | undefined {
    const found = this.users.user(uid, containerId);
    if (found !== undefined || this.opts.onContainerUsers === undefined) return found;
    this.accountsOf(containerId);
    return this.users.user(uid, containerId);
  }

  group(gid: number, containerId: string): GroupEntry | undefined {
    const found = this.users.group(gid, containerId);
    if (found !== undefined || this.opts.onContainerUsers === undefined) return found;
    this.accountsOf(containerId);
    return this.users.group(gid, containerId);
  }

  resolvePath(base: string, path: string): string {
    return joinPath(base, path);
  }

  private restart(): void {
    this.pending = false;
    this.closingTable = null;
    this.exiting = null;
    this.thread = null;
    this.threads.clear();
    this.users.clear();
    this.containers.clear();
    this.serverPorts.clear();
    this.firstTs = Number.NaN;
    this.switchTs.length = 0;
    // Relative times count from the section's own base now.
    this.deliveredTs += Number(this.base - this.source.baseTime);
    this.base = this.source.baseTime;
    this.seed(this.source.state);
  }

  private seed(state: InitialState): void {
    const base = this.source.baseTime;
    this.interfaces = state.interfaces;
    this.olderWriter = this.source.kind === "file" && state.processes.every((p) => p.pgid === -1);
    for (const u of state.users) this.users.addUser(u, "");
    for (const g of state.groups) this.users.addGroup(g, "");
    // Leaders first: their threads share descriptors and directories with them.
    const entries = [...state.processes].sort((a, b) => Number(a.pid !== a.tid) - Number(b.pid !== b.tid));
    for (const entry of entries) {
      const thread = threadOf(entry, base, this.cgroupPool);
      const leader = thread.isLeader() ? undefined : this.threads.get(thread.pid);
      if (leader !== undefined) {
        thread.fs = leader.fs;
        if (thread.envRaw === leader.envRaw) thread.envRaw = leader.envRaw;
      }
      this.threads.add(thread);
    }
    for (const thread of this.threads.values()) this.threads.adopt(thread, thread.ptid);
    const all: FdInfo[] = [];
    for (const [tid, list] of state.fds) {
      const thread = this.threads.get(tid);
      if (thread !== undefined) this.putFds(thread, list, all);
    }
    serverPortsOf(all, this.serverPorts);
    fixRoles(all, this.serverPorts);
    if (this.opts.isAlive !== undefined) this.purgeAt = (this.opts.purgeIntervalNs ?? 300e9) / 10;
  }

  /** Puts listed descriptors into a thread's table; with `all`, roles are left to the caller. */
  private putFds(thread: ThreadInfo, list: readonly FdEntry[], all?: FdInfo[]): void {
    thread.fds ??= new FdTable(this.counters);
    const made: FdInfo[] = all ?? [];
    for (const entry of list) {
      const fd = fdOf(entry);
      const { readTs } = entry;
      const kept =
        readTs === undefined ? thread.fds.set(entry.fd, fd) : thread.fds.learn(entry.fd, fd, readTs, this.ev);
      if (kept) made.push(fd);
    }
    if (all === undefined) {
      serverPortsOf(made, this.serverPorts);
      fixRoles(made, this.serverPorts);
    }
  }

  /** Drops threads that are gone without a word. */
  private purge(ts: number): void {
    this.purgeAt = ts + (this.opts.purgeIntervalNs ?? 300e9);
    const isAlive = this.opts.isAlive;
    if (isAlive === undefined) return;
    const limit = ts - (this.opts.purgeAfterNs ?? 300e9);
    for (const thread of [...this.threads.values()]) {
      if (thread === this.thread || thread.dead) continue;
      const silent = !(thread.lastEventTs > limit);
      if (thread.invalid || (silent && !isAlive(thread.tid))) {
        this.threads.remove(thread.tid, ts);
        this.counters.purgedThreads++;
      }
    }
  }

  /** The state as lists, so that a capture written from here on is complete. */
  snapshotState(): InitialState {
    const processes: ProcessEntry[] = [];
    const fds = new Map<number, FdEntry[]>();
    for (const thread of this.threads.values()) {
      // What the current event ended or closes is still in: the event may be the first of the capture to be written.
      if (thread.invalid || (thread.dead && thread !== this.exiting)) continue;
      processes.push(entryOf(thread, this.baseTime));
      if (!thread.isLeader() || thread.fds === null || thread.fds.size === 0) continue;
      fds.set(
        thread.tid,
        Array.from(thread.fds.entries(), ([num, fd]) => fdEntryOf(num, fd)),
      );
    }
    return {
      processes,
      fds,
      interfaces: [...this.interfaces],
      users: this.users.hostUsers(),
      groups: this.users.hostGroups(),
    };
  }

  stats(): InspectorStats {
    let fds = 0;
    for (const thread of this.threads.values()) if (thread.isLeader()) fds += thread.fds?.size ?? 0;
    return {
      threads: this.threads.size,
      fds,
      refusedThreads: this.threads.refused,
      refusedUsers: this.users.refused,
      malformedContainers: this.containers.malformed,
      unaskedQuestions: this.questions.unasked,
      ...this.counters,
    };
  }
}

// The event loop's function stays small, so that it is compiled once and not with every change of what it calls.
const OUT_OF_LINE = [
  "apply",
  "lookup",
  "flush",
  "findFd",
  "heal",
  "stub",
  "recheck",
  "purge",
  "restart",
  "meet",
] as const;
for (const method of OUT_OF_LINE) noInline(Inspector.prototype[method]);
