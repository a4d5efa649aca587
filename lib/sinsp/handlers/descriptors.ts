// SPDX-License-Identifier: Apache-2.0
// Calls that copy, close or change descriptors: close, dup, fcntl, close_range, pidfd.
import { FD_TYPE } from "../../scap/source.ts";
import { EV } from "../../schema/tables/enums.ts";
import { FdInfo } from "../fd_info.ts";
import type { FdTable } from "../fd_table.ts";
import { CL, O } from "../flags.ts";
import type { Inspector } from "../inspector.ts";
import type { ThreadInfo } from "../thread_info.ts";
import type { Handler, HandlerRow } from "./handler.ts";

const onClose: Handler = (insp, ev) => {
  const thread = insp.thread;
  if (thread === null || thread.fds === null || ev.i64(0, -1) < 0) return;
  const num = ev.i64(1, -1);
  // Looked at now, as of this event: it is removed at the next one.
  if (thread.fds.get(num) !== undefined) insp.closeLater(thread.fds, num);
};

/** Gives the descriptor `num` of `table` a second number in the event's process; of an unknown one nothing becomes known. */
function duplicate(
  insp: Inspector,
  thread: ThreadInfo,
  table: FdTable | null,
  num: number,
  to: number,
  cloexec: boolean,
): void {
  const from = table?.get(num);
  if (from === undefined) return;
  const guess = table?.isGuess(num) === true;
  const copy = from.copy();
  copy.openFlags = (copy.openFlags & ~O.CLOEXEC) | (cloexec ? O.CLOEXEC : 0);
  thread.fds?.set(to, copy);
  insp.setFd(to, copy);
  if (guess && thread.fds?.hasReading(to) !== true) insp.askFd(to);
}

/** dup, dup2, dup3; a program that puts something else on its standard input or output is in a shell's pipe. */
function makeDup(flagsParam: number): Handler {
  return (insp, ev) => {
    const thread = insp.thread;
    const num = ev.i64(0, -1);
    if (thread === null || num < 0) return;
    if (num === 0) thread.flags |= CL.PIPE_DST;
    else if (num === 1) thread.flags |= CL.PIPE_SRC;
    const old = ev.i64(1, -1);
    if (old === num) {
      insp.setFd(num, thread.fds?.get(num) ?? null);
      return;
    }
    const cloexec = flagsParam >= 0 && (ev.u32(flagsParam) & O.CLOEXEC) !== 0;
    duplicate(insp, thread, thread.fds, old, num, cloexec);
  };
}

/** fcntl commands as the schema numbers them. */
const F_DUPFD = 1;
const F_SETFD = 3;
const F_DUPFD_CLOEXEC = 26;
const FD_CLOEXEC = 1;

const onFcntl: Handler = (insp, ev) => {
  const thread = insp.thread;
  if (thread === null) return;
  const cmd = ev.u8(2);
  if (cmd !== F_DUPFD && cmd !== F_DUPFD_CLOEXEC && cmd !== F_SETFD) return;
  const ret = ev.i64(0, -1);
  if (ret < 0) return;
  const num = ev.i64(1, -1);
  if (cmd === F_SETFD) {
    const fd = thread.fds?.own(num);
    if (fd !== undefined) fd.openFlags = (fd.openFlags & ~O.CLOEXEC) | (ev.u64(3) % 2 === FD_CLOEXEC ? O.CLOEXEC : 0);
  } else duplicate(insp, thread, thread.fds, num, ret, cmd === F_DUPFD_CLOEXEC);
};

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

/** Gives a thread its own copy of a descriptor table it shares with others. */
export function unshareFds(thread: ThreadInfo): void {
  if (thread.fds === null) return;
  const alone = !thread.fds.shared && (thread.group === null || thread.group.alive <= 1);
  if (!alone) thread.fds = thread.fds.clone();
}

const onCloseRange: Handler = (insp, ev) => {
  const thread = insp.thread;
  if (thread === null || thread.fds === null || ev.i64(0, -1) < 0) return;
  const first = ev.u32(1);
  const last = ev.u32(2);
  const flags = ev.u32(3);
  if (flags & CLOSE_RANGE_UNSHARE) unshareFds(thread);
  if (flags & CLOSE_RANGE_CLOEXEC) {
    for (const [num] of [...thread.fds.entries()]) {
      const fd = num >= first && num <= last ? thread.fds.own(num) : undefined;
      if (fd !== undefined) fd.openFlags |= O.CLOEXEC;
    }
  } else thread.fds.deleteIf((num) => num >= first && num <= last);
};

const onPidfdOpen: Handler = (insp, ev) => {
  const num = ev.i64(0, -1);
  if (insp.thread === null || num < 0) return;
  const fd = new FdInfo();
  fd.type = FD_TYPE.PIDFD;
  fd.pid = ev.i64(1, -1);
  fd.name = `/proc/${fd.pid}`;
  fd.openFlags = O.CLOEXEC | (ev.u32(2) & 1 ? O.NONBLOCK : 0);
  insp.thread.fds?.set(num, fd);
  insp.setFd(num, fd);
  insp.fdNameChanged = true;
};

const onPidfdGetfd: Handler = (insp, ev) => {
  const thread = insp.thread;
  const num = ev.i64(0, -1);
  if (thread === null || num < 0) return;
  const pidfd = thread.fds?.get(ev.i64(1, -1));
  const target = pidfd === undefined || pidfd.pid < 0 ? undefined : insp.findThread(pidfd.pid);
  duplicate(insp, thread, target?.fds ?? null, ev.i64(2, -1), num, true);
};

export const DESCRIPTOR_HANDLERS: readonly HandlerRow[] = [
  [[EV.CLOSE_X], onClose],
  [[EV.DUP_1_X, EV.DUP2_X], makeDup(-1)],
  [[EV.DUP3_X], makeDup(3)],
  [[EV.FCNTL_X], onFcntl],
  [[EV.CLOSE_RANGE_X], onCloseRange],
  [[EV.PIDFD_OPEN_X], onPidfdOpen],
  [[EV.PIDFD_GETFD_X], onPidfdGetfd],
];
