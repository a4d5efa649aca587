// SPDX-License-Identifier: Apache-2.0
// What is known of one thread, and through its leader of one process.
import { type Cgroups, NO_CGROUPS } from "./cgroups.ts";
import type { FdTable } from "./fd_table.ts";

/** Working directory and root; one object for all threads that share them (CLONE_FS). */
export class FsState {
  /** Working directory with a trailing "/"; "" when unknown. */
  cwd = "";
  root = "/";
  /** As ThreadInfo.readTs. */
  readTs = Number.NEGATIVE_INFINITY;
}

/** The threads of one process. */
export class ThreadGroup {
  leader: ThreadInfo | null = null;
  /** Live threads, the leader counted. */
  alive = 0;
  /** True when orphans of the subtree come to this process (PR_SET_CHILD_SUBREAPER). */
  subreaper = false;
  /** Threads but the leader; null until the first. */
  others: Set<ThreadInfo> | null = null;

  constructor(readonly pid: number) {}
}

/** An enter event whose arguments are needed at the exit event. */
export interface StoredEnter {
  /** Event type of the enter event. */
  type: number;
  /** Path argument. */
  name: string;
  /** Directory descriptor argument. */
  dirfd: number;
  flags: number;
  /** Socket address as on the wire (connect). */
  addr: string;
}

const NO_STRINGS: readonly string[] = [];

function splitNul(raw: string): readonly string[] {
  if (raw === "") return NO_STRINGS;
  return (raw.charCodeAt(raw.length - 1) === 0 ? raw.slice(0, -1) : raw).split("\0");
}

/**
 * One thread. Strings are byte strings. Ids are plain numbers, −1 when unknown; times without "Exact" are ns relative
 * to the capture's base time (like EventCursor.ts), NaN when unknown.
 */
export class ThreadInfo {
  tid = -1;
  pid = -1;
  ptid = -1;
  sid = -1;
  vtid = -1;
  vpid = -1;
  vpgid = -1;
  pgid = -1;
  /** Reaper named by the exit event, −1 none. */
  reaperTid = -1;
  comm = "";
  exe = "";
  exepath = "";
  uid = 0xffffffff;
  gid = 0xffffffff;
  loginuid = 0xffffffff;
  tty = 0;
  /** PPM_CL_* bits. */
  flags = 0;
  /** −1 when unknown. */
  fdlimit = -1;
  vmSizeKb = 0;
  vmRssKb = 0;
  vmSwapKb = 0;
  pfMajor = 0;
  pfMinor = 0;
  capInheritable: number | bigint = 0;
  capPermitted: number | bigint = 0;
  capEffective: number | bigint = 0;
  exeIno: number | bigint = 0;
  /** ns since the epoch. */
  exeInoCtime = 0n;
  exeInoMtime = 0n;
  exeWritable = false;
  exeUpperLayer = false;
  exeLowerLayer = false;
  exeFromMemfd = false;
  /** ns since the epoch. */
  pidnsInitStart = 0n;
  /** Start (time of the clone), relative to the base time; NaN when unknown. */
  cloneTs = Number.NaN;
  /** When the machine was asked for this entry, relative; −Infinity when events or a trace file told of it. */
  readTs = Number.NEGATIVE_INFINITY;
  /** Time of this thread's last event, relative; NaN before the first. */
  lastEventTs = Number.NaN;
  /** ns the thread had run when it last left a CPU (context switches), and all such times together. */
  execTime = 0;
  totalExecTime = 0;
  /** Percent of one CPU between the last two statistics events (old captures), with the ticks they held. */
  cpuUser = 0;
  cpuSystem = 0;
  cpuUserTicks = Number.NaN;
  cpuSystemTicks = Number.NaN;
  cpuTs = Number.NaN;
  /** Type of the system-call enter event that waits for its exit event; −1 none. */
  lastEnterType = -1;
  /** Time of that enter event, relative; NaN none. */
  lastEnterTs = Number.NaN;
  /** Arguments of that enter event where they count; null none. */
  enter: StoredEnter | null = null;
  /** True after the exit event; the entry stays until the next event, a leader's until its group is empty. */
  dead = false;
  /** True for an entry made up because nothing was known of the thread. */
  invalid = false;
  /** Losses (see Inspector.afterLoss) up to which the entry is known to be right. */
  generation = 0;
  /** Descriptors; shared between the threads of a process. */
  fds: FdTable | null = null;
  fs = new FsState();
  /** Threads of the process; null when not in the thread table. */
  group: ThreadGroup | null = null;
  /** Direct children: tids of threads whose ptid is this one; null until the first. */
  children: Set<number> | null = null;
  cgroupSet: Cgroups = NO_CGROUPS;
  /** Arguments without argv[0], NUL after each. */
  argsRaw = "";
  /** Environment, NUL after each string. */
  envRaw = "";
  private argsList: readonly string[] | null = null;
  private argsOf = "";
  private envList: readonly string[] | null = null;
  private envOf = "";

  /** Arguments without argv[0]. */
  get args(): readonly string[] {
    if (this.argsList === null || this.argsOf !== this.argsRaw) {
      this.argsOf = this.argsRaw;
      this.argsList = splitNul(this.argsRaw);
    }
    return this.argsList;
  }

  get env(): readonly string[] {
    if (this.envList === null || this.envOf !== this.envRaw) {
      this.envOf = this.envRaw;
      this.envList = splitNul(this.envRaw);
    }
    return this.envList;
  }

  /** `subsystem=path` strings. */
  get cgroups(): readonly string[] {
    return this.cgroupSet.list;
  }

  /** Container id from the cgroups: short form, "host" outside of containers. */
  get containerId(): string {
    return this.cgroupSet.container.id;
  }

  /** Full (64 digits) container id when known, else "". */
  get containerFullId(): string {
    return this.cgroupSet.container.fullId;
  }

  /** Working directory, with a trailing "/". */
  get cwd(): string {
    return this.fs.cwd;
  }

  get root(): string {
    return this.fs.root;
  }

  /** Leader of the thread group; itself for a leader; null when the leader is unknown. */
  get leader(): ThreadInfo | null {
    return this.group === null ? null : this.group.leader;
  }

  /** Live threads of the group, the leader counted. */
  get nthreads(): number {
    return this.group === null ? 1 : this.group.alive;
  }

  /** True when orphans of the subtree come to this process. */
  get childSubreaper(): boolean {
    return this.group?.subreaper === true;
  }

  isLeader(): boolean {
    return this.tid === this.pid;
  }
}
