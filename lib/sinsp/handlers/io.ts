// SPDX-License-Identifier: Apache-2.0
// Reading and writing: sockets show that they are connected, and the ends of connections that were not known.
import type { EventCursor } from "../../scap/cursor.ts";
import { FD_TYPE, L4 } from "../../scap/source.ts";
import { EV } from "../../schema/tables/enums.ts";
import { FdInfo, ROLE } from "../fd_info.ts";
import type { FdTable } from "../fd_table.ts";
import { AF } from "../flags.ts";
import type { Inspector } from "../inspector.ts";
import { applyTuple, tupleFamily } from "../tuple.ts";
import type { Handler, HandlerRow } from "./handler.ts";

/** True when a descriptor of the process is a server socket bound to `port`. */
function isBound(fds: FdTable | null, port: number): boolean {
  for (const [, fd] of fds?.entries() ?? []) if (fd.isServer() && fd.dport === port) return true;
  return false;
}

/** Role of a socket that was first seen in use: who receives at a port that its process serves is a server. */
function guessRole(insp: Inspector, ev: EventCursor, param: number, incoming: boolean): number {
  const own = ev.view.getUint16(ev.paramOffset(param) + ev.paramLength(param) - 2, true);
  return incoming && isBound(insp.thread?.fds ?? null, own) ? ROLE.SERVER : ROLE.CLIENT;
}

/** A socket whose tuple came with the event: ends, role, client → server order, name. */
function learnTuple(insp: Inspector, fd: FdInfo, ev: EventCursor, param: number, incoming: boolean): void {
  if (fd.named && fd.type === FD_TYPE.IPV4_SOCK && fd.l4proto === L4.TCP) return;
  const family = tupleFamily(ev, param);
  if (family === 0) return;
  if (family !== AF.UNIX) {
    if (fd.l4proto === L4.UNKNOWN) fd.l4proto = L4.UDP;
    if (fd.role === ROLE.UNKNOWN) fd.role = guessRole(insp, ev, param, incoming);
  }
  // The tuple of a read has the sender first, that of a write the owner.
  const swap = fd.role === (incoming ? ROLE.CLIENT : ROLE.SERVER);
  if (applyTuple(fd, ev, param, swap, insp.interfaces)) insp.fdNameChanged = true;
}

/** Reads (`incoming`) and writes; `tuple` is the tuple's parameter, −1 none. */
function makeIo(incoming: boolean, tuple: number): Handler {
  return (insp, ev) => {
    const seen = insp.fd;
    if (seen === null || !seen.isSocket() || ev.i64(0, -1) < 0) return;
    if (seen.connected && tuple < 0) return;
    const fd = insp.ownFd();
    if (fd === null) return;
    // A datagram server is not connected by its first datagram; one of IPv6 never counts as connected.
    if (fd.type === FD_TYPE.IPV4_SOCK) fd.connected = true;
    else if (fd.type === FD_TYPE.IPV6_SOCK && !(fd.role === ROLE.SERVER && fd.l4proto === L4.UDP)) fd.connected = true;
    if (tuple >= 0) learnTuple(insp, fd, ev, tuple, incoming);
  };
}

/** Sends may be the first that is seen of a datagram socket. */
function makeSend(tuple: number): Handler {
  const known = makeIo(false, tuple);
  return (insp, ev) => {
    const thread = insp.thread;
    if (thread === null) return;
    if (insp.fd === null && insp.fdNum >= 0 && ev.i64(0, -1) >= 0) {
      const family = tupleFamily(ev, tuple);
      if (family !== AF.INET && family !== AF.INET6) return;
      const fd = new FdInfo();
      fd.type = family === AF.INET ? FD_TYPE.IPV4_SOCK : FD_TYPE.IPV6_SOCK;
      fd.l4proto = L4.UDP;
      const num = insp.fdNum;
      thread.fds?.set(num, fd);
      insp.setFd(num, fd);
    }
    known(insp, ev);
  };
}

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** Size of struct cmsghdr on 64-bit machines: u64 length (itself included), i32 level, i32 type. */
const CMSG_HEADER = 16;

/** Descriptors that came with a message: numbers after the header of each SCM_RIGHTS control message. */
function receiveFds(insp: Inspector, ev: EventCursor, param: number): void {
  const n = ev.paramLength(param);
  if (n < CMSG_HEADER) return;
  const start = ev.paramOffset(param);
  const view = ev.view;
  for (let at = 0; at + CMSG_HEADER <= n; ) {
    const length = view.getUint32(start + at, true);
    if (length < CMSG_HEADER) return;
    if (view.getInt32(start + at + 8, true) === SOL_SOCKET && view.getInt32(start + at + 12, true) === SCM_RIGHTS) {
      const end = Math.min(n, at + length);
      for (let i = at + CMSG_HEADER; i + 4 <= end; i += 4) insp.askFd(view.getInt32(start + i, true));
    }
    at += Math.ceil(length / 8) * 8;
  }
}

/** Like reads with a tuple; unix sockets may bring descriptors along. */
function makeRecvmsg(tuple: number, control: number): Handler {
  const read = makeIo(true, tuple);
  return (insp, ev) => {
    read(insp, ev);
    if (insp.fd?.type === FD_TYPE.UNIX_SOCK && ev.i64(0, -1) >= 0) receiveFds(insp, ev, control);
  };
}

export const IO_HANDLERS: readonly HandlerRow[] = [
  [[EV.READ_X, EV.READV_X, EV.PREAD_X, EV.PREADV_X], makeIo(true, -1)],
  [[EV.RECV_X], makeIo(true, 4)],
  [[EV.RECVFROM_X], makeIo(true, 2)],
  [[EV.RECVMSG_X], makeRecvmsg(3, 4)],
  [[EV.RECVMMSG_X], makeRecvmsg(4, 5)],
  [[EV.WRITE_X, EV.WRITEV_X, EV.PWRITE_X, EV.PWRITEV_X], makeIo(false, -1)],
  [[EV.SEND_X, EV.SENDTO_X, EV.SENDMSG_X], makeSend(4)],
  [[EV.SENDMMSG_X], makeIo(false, 4)],
];
