// SPDX-License-Identifier: Apache-2.0
// clone, fork, vfork: a thread is born. Seen from the caller and from the child, in either order, or from one alone.
import type { EventCursor } from "../../scap/cursor.ts";
import { EV } from "../../schema/tables/enums.ts";
import { CL } from "../flags.ts";
import type { Inspector } from "../inspector.ts";
import { FsState, ThreadInfo } from "../thread_info.ts";
import type { Handler, HandlerRow } from "./handler.ts";
import { PROCESS_PARAMS } from "./process_params.ts";

/** Parameters of all events of the family. */
const P = Object.freeze({
  ...PROCESS_PARAMS,
  FLAGS: 15,
  UID: 16,
  GID: 17,
  VTID: 18,
  VPID: 19,
  PIDNS_START: 20,
} as const);

/** The caller's event makes no entry for these: the child's ids are not known here, or its own event comes first. */
const LEAVE_TO_CHILD = CL.CHILD_IN_PIDNS | CL.NEWPID | CL.PARENT | CL.VFORK;
/** A child entry younger than this (ns) is the one its caller's event made. */
const YOUNG_NS = 2e9;

/** A caller's event comes at most so long (ns) after its child's; an older child is one that had the id before. */
const LATE_NS = 60e9;

/** `s`, or the equal string that `other` holds already. */
function reuse(s: string, other: string): string {
  return s === other ? other : s;
}

/** What the event says of the process whose view it is. */
function fillOwn(insp: Inspector, ev: EventCursor, t: ThreadInfo, like: ThreadInfo | undefined): void {
  t.exe = reuse(ev.str(P.EXE), like?.exe ?? "");
  t.comm = reuse(ev.str(P.COMM), like?.comm ?? "");
  t.argsRaw = reuse(ev.raw(P.ARGS), like?.argsRaw ?? "");
  t.cgroupSet = insp.cgroupPool.get(ev.raw(P.CGROUPS));
  t.fdlimit = ev.i64(P.FDLIMIT, -1);
  t.uid = ev.u32(P.UID, 0xffffffff);
  t.gid = ev.u32(P.GID, 0xffffffff);
  t.pfMajor = ev.u64(P.PF_MAJOR);
  t.pfMinor = ev.u64(P.PF_MINOR);
  t.vmSizeKb = ev.u32(P.VM_SIZE);
  t.vmRssKb = ev.u32(P.VM_RSS);
  t.vmSwapKb = ev.u32(P.VM_SWAP);
}

/** What a child has from the thread that made it. */
function inherit(t: ThreadInfo, from: ThreadInfo): void {
  t.exepath = from.exepath;
  t.envRaw = from.envRaw;
  t.sid = from.sid;
  t.vpgid = from.vpgid;
  t.pgid = from.pgid;
  t.tty = from.tty;
  t.loginuid = from.loginuid;
  t.capInheritable = from.capInheritable;
  t.capPermitted = from.capPermitted;
  t.capEffective = from.capEffective;
  t.exeIno = from.exeIno;
  t.exeInoCtime = from.exeInoCtime;
  t.exeInoMtime = from.exeInoMtime;
  t.exeWritable = from.exeWritable;
  t.exeUpperLayer = from.exeUpperLayer;
  t.exeLowerLayer = from.exeLowerLayer;
  t.exeFromMemfd = from.exeFromMemfd;
  t.pidnsInitStart = from.pidnsInitStart;
}

/** Descriptors and directories: shared or copied, as the flags say. */
function inheritTables(t: ThreadInfo, from: ThreadInfo, flags: number): void {
  if (flags & (CL.THREAD | CL.FS)) t.fs = from.fs;
  else {
    t.fs = new FsState();
    t.fs.cwd = from.fs.cwd;
    t.fs.root = from.fs.root;
  }
  if (from.fds === null) return;
  if (flags & CL.THREAD) t.fds = from.fds;
  else if (flags & CL.FILES) {
    from.fds.shared = true;
    t.fds = from.fds;
  } else t.fds = from.fds.clone();
}

function cwdOf(ev: EventCursor, param: number): string {
  const cwd = ev.str(param);
  return cwd === "" || cwd === "<NA>" || cwd.endsWith("/") ? cwd : `${cwd}/`;
}

/** Times and directory at the birth of `t`. */
function born(ev: EventCursor, t: ThreadInfo): void {
  t.cloneTs = ev.ts;
  const cwd = cwdOf(ev, P.CWD);
  if (cwd !== "" && cwd !== "<NA>" && t.fs.cwd === "") t.fs.cwd = cwd;
  // Outside of namespaces the parent's is kept: the list of a capture has it against another clock.
  if (t.vtid !== t.tid && ev.paramLength(P.PIDNS_START) === 8) t.pidnsInitStart = BigInt(ev.u64Exact(P.PIDNS_START));
}

/** A thread that nothing was known of: the event says who it is. */
function introduce(insp: Inspector, ev: EventCursor, t: ThreadInfo): ThreadInfo {
  const fresh = new ThreadInfo();
  fresh.tid = t.tid;
  fresh.pid = ev.i64(P.PID, t.tid);
  fresh.ptid = ev.i64(P.PTID, -1);
  fresh.vtid = ev.i64(P.VTID, fresh.tid);
  fresh.vpid = ev.i64(P.VPID, fresh.pid);
  fillOwn(insp, ev, fresh, undefined);
  fresh.fs.cwd = cwdOf(ev, P.CWD);
  insp.threads.add(fresh);
  insp.setThread(fresh);
  return fresh;
}

function fromCaller(insp: Inspector, ev: EventCursor, childTid: number): void {
  let caller = insp.thread;
  if (caller === null) return;
  if (caller.invalid) caller = introduce(insp, ev, caller);
  if (ev.paramLength(P.VTID) === 8) {
    caller.vtid = ev.i64(P.VTID);
    caller.vpid = ev.i64(P.VPID, caller.vpid);
  }
  const flags = ev.u32(P.FLAGS);
  if (flags & LEAVE_TO_CHILD || ev.type === EV.VFORK_20_X || caller.tid !== caller.vtid) return;
  const old = insp.threads.get(childTid);
  // The machine told of the child after its birth: that is newer than what its parent has now.
  if (old !== undefined && old.readTs > ev.ts) return;
  if (old !== undefined && (old.flags & CL.INVERTED) !== 0 && ev.ts - old.cloneTs < LATE_NS) return;
  if (old === undefined && insp.threads.exitedLately(childTid, caller.tid, ev.ts)) return;

  const t = new ThreadInfo();
  t.tid = childTid;
  t.vtid = childTid;
  t.flags = flags;
  if (flags & CL.THREAD) {
    t.flags |= CL.FILES;
    t.pid = caller.pid;
    t.ptid = caller.ptid;
    t.vpid = caller.vpid;
  } else {
    t.pid = childTid;
    t.ptid = caller.tid;
    t.vpid = childTid;
  }
  fillOwn(insp, ev, t, caller);
  const model = insp.leaderOf(caller);
  inherit(t, model);
  inheritTables(t, caller, flags);
  born(ev, t);
  t.generation = caller.generation;
  insp.threads.add(t);
}

function fromChild(insp: Inspector, ev: EventCursor): void {
  const tid = ev.tid;
  const old = insp.threads.get(tid);
  if (old !== undefined && !old.invalid && (ev.ts - old.cloneTs < YOUNG_NS || old.readTs > ev.ts)) {
    insp.setThread(old);
    return;
  }
  const flags = ev.u32(P.FLAGS);
  const t = new ThreadInfo();
  t.tid = tid;
  t.pid = ev.i64(P.PID, tid);
  t.ptid = ev.i64(P.PTID, -1);
  t.vtid = ev.i64(P.VTID, tid);
  t.vpid = ev.i64(P.VPID, t.pid);
  t.flags = flags | CL.INVERTED;
  const isThread = t.pid !== t.tid;
  if (isThread) t.flags |= CL.THREAD | CL.FILES;
  const parent = insp.findThread(isThread ? t.pid : t.ptid);
  const known = parent !== undefined && !parent.invalid && parent.tid !== tid ? parent : undefined;
  fillOwn(insp, ev, t, known);
  if (known !== undefined) {
    inherit(t, isThread ? known : insp.leaderOf(known));
    inheritTables(t, known, t.flags);
    t.generation = known.generation;
  }
  born(ev, t);
  if (insp.threads.add(t)) insp.setThread(t);
}

const onClone: Handler = (insp, ev) => {
  const ret = ev.i64(P.RET, -1);
  if (ret === 0) fromChild(insp, ev);
  else if (ret > 0) fromCaller(insp, ev, ret);
};

export const CLONE_HANDLERS: readonly HandlerRow[] = [
  [[EV.CLONE_20_X, EV.CLONE3_X, EV.FORK_20_X, EV.VFORK_20_X], onClone],
];
