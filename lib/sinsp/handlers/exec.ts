// SPDX-License-Identifier: Apache-2.0
// execve, execveat: a process becomes another program and has one thread.
import type { EventCursor } from "../../scap/cursor.ts";
import { EV } from "../../schema/tables/enums.ts";
import { CL, O } from "../flags.ts";
import type { Inspector } from "../inspector.ts";
import { joinPath } from "../path.ts";
import { ThreadInfo } from "../thread_info.ts";
import type { Handler, HandlerRow } from "./handler.ts";
import { AT_FDCWD, baseDir } from "./open.ts";
import { PROCESS_PARAMS } from "./process_params.ts";

/** Parameters of both events. */
const P = Object.freeze({
  ...PROCESS_PARAMS,
  ENV: 15,
  TTY: 16,
  VPGID: 17,
  LOGINUID: 18,
  FLAGS: 19,
  CAP_INHERITABLE: 20,
  CAP_PERMITTED: 21,
  CAP_EFFECTIVE: 22,
  EXE_INO: 23,
  EXE_CTIME: 24,
  EXE_MTIME: 25,
  UID: 26,
  EXEPATH: 27,
  PGID: 28,
  GID: 29,
  FILENAME: 30,
} as const);

/** Bits of the flags parameter. */
const EXE = Object.freeze({ WRITABLE: 1, UPPER_LAYER: 2, FROM_MEMFD: 4, LOWER_LAYER: 8 } as const);

/** Path of the new program: as the kernel resolved it, else from the call's arguments. */
function exepathOf(ev: EventCursor, t: ThreadInfo): string {
  const trusted = ev.str(P.EXEPATH);
  if (trusted !== "" && trusted !== "<NA>") return trusted;
  const e = t.enter;
  if (e !== null && (e.type === EV.EXECVE_19_E || e.type === EV.EXECVEAT_E) && e.name !== "<NA>") {
    // execveat with AT_EMPTY_PATH runs the descriptor itself.
    if (e.name === "") return e.dirfd === AT_FDCWD ? "<NA>" : baseDir(t, e.dirfd);
    return joinPath(baseDir(t, e.dirfd), e.name);
  }
  const filename = ev.type === EV.EXECVE_19_X ? ev.str(P.FILENAME) : "";
  return filename === "" || filename === "<NA>" ? "<NA>" : joinPath(t.cwd, filename);
}

/** The event's thread as the head of its process, the only thread that is left. */
function soleThread(insp: Inspector, ev: EventCursor): ThreadInfo {
  const known = insp.thread;
  if (known === null || known.invalid || known.pid < 0) {
    const t = new ThreadInfo();
    t.tid = ev.tid;
    t.pid = ev.i64(P.PID, t.tid);
    t.ptid = ev.i64(P.PTID, -1);
    t.vtid = t.tid;
    t.vpid = t.pid;
    if (known !== null) {
      t.enter = known.enter;
      t.generation = known.generation;
    }
    insp.threads.add(t);
    insp.setThread(t);
    return t;
  }
  insp.threads.revive(known);
  const others = known.group?.others;
  if (others != null) {
    for (const other of [...others]) if (other !== known) insp.threads.remove(other.tid, ev.ts);
  }
  return known;
}

/** Closes what is not for the new program. */
function closeOnExec(t: ThreadInfo): void {
  if (t.fds === null) return;
  if (t.fds.shared) t.fds = t.fds.clone();
  t.fds.deleteIf((_, fd) => (fd.openFlags & O.CLOEXEC) !== 0);
}

const onExec: Handler = (insp, ev) => {
  if (ev.i64(P.RET, -1) < 0) return;
  const known = insp.thread;
  if (known !== null && known.readTs > ev.ts) {
    // The machine was asked after it: it told of this program, or of a later one.
    closeOnExec(known);
    return;
  }
  const t = soleThread(insp, ev);
  t.exepath = exepathOf(ev, t);
  t.enter = null;
  t.exe = ev.str(P.EXE);
  t.comm = ev.str(P.COMM);
  t.argsRaw = ev.raw(P.ARGS);
  // Older writers had no environment: what was inherited is the best that is known.
  if (ev.paramLength(P.ENV) > 0 || ev.recordedType < 0) t.envRaw = ev.raw(P.ENV);
  if (ev.paramLength(P.CGROUPS) > 0) t.cgroupSet = insp.cgroupPool.get(ev.raw(P.CGROUPS));
  const ptid = ev.i64(P.PTID, -1);
  if (t.ptid < 0 && ptid > 0) insp.threads.adopt(t, ptid);
  const cwd = ev.str(P.CWD);
  if (cwd !== "" && cwd !== "<NA>") t.fs.cwd = cwd.endsWith("/") ? cwd : `${cwd}/`;
  t.fdlimit = ev.i64(P.FDLIMIT, t.fdlimit);
  t.pfMajor = ev.u64(P.PF_MAJOR, t.pfMajor);
  t.pfMinor = ev.u64(P.PF_MINOR, t.pfMinor);
  t.vmSizeKb = ev.u32(P.VM_SIZE, t.vmSizeKb);
  t.vmRssKb = ev.u32(P.VM_RSS, t.vmRssKb);
  t.vmSwapKb = ev.u32(P.VM_SWAP, t.vmSwapKb);
  t.tty = ev.u32(P.TTY, t.tty);
  t.vpgid = ev.i64(P.VPGID, t.vpgid);
  t.loginuid = ev.u32(P.LOGINUID, t.loginuid);
  t.pgid = ev.i64(P.PGID, t.pgid);
  if (ev.paramLength(P.FLAGS) === 4) {
    const flags = ev.u32(P.FLAGS);
    t.exeWritable = (flags & EXE.WRITABLE) !== 0;
    t.exeUpperLayer = (flags & EXE.UPPER_LAYER) !== 0;
    t.exeFromMemfd = (flags & EXE.FROM_MEMFD) !== 0;
    t.exeLowerLayer = (flags & EXE.LOWER_LAYER) !== 0;
  }
  if (ev.paramLength(P.CAP_EFFECTIVE) === 8) {
    t.capInheritable = ev.u64Exact(P.CAP_INHERITABLE);
    t.capPermitted = ev.u64Exact(P.CAP_PERMITTED);
    t.capEffective = ev.u64Exact(P.CAP_EFFECTIVE);
  }
  if (ev.paramLength(P.EXE_MTIME) === 8) {
    t.exeIno = ev.u64Exact(P.EXE_INO);
    t.exeInoCtime = BigInt(ev.u64Exact(P.EXE_CTIME));
    t.exeInoMtime = BigInt(ev.u64Exact(P.EXE_MTIME));
  }
  if (ev.paramLength(P.UID) === 4) t.uid = ev.u32(P.UID);
  if (ev.paramLength(P.GID) === 4) t.gid = ev.u32(P.GID);
  t.flags = CL.NAME_CHANGED | (t.flags & (CL.INVERTED | CL.PIPE_SRC | CL.PIPE_DST));
  closeOnExec(t);
};

export const EXEC_HANDLERS: readonly HandlerRow[] = [[[EV.EXECVE_19_X, EV.EXECVEAT_X], onExec]];
