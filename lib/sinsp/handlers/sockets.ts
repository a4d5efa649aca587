// SPDX-License-Identifier: Apache-2.0
// Sockets come into being, get addresses and peers.
import type { EventCursor } from "../../scap/cursor.ts";
import { FD_TYPE, L4 } from "../../scap/source.ts";
import { EV } from "../../schema/tables/enums.ts";
import { formatIp } from "../address.ts";
import { FdInfo, ROLE } from "../fd_info.ts";
import { AF, O } from "../flags.ts";
import type { Inspector } from "../inspector.ts";
import { ANY6, applyTuple, type SockAddr, setEnds, sockAddr, sockAddrOf, tupleFamily, unixName } from "../tuple.ts";
import type { Handler, HandlerRow } from "./handler.ts";

/** Socket types (Linux SOCK_*), and the bits of flags that share their argument. */
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
/** IP protocol numbers. */
const IPPROTO: Readonly<Record<number, number>> = { 1: L4.ICMP, 6: L4.TCP, 17: L4.UDP, 58: L4.ICMP, 255: L4.RAW };
const EINPROGRESS = 115;

const TYPE_OF_FAMILY: Readonly<Record<number, number>> = {
  [AF.UNIX]: FD_TYPE.UNIX_SOCK,
  [AF.INET]: FD_TYPE.IPV4_SOCK,
  [AF.INET6]: FD_TYPE.IPV6_SOCK,
  [AF.NETLINK]: FD_TYPE.NETLINK,
};

/** Transport of a new IP socket. */
function transportOf(type: number, proto: number): number {
  const kind = type & 0xff;
  if (proto === 0) return kind === SOCK_STREAM ? L4.TCP : kind === SOCK_DGRAM ? L4.UDP : L4.UNKNOWN;
  const l4 = IPPROTO[proto] ?? L4.UNKNOWN;
  return kind === SOCK_RAW ? L4.RAW : l4;
}

const onSocket: Handler = (insp, ev) => {
  const num = ev.i64(0, -1);
  if (insp.thread === null || num < 0) return;
  const family = ev.u32(1);
  const type = ev.u32(2);
  const fd = new FdInfo();
  fd.type = TYPE_OF_FAMILY[family] ?? FD_TYPE.UNKNOWN;
  if (family === AF.INET || family === AF.INET6) fd.l4proto = transportOf(type, ev.u32(3));
  if (ev.paramLength(4) === 4) fd.openFlags = ev.u32(4);
  else fd.openFlags = (type & SOCK_CLOEXEC ? O.CLOEXEC : 0) | (type & SOCK_NONBLOCK ? O.NONBLOCK : 0);
  insp.thread.fds?.set(num, fd);
  insp.setFd(num, fd);
};

const onBind: Handler = (insp, ev) => {
  const fd = insp.ownFd();
  if (fd === null || ev.i64(0, -1) < 0) return;
  const addr = sockAddr(ev, 1);
  if (addr.family === 0) return;
  insp.fdNameChanged = true;
  if (addr.family === AF.UNIX) {
    fd.name = addr.path;
    return;
  }
  // An IPv4 address inside an IPv6 one is shown as it was given.
  const given = ev.u8(1) === AF.INET6 ? ev.raw(1).slice(1, 17) : addr.ip;
  fd.name = `${formatIp(given)}:${addr.port}`;
  // Without a port it is no server: the kernel chooses one at the first use.
  if (addr.port === 0) return;
  // A server on "::" takes IPv4 connections too and counts as one for both families.
  fd.dip = addr.ip === ANY6 ? 0 : addr.ip;
  fd.dport = addr.port;
  fd.type = typeof fd.dip === "number" ? FD_TYPE.IPV4_SERVSOCK : FD_TYPE.IPV6_SERVSOCK;
  fd.role = ROLE.SERVER;
  insp.serverPorts.add(addr.port);
};

/** Keeps the address given at the start of the call: it may change before the end. */
const onConnectEnter: Handler = (insp, ev) => {
  if (insp.thread === null) return;
  insp.thread.enter = { type: EV.CONNECT_E, name: "", dirfd: 0, flags: 0, addr: ev.raw(1) };
};

/** Points a socket at the destination alone; the local end is kept, or unknown. */
function setDestination(fd: FdInfo, to: SockAddr): void {
  if (to.family === AF.UNIX) {
    fd.type = FD_TYPE.UNIX_SOCK;
    fd.name = unixName(fd.unixSource, fd.unixPeer, to.path);
    return;
  }
  const any = typeof to.ip === "number" ? 0 : ANY6;
  const keep = typeof fd.sip === typeof to.ip;
  setEnds(fd, keep ? fd.sip : any, keep ? fd.sport : 0, to.ip, to.port);
}

/**
 * Ends of a connection from the tuple. Where the call's address is the tuple's destination, both were read from the
 * program's memory, and the address kept at the start of the call is what the kernel acted upon; else the kernel found
 * the destination itself (0.0.0.0 is the machine).
 */
function connectEnds(insp: Inspector, ev: EventCursor, fd: FdInfo, stored: string): void {
  const before = fd.isIp() ? fd.dport : 0;
  const datagramServer = fd.role === ROLE.SERVER && fd.l4proto === L4.UDP;
  applyTuple(fd, ev, 1, false, insp.interfaces);
  if (stored !== "") {
    const given = sockAddr(ev, 3);
    if (given.family !== 0 && given.family !== AF.UNIX && given.ip === fd.dip && given.port === fd.dport) {
      const to = sockAddrOf(stored);
      if (to.family !== 0 && to.family !== AF.UNIX) setDestination(fd, to);
    }
  }
  // A bound IPv4 datagram socket stays a server and its peer is the client; those of IPv6 are left as the tuple has them.
  if (datagramServer && fd.type === FD_TYPE.IPV4_SOCK && before !== fd.dport) {
    fd.swapEnds();
    fd.renamed();
  }
  if (fd.role === ROLE.UNKNOWN) fd.role = ROLE.CLIENT;
}

const onConnect: Handler = (insp, ev) => {
  const thread = insp.thread;
  const ret = ev.i64(0, -1);
  if (thread === null || (ret < 0 && ret !== -EINPROGRESS)) return;
  const fd = insp.ownFd();
  if (fd === null) return;
  const stored = thread.enter !== null && thread.enter.type === EV.CONNECT_E ? thread.enter.addr : "";
  fd.connected = true;
  // A new socket has no name; that of others is worth rendering for the comparison.
  const before = fd.named ? fd.name : "";
  if (tupleFamily(ev, 1) !== 0) connectEnds(insp, ev, fd, stored);
  else {
    const to = sockAddrOf(stored);
    if (to.family !== 0) {
      setDestination(fd, to);
      fd.role = ROLE.CLIENT;
    }
  }
  insp.fdNameChanged = before === "" ? fd.named : fd.name !== before;
};

function makeAccept(flagsParam: number): Handler {
  return (insp, ev) => {
    const num = ev.i64(0, -1);
    if (insp.thread === null || num < 0) return;
    const family = tupleFamily(ev, 1);
    // Without addresses nothing is known of the new descriptor but its number.
    if (family === 0) {
      insp.setFd(num, insp.thread.fds?.get(num) ?? null);
      return;
    }
    const fd = new FdInfo();
    fd.type = TYPE_OF_FAMILY[family] ?? FD_TYPE.UNKNOWN;
    applyTuple(fd, ev, 1, false, insp.interfaces);
    if (fd.isIp()) fd.l4proto = L4.TCP;
    fd.role = ROLE.SERVER;
    fd.connected = true;
    if (flagsParam >= 0 && (ev.u32(flagsParam) & O.CLOEXEC) !== 0) fd.openFlags = O.CLOEXEC;
    insp.thread.fds?.set(num, fd);
    insp.setFd(num, fd);
    insp.fdNameChanged = true;
  };
}

const onSocketpair: Handler = (insp, ev) => {
  if (insp.thread === null || ev.i64(0, -1) < 0) return;
  const ends = [ev.u64Exact(3), ev.u64Exact(4)] as const;
  const type = ev.u32(6);
  for (const i of [0, 1] as const) {
    const fd = new FdInfo();
    fd.type = FD_TYPE.UNIX_SOCK;
    fd.unixSource = ends[i];
    fd.unixPeer = ends[1 - i] as number | bigint;
    if (type & SOCK_CLOEXEC) fd.openFlags |= O.CLOEXEC;
    const num = ev.i64(1 + i, -1);
    insp.thread.fds?.set(num, fd);
    insp.setFd(num, fd);
  }
};

export const SOCKET_HANDLERS: readonly HandlerRow[] = [
  [[EV.SOCKET_X], onSocket],
  [[EV.BIND_X], onBind],
  [[EV.CONNECT_E], onConnectEnter],
  [[EV.CONNECT_X], onConnect],
  [[EV.ACCEPT_5_X], makeAccept(-1)],
  [[EV.ACCEPT4_6_X], makeAccept(5)],
  [[EV.SOCKETPAIR_X], onSocketpair],
];
