// SPDX-License-Identifier: Apache-2.0
// What is known of one thread, and through its leader of one process.
import type { FdTable } from "./fd_table.ts";

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
  /** Reaper chosen at exit, −1 none. */
  reaperTid = -1;
  comm = "";
  exe = "";
  exepath = "";
  /** Without argv[0]. */
  args: readonly string[] = [];
  env: readonly string[] = [];
  /** `subsystem=path` strings. */
  cgroups: readonly string[] = [];
  /** Working directory, with a trailing "/" as the reference keeps it. Read through the main thread when shared. */
  cwd = "";
  root = "/";
  uid = 0xffffffff;
  gid = 0xffffffff;
  loginuid = 0xffffffff;
  tty = 0;
  /** PPM_CL_* bits. */
  flags = 0;
  fdlimit = 0;
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
  /** Start: time of clone or exec, relative to the base time; NaN when unknown. */
  cloneTs = Number.NaN;
  /** Start of the thread (first clone), relative; NaN when unknown. */
  startTs = Number.NaN;
  /** Time of this thread's last event, relative; NaN before the first. */
  lastEventTs = Number.NaN;
  /** Type of the last event (enter pairing in old captures); −1 none. */
  lastEventType = -1;
  /** Time of the last enter event in old captures, relative; NaN none. */
  lastEnterTs = Number.NaN;
  /** Time this thread last left a CPU, for latency fields; NaN unknown. */
  dead = false;
  /** True for an entry made up because nothing was known of the thread. */
  invalid = false;
  /** Container id from the cgroups: "" not computed yet, "host" outside of containers. */
  containerId = "";
  /** Full (64 digits) id when known, else "". */
  containerFullId = "";
  /** Descriptors; shared between the threads of a process. */
  fds: FdTable | null = null;
  /** Leader of the thread group; itself for a leader; null when the leader is unknown. */
  leader: ThreadInfo | null = null;
  /** Live threads of the group, the leader counted; kept on the leader. */
  nthreads = 1;
  /** True when orphans of the subtree come to this process (PR_SET_CHILD_SUBREAPER). */
  childSubreaper = false;
  /** Direct children (tids of threads whose ptid is this one); null until the first. */
  children: Set<number> | null = null;
}
