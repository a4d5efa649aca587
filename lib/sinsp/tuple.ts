// SPDX-License-Identifier: Apache-2.0
// Socket addresses and tuples of event parameters, applied to descriptors.
import type { EventCursor } from "../scap/cursor.ts";
import { FD_TYPE, type InterfaceEntry } from "../scap/source.ts";
import { mappedIpv4 } from "./address.ts";
import type { FdInfo } from "./fd_info.ts";
import { AF } from "./flags.ts";
import { localAddressFor } from "./interfaces.ts";

type Interfaces = readonly InterfaceEntry[];
/** The IPv6 address "::". */
export const ANY6 = "\0".repeat(16);

/** Wire sizes: family, then addresses and ports. */
const V4_TUPLE = 13;
const V6_TUPLE = 37;
const UNIX_TUPLE = 17;
const V4_ADDR = 7;
const V6_ADDR = 19;

/** A decoded socket address; one object is reused for all. */
export interface SockAddr {
  /** AF of the parameter; 0 when there is none or it is malformed. */
  family: number;
  /** Number (IPv4, and IPv4 mapped into IPv6) or 16-char byte string. */
  ip: number | string;
  port: number;
  /** Unix socket path. */
  path: string;
}

const scratch: SockAddr = { family: 0, ip: 0, port: 0, path: "" };

function v6(ev: EventCursor, at: number): number | string {
  const ip = ev.bytes.latin1Slice(at, at + 16);
  return mappedIpv4(ip) ?? ip;
}

function cString(ev: EventCursor, from: number, to: number): string {
  const s = ev.bytes.latin1Slice(from, to);
  const nul = s.indexOf("\0");
  return nul < 0 ? s : s.slice(0, nul);
}

/** Decodes the PT.SOCKADDR parameter `i` into a reused object. */
export function sockAddr(ev: EventCursor, i: number): SockAddr {
  const n = ev.paramLength(i);
  scratch.family = 0;
  if (n === 0) return scratch;
  const at = ev.paramOffset(i);
  const view = ev.view;
  const family = view.getUint8(at);
  if (family === AF.INET && n >= V4_ADDR) {
    scratch.ip = view.getUint32(at + 1, false);
    scratch.port = view.getUint16(at + 5, true);
  } else if (family === AF.INET6 && n >= V6_ADDR) {
    scratch.ip = v6(ev, at + 1);
    scratch.port = view.getUint16(at + 17, true);
  } else if (family === AF.UNIX) {
    scratch.path = cString(ev, at + 1, at + n);
  } else return scratch;
  scratch.family = family;
  return scratch;
}

/** Same, from the bytes of a stored parameter. */
export function sockAddrOf(raw: string): SockAddr {
  const family = raw.length > 0 ? raw.charCodeAt(0) : 0;
  const u16 = (at: number) => raw.charCodeAt(at) | (raw.charCodeAt(at + 1) << 8);
  scratch.family = 0;
  if (family === AF.INET && raw.length >= V4_ADDR) {
    const b = (i: number) => raw.charCodeAt(i);
    scratch.ip = ((b(1) << 24) | (b(2) << 16) | (b(3) << 8) | b(4)) >>> 0;
    scratch.port = u16(5);
  } else if (family === AF.INET6 && raw.length >= V6_ADDR) {
    const ip = raw.slice(1, 17);
    scratch.ip = mappedIpv4(ip) ?? ip;
    scratch.port = u16(17);
  } else if (family === AF.UNIX) {
    const nul = raw.indexOf("\0", 1);
    scratch.path = nul < 0 ? raw.slice(1) : raw.slice(1, nul);
  } else return scratch;
  scratch.family = family;
  return scratch;
}

/** Family of the PT.SOCKTUPLE parameter `i`; 0 when there is none or it is too short for its family. */
export function tupleFamily(ev: EventCursor, i: number): number {
  const n = ev.paramLength(i);
  if (n === 0) return 0;
  const at = ev.paramOffset(i);
  const family = ev.view.getUint8(at);
  if (family === AF.INET) return n >= V4_TUPLE ? family : 0;
  if (family === AF.INET6) return n >= V6_TUPLE ? family : 0;
  if (family === AF.UNIX) return n >= UNIX_TUPLE ? family : 0;
  return 0;
}

/**
 * Sets both ends of an IP socket; type and name follow the addresses. The same two ends the other way round are no news:
 * who is client and who is server was settled before. Returns true when anything changed.
 */
export function setEnds(f: FdInfo, sip: number | string, sport: number, dip: number | string, dport: number): boolean {
  const type = typeof sip === "number" && typeof dip === "number" ? FD_TYPE.IPV4_SOCK : FD_TYPE.IPV6_SOCK;
  if (f.type === type) {
    if (f.sip === sip && f.dip === dip && f.sport === sport && f.dport === dport) return false;
    if (f.sip === dip && f.dip === sip && f.sport === dport && f.dport === sport) return false;
  }
  f.type = type;
  f.sip = sip;
  f.sport = sport;
  f.dip = dip;
  f.dport = dport;
  f.renamed();
  return true;
}

/** 64-bit value at `at` in the canonical form (kernel addresses need BigInt). */
function pointer(ev: EventCursor, at: number): number | bigint {
  const high = ev.view.getUint32(at + 4, true);
  return high < 0x200000 ? high * 4294967296 + ev.view.getUint32(at, true) : ev.view.getBigUint64(at, true);
}

/** `source->peer path`, the kernel's addresses in hexadecimal. */
export function unixName(source: number | bigint, peer: number | bigint, path: string): string {
  return `${source.toString(16)}->${peer.toString(16)} ${path}`;
}

/** The address that means "any": nothing is known of that end yet. */
function isAny(ip: number | string): boolean {
  return ip === 0 || ip === ANY6;
}

function applyUnix(f: FdInfo, ev: EventCursor, i: number): boolean {
  const at = ev.paramOffset(i);
  const source = pointer(ev, at + 1);
  const peer = pointer(ev, at + 9);
  const name = unixName(source, peer, cString(ev, at + 17, at + ev.paramLength(i)));
  if (f.unixSource === source && f.unixPeer === peer && f.name === name) return false;
  f.type = FD_TYPE.UNIX_SOCK;
  f.unixSource = source;
  f.unixPeer = peer;
  f.name = name;
  return true;
}

function applyV6(f: FdInfo, ev: EventCursor, at: number, swap: boolean, interfaces: Interfaces): boolean {
  const view = ev.view;
  let sip = v6(ev, at + 1);
  let dip = v6(ev, at + 19);
  // "Any" is of either family; apart from that both ends are mapped or none.
  if (typeof sip === "number" && dip === ANY6) dip = 0;
  else if (typeof dip === "number" && sip === ANY6) sip = 0;
  if (typeof sip !== typeof dip) {
    sip = ev.bytes.latin1Slice(at + 1, at + 17);
    dip = ev.bytes.latin1Slice(at + 19, at + 35);
  }
  const sport = view.getUint16(at + 17, true);
  const dport = view.getUint16(at + 35, true);
  if (isAny(sip)) sip = localAddressFor(interfaces, dip) ?? sip;
  else if (isAny(dip)) dip = localAddressFor(interfaces, sip) ?? dip;
  return swap ? setEnds(f, dip, dport, sip, sport) : setEnds(f, sip, sport, dip, dport);
}

/**
 * Takes over the ends of the PT.SOCKTUPLE parameter `i`, exchanged when `swap` is set (IP only), and the name that
 * follows from them; an own end that is bound to no address gets the one that talks to the peer. Returns true when
 * the ends differ from what was known.
 */
export function applyTuple(f: FdInfo, ev: EventCursor, i: number, swap: boolean, interfaces: Interfaces): boolean {
  const family = tupleFamily(ev, i);
  if (family === 0) return false;
  const at = ev.paramOffset(i);
  if (family === AF.UNIX) return applyUnix(f, ev, i);
  if (family === AF.INET6) return applyV6(f, ev, at, swap, interfaces);
  const view = ev.view;
  const from = swap ? at + 7 : at + 1;
  const to = swap ? at + 1 : at + 7;
  let sip: number | string = view.getUint32(from, false);
  let dip: number | string = view.getUint32(to, false);
  if (sip === 0) sip = localAddressFor(interfaces, dip) ?? sip;
  else if (dip === 0) dip = localAddressFor(interfaces, sip) ?? dip;
  return setEnds(f, sip, view.getUint16(from + 4, true), dip, view.getUint16(to + 4, true));
}
