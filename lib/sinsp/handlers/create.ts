// SPDX-License-Identifier: Apache-2.0
// Calls that make descriptors without a path: pipes, eventfds, timers, memory files …
import { FD_TYPE } from "../../scap/source.ts";
import { EV } from "../../schema/tables/enums.ts";
import { FdInfo } from "../fd_info.ts";
import { O } from "../flags.ts";
import type { Handler, HandlerRow } from "./handler.ts";
import { inode } from "./open.ts";

/** A call that returns one new descriptor of type `type`; `cloexec(ev)` tells whether it closes on exec. */
function creator(type: number, flagsOf: (flags: number) => number, param: number): Handler {
  return (insp, ev) => {
    const num = ev.i64(0, -1);
    if (insp.thread === null || num < 0) return;
    const fd = new FdInfo();
    fd.type = type;
    if (param >= 0) fd.openFlags = flagsOf(ev.paramLength(param) >= 4 ? ev.u32(param) : ev.u16(param, ev.u8(param)));
    else fd.openFlags = flagsOf(0);
    insp.thread.fds?.set(num, fd);
    insp.setFd(num, fd);
  };
}

/** The parameter has PPM_O_* flags. */
const asGiven = (flags: number): number => flags;
/** Descriptors of this kind always close on exec. */
const alwaysCloexec = (): number => O.CLOEXEC;
/** Bit 0 asks for close-on-exec (EPOLL_CLOEXEC, MFD_CLOEXEC as the schema has them). */
const bit0 = (flags: number): number => (flags & 1 ? O.CLOEXEC : 0);

/** userfaultfd takes Linux's own O_CLOEXEC. */
const linuxCloexec = (flags: number): number => (flags & 0x80000 ? O.CLOEXEC : 0);

/** bpf(2) commands whose result is a descriptor. */
const BPF_FD_COMMANDS = new Set([0, 5, 7, 13, 14, 17, 18, 19, 28, 30, 32, 33, 36]);
const makeBpf = creator(FD_TYPE.BPF, alwaysCloexec, -1);
const onBpf: Handler = (insp, ev) => {
  if (BPF_FD_COMMANDS.has(ev.u32(1, -1))) makeBpf(insp, ev);
};

const onPipe: Handler = (insp, ev) => {
  if (insp.thread === null || ev.i64(0, -1) < 0) return;
  const ino = inode(ev, 3);
  const flags = ev.u32(4);
  for (const param of [1, 2]) {
    const fd = new FdInfo();
    fd.type = FD_TYPE.FIFO;
    fd.openFlags = flags;
    fd.ino = ino;
    const num = ev.i64(param, -1);
    insp.thread.fds?.set(num, fd);
    insp.setFd(num, fd);
  }
};

const onMemfd: Handler = (insp, ev) => {
  const num = ev.i64(0, -1);
  if (insp.thread === null || num < 0) return;
  const fd = new FdInfo();
  fd.type = FD_TYPE.MEMFD;
  fd.name = ev.str(1);
  fd.openFlags = bit0(ev.u32(2));
  insp.thread.fds?.set(num, fd);
  insp.setFd(num, fd);
  insp.fdNameChanged = fd.named;
};

export const CREATE_HANDLERS: readonly HandlerRow[] = [
  [[EV.PIPE_X, EV.PIPE2_X], onPipe],
  [[EV.EVENTFD_X], creator(FD_TYPE.EVENT, () => 0, -1)],
  [[EV.EVENTFD2_X], creator(FD_TYPE.EVENT, asGiven, 1)],
  [[EV.SIGNALFD_X], creator(FD_TYPE.SIGNALFD, () => 0, -1)],
  [[EV.SIGNALFD4_X], creator(FD_TYPE.SIGNALFD, asGiven, 1)],
  [[EV.TIMERFD_CREATE_X], creator(FD_TYPE.TIMERFD, asGiven, 2)],
  [[EV.INOTIFY_INIT_X], creator(FD_TYPE.INOTIFY, () => 0, -1)],
  [[EV.INOTIFY_INIT1_X], creator(FD_TYPE.INOTIFY, asGiven, 1)],
  [[EV.EPOLL_CREATE_X], creator(FD_TYPE.EVENTPOLL, () => 0, -1)],
  [[EV.EPOLL_CREATE1_X], creator(FD_TYPE.EVENTPOLL, bit0, 1)],
  [[EV.USERFAULTFD_X], creator(FD_TYPE.USERFAULTFD, linuxCloexec, 1)],
  [[EV.BPF_2_X], onBpf],
  [[EV.IO_URING_SETUP_X], creator(FD_TYPE.IO_URING, alwaysCloexec, -1)],
  [[EV.MEMFD_CREATE_X], onMemfd],
];
