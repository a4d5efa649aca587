// SPDX-License-Identifier: Apache-2.0
// What processes change about themselves: exit, directories, credentials, limits, session, reaper flag.
import { EV } from "../../schema/tables/enums.ts";
import { CL } from "../flags.ts";
import { joinPath } from "../path.ts";
import { FsState, type ThreadInfo } from "../thread_info.ts";
import { unshareFds } from "./descriptors.ts";
import type { Handler, HandlerRow } from "./handler.ts";

const onExit: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null) return;
  // An id that was given away again before the machine was asked for its owner: the event is of the owner before.
  if (t.readTs > ev.ts && t.cloneTs > ev.ts) return;
  t.reaperTid = ev.i64(4, -1);
  insp.threads.markDead(t);
  insp.exitLater(t);
};

/** A handler of what a thread is, which says nothing new when the machine was asked for the thread after the event. */
function unlessNewer(handler: Handler): Handler {
  return (insp, ev) => {
    if (insp.thread === null || insp.thread.readTs <= ev.ts) handler(insp, ev);
  };
}

/** The same for directories, which threads share. */
function unlessDirectoryNewer(handler: Handler): Handler {
  return (insp, ev) => {
    if (insp.thread === null || insp.thread.fs.readTs <= ev.ts) handler(insp, ev);
  };
}

/** Changes the working directory to `path`, seen from the present one. */
function setCwd(t: ThreadInfo, path: string): void {
  const cwd = joinPath(t.fs.cwd, path);
  t.fs.cwd = cwd.endsWith("/") ? cwd : `${cwd}/`;
}

/** chdir and getcwd: parameter 1 is the directory. */
const onCwd: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null || ev.i64(0, -1) < 0) return;
  const path = ev.str(1);
  if (path !== "" && path !== "<NA>") setCwd(t, path);
};

const onFchdir: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null || ev.i64(0, -1) < 0) return;
  const dir = insp.fd;
  if (dir !== null && dir.name !== "") setCwd(t, dir.name);
};

const onChroot: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null || ev.i64(0, -1) < 0) return;
  const path = ev.str(1);
  if (path !== "" && path !== "<NA>") t.fs.root = joinPath(t.fs.cwd, path);
};

/** Sets an id from a PT.UID or PT.GID parameter on success; all ones mean "as it was". */
function credential(key: "uid" | "gid", param: number): Handler {
  return (insp, ev) => {
    const t = insp.thread;
    if (t === null || ev.i64(0, -1) < 0) return;
    const id = ev.u32(param, 0xffffffff);
    if (id !== 0xffffffff) t[key] = id;
  };
}

const onSetsid: Handler = (insp, ev) => {
  const sid = ev.i64(0, -1);
  if (insp.thread !== null && sid >= 0) insp.thread.sid = sid;
};

const onCapset: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null || ev.i64(0, -1) < 0) return;
  t.capInheritable = ev.u64Exact(1);
  t.capPermitted = ev.u64Exact(2);
  t.capEffective = ev.u64Exact(3);
};

/** All capabilities a kernel has today: CAP_CHOWN … CAP_CHECKPOINT_RESTORE. */
const ALL_CAPS = 2 ** 41 - 1;

/** A new user namespace gives its first process all capabilities in it. */
function intoUserNamespace(t: ThreadInfo, flags: number): void {
  if ((flags & CL.NEWUSER) === 0) return;
  t.capInheritable = ALL_CAPS;
  t.capPermitted = ALL_CAPS;
  t.capEffective = ALL_CAPS;
}

const onUnshare: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null || ev.i64(0, -1) < 0) return;
  const flags = ev.u32(1);
  if (t.readTs <= ev.ts) intoUserNamespace(t, flags);
  if (flags & CL.FILES) unshareFds(t);
  if (flags & CL.FS) {
    const own = new FsState();
    own.cwd = t.fs.cwd;
    own.root = t.fs.root;
    own.readTs = t.fs.readTs;
    t.fs = own;
  }
};

const onSetns: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t !== null && ev.i64(0, -1) >= 0) intoUserNamespace(t, ev.u32(2));
};

const RLIMIT_NOFILE = 7;

/** getrlimit, setrlimit, prlimit: parameter `cur` is the limit in force, `pid` the process (−1: the caller's own). */
function makeLimit(cur: number, resource: number, pid: number): Handler {
  return (insp, ev) => {
    if (ev.u8(resource, 255) !== RLIMIT_NOFILE || ev.i64(0, -1) < 0) return;
    const value = ev.i64(cur, -1);
    if (value === -1) return;
    const target = pid < 0 ? 0 : ev.i64(pid, 0);
    const t = target === 0 ? insp.thread : insp.getThread(target);
    const leader = t == null ? null : insp.leaderOf(t);
    if (leader !== null && leader.readTs <= ev.ts) leader.fdlimit = value;
  };
}

const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;

const onPrctl: Handler = (insp, ev) => {
  const option = ev.u32(1);
  if (option !== PR_SET_CHILD_SUBREAPER && option !== PR_GET_CHILD_SUBREAPER) return;
  const group = insp.thread?.group;
  if (group == null || ev.i64(0, -1) < 0) return;
  group.subreaper = ev.i64(3) !== 0;
};

export const PROCESS_HANDLERS: readonly HandlerRow[] = [
  [[EV.PROCEXIT_1_E], onExit],
  [[EV.CHDIR_X, EV.GETCWD_X], unlessDirectoryNewer(onCwd)],
  [[EV.FCHDIR_X], unlessDirectoryNewer(onFchdir)],
  [[EV.CHROOT_X], unlessDirectoryNewer(onChroot)],
  [[EV.SETUID_X], unlessNewer(credential("uid", 1))],
  [[EV.SETREUID_X, EV.SETRESUID_X], unlessNewer(credential("uid", 2))],
  [[EV.SETGID_X], unlessNewer(credential("gid", 1))],
  [[EV.SETREGID_X, EV.SETRESGID_X], unlessNewer(credential("gid", 2))],
  [[EV.SETSID_X], unlessNewer(onSetsid)],
  [[EV.CAPSET_X], unlessNewer(onCapset)],
  [[EV.UNSHARE_X], onUnshare],
  [[EV.SETNS_X], unlessNewer(onSetns)],
  [[EV.GETRLIMIT_X, EV.SETRLIMIT_X], makeLimit(1, 3, -1)],
  [[EV.PRLIMIT_X], makeLimit(1, 6, 5)],
  [[EV.PRCTL_X], onPrctl],
];
