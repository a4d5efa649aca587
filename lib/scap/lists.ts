// SPDX-License-Identifier: Apache-2.0
// Parses the entries of metadata blocks (machine, processes, descriptors, interfaces, users) in all their versions.
import {
  FD_TYPE,
  type FdEntry,
  type GroupEntry,
  type InterfaceEntry,
  type MachineInfo,
  type ProcessEntry,
  type UserEntry,
} from "./source.ts";

const TWO32 = 4294967296;
/** Largest sub-length of an entry that is believed. */
const MAX_ENTRY = 1024 * 1024;
const NO_ID = 0xffffffff;

/** Reads values one after the other and remembers when it ran over its limit. */
export class FieldReader {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  limit = 0;
  /** A value did not fit before `limit`; what was returned for it is 0 or "". */
  short = false;

  set(bytes: Buffer, view: DataView, at: number, limit: number): void {
    this.bytes = bytes;
    this.view = view;
    this.at = at;
    this.limit = limit;
    this.short = false;
  }

  /** Offset of the next `n` bytes, or −1 when they do not fit. */
  private take(n: number): number {
    const at = this.at;
    if (this.short || n > this.limit - at) {
      this.short = true;
      return -1;
    }
    this.at = at + n;
    return at;
  }

  skip(n: number): void {
    this.take(n);
  }

  u8(): number {
    const at = this.take(1);
    return at < 0 ? 0 : this.view.getUint8(at);
  }

  u16(): number {
    const at = this.take(2);
    return at < 0 ? 0 : this.view.getUint16(at, true);
  }

  u32(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.view.getUint32(at, true);
  }

  /** Signed 64-bit integer as a double. */
  i64(): number {
    const at = this.take(8);
    return at < 0 ? 0 : this.view.getInt32(at + 4, true) * TWO32 + this.view.getUint32(at, true);
  }

  u64(): number {
    const at = this.take(8);
    return at < 0 ? 0 : this.view.getUint32(at + 4, true) * TWO32 + this.view.getUint32(at, true);
  }

  big(): bigint {
    const at = this.take(8);
    return at < 0 ? 0n : this.view.getBigUint64(at, true);
  }

  /** Byte string of `n` bytes. */
  text(n: number): string {
    const at = this.take(n);
    return at < 0 ? "" : this.bytes.latin1Slice(at, at + n);
  }

  /** u16 length and that many bytes; what follows a NUL is cut. */
  str16(): string {
    const s = this.text(this.u16());
    const nul = s.indexOf("\0");
    return nul < 0 ? s : s.slice(0, nul);
  }

  /** u16 length and NUL-terminated strings. */
  list16(): string[] {
    return splitList(this.text(this.u16()));
  }

  /** IPv4 address as a number, IPv6 as 16 chars. */
  address(family: 4 | 6): number | string {
    if (family === 6) return this.text(16);
    const at = this.take(4);
    return at < 0 ? 0 : this.view.getUint32(at, false);
  }
}

/** Strings each ended by a NUL (the last one may lack it) → list. */
export function splitList(joined: string): string[] {
  if (joined.length === 0) return [];
  const end = joined.charCodeAt(joined.length - 1) === 0 ? joined.length - 1 : joined.length;
  return joined.slice(0, end).split("\0");
}

/** Thrown by the entry parsers when an entry contradicts itself; `wanted` and `got` go into a ScapFormatError. */
export class EntryError extends Error {
  readonly wanted: string;
  readonly got: string;

  constructor(wanted: string, got: string) {
    super(`found ${got}, wanted ${wanted}`);
    this.wanted = wanted;
    this.got = got;
  }
}

/**
 * Narrows the reader to an entry that states its own length. Returns the limit to restore, or −1 when the entry is not
 * wholly in reach (`short` is set).
 */
function enterEntry(r: FieldReader, start: number, includesItself: boolean, least: number): number {
  const stated = r.u32();
  if (r.short) return -1;
  const length = includesItself ? stated : stated + 4;
  if (length < least || length > MAX_ENTRY) {
    throw new EntryError(`an entry of ${least} to ${MAX_ENTRY} bytes`, `an entry of ${length} bytes`);
  }
  const outer = r.limit;
  if (length > outer - start) {
    r.short = true;
    return -1;
  }
  r.limit = start + length;
  return outer;
}

/** Leaves an entry: the next one starts where the stated length says. */
function leaveEntry(r: FieldReader, outer: number, what: string): void {
  if (r.short) throw new EntryError(`a whole ${what} entry`, "an entry whose fields overrun its length");
  r.at = r.limit;
  r.limit = outer;
}

/** Reads the machine info block. */
export function readMachine(r: FieldReader): MachineInfo {
  const numCpus = r.u32();
  const memorySize = r.u64();
  const maxPid = r.u64();
  const host = r.text(128);
  const nul = host.indexOf("\0");
  const machine: MachineInfo = {
    numCpus,
    memorySize,
    maxPid,
    hostname: nul < 0 ? host : host.slice(0, nul),
    bootTime: r.big(),
    flags: r.big(),
  };
  r.skip(16);
  return machine;
}

/** A process entry with what a list that lacks a field means by that. */
export function emptyProcess(): ProcessEntry {
  return {
    tid: -1,
    pid: -1,
    ptid: -1,
    sid: -1,
    vpgid: -1,
    pgid: -1,
    comm: "",
    exe: "",
    exepath: "",
    args: [],
    cwd: "",
    root: "",
    fdlimit: 0,
    flags: 0,
    uid: 0,
    gid: 0,
    loginuid: NO_ID,
    vmSizeKb: 0,
    vmRssKb: 0,
    vmSwapKb: 0,
    pfMajor: 0,
    pfMinor: 0,
    env: [],
    vtid: -1,
    vpid: -1,
    cgroups: [],
    pidnsInitStart: 0n,
    tty: 0,
    capInheritable: 0n,
    capPermitted: 0n,
    capEffective: 0n,
    exeIno: 0n,
    exeInoCtime: 0n,
    exeInoMtime: 0n,
    exeWritable: false,
    exeUpperLayer: false,
    exeLowerLayer: false,
    exeFromMemfd: false,
    startTime: 0n,
  };
}

/** The tail of a v9 entry: fields are there as far as the entry has room. */
function readProcessTail(r: FieldReader, p: ProcessEntry): void {
  const room = (n: number): boolean => r.limit - r.at >= n;
  // Entries written before these two fields existed have at most 29 bytes here.
  if (r.limit - r.at > 29) {
    p.pidnsInitStart = r.big();
    p.tty = r.u32();
  }
  if (room(4)) p.loginuid = r.u32();
  if (room(1)) p.exeWritable = r.u8() !== 0;
  if (room(8)) p.capInheritable = r.big();
  if (room(8)) p.capPermitted = r.big();
  if (room(8)) p.capEffective = r.big();
  if (room(1)) p.exeUpperLayer = r.u8() !== 0;
  if (room(8)) p.exeIno = r.big();
  if (room(8)) p.exeInoCtime = r.big();
  if (room(8)) p.exeInoMtime = r.big();
  if (room(1)) p.exeFromMemfd = r.u8() !== 0;
  if (room(1)) p.exeLowerLayer = r.u8() !== 0;
  if (room(8)) p.pgid = r.i64();
}

/** Reads one entry of a process list of the given version; null when it is not wholly before the limit. */
export function readProcess(r: FieldReader, version: number): ProcessEntry | null {
  const start = r.at;
  const outer = version >= 9 ? enterEntry(r, start, true, 100) : r.limit;
  if (r.short) return null;
  const p = emptyProcess();
  p.tid = r.i64();
  p.pid = r.i64();
  p.ptid = r.i64();
  if (version >= 6) p.sid = r.i64();
  if (version >= 8) p.vpgid = r.i64();
  p.comm = r.str16();
  p.exe = r.str16();
  if (version >= 7) p.exepath = r.str16();
  p.args = r.list16();
  p.cwd = r.str16();
  p.fdlimit = r.u64();
  p.flags = r.u32();
  p.uid = r.u32();
  p.gid = r.u32();
  if (version >= 2) {
    p.vmSizeKb = r.u32();
    p.vmRssKb = r.u32();
    p.vmSwapKb = r.u32();
    p.pfMajor = r.u64();
    p.pfMinor = r.u64();
  }
  if (version >= 3) p.env = r.list16();
  if (version >= 4) {
    p.vtid = r.i64();
    p.vpid = r.i64();
    p.cgroups = r.list16();
  }
  if (version >= 5) p.root = r.str16();
  if (version >= 9) {
    if (!r.short) readProcessTail(r, p);
    leaveEntry(r, outer, "process");
  }
  return r.short ? null : p;
}

function emptyFd(): FdEntry {
  return {
    fd: -1,
    ino: 0n,
    type: 0,
    name: "",
    openFlags: 0,
    dev: 0,
    sip: 0,
    dip: 0,
    sport: 0,
    dport: 0,
    l4proto: 0,
    unixSource: 0n,
    unixPeer: 0n,
  };
}

/** Reads one entry of a descriptor list; null when it is not wholly before the limit. */
export function readFd(r: FieldReader, version: number): FdEntry | null {
  const start = r.at;
  const outer = version >= 2 ? enterEntry(r, start, true, 23) : r.limit;
  if (r.short) return null;
  const f = emptyFd();
  f.fd = r.i64();
  f.ino = r.big();
  f.type = (r.u8() << 24) >> 24;
  switch (f.type) {
    case FD_TYPE.IPV4_SOCK:
    case FD_TYPE.IPV6_SOCK: {
      const family = f.type === FD_TYPE.IPV4_SOCK ? 4 : 6;
      f.sip = r.address(family);
      f.dip = r.address(family);
      f.sport = r.u16();
      f.dport = r.u16();
      f.l4proto = r.u8();
      break;
    }
    case FD_TYPE.IPV4_SERVSOCK:
    case FD_TYPE.IPV6_SERVSOCK:
      // A server's own address is kept as the destination, as in the tuples of its connections.
      f.dip = r.address(f.type === FD_TYPE.IPV4_SERVSOCK ? 4 : 6);
      f.dport = r.u16();
      f.l4proto = r.u8();
      break;
    case FD_TYPE.UNIX_SOCK:
      f.unixSource = r.big();
      f.unixPeer = r.big();
      f.name = r.str16();
      break;
    case FD_TYPE.FILE_V2:
      f.openFlags = r.u32();
      f.name = r.str16();
      if (version >= 2 && r.limit - r.at >= 4) f.dev = r.u32();
      break;
    default:
      f.name = r.str16();
      if (f.type < FD_TYPE.UNINITIALIZED || f.type > FD_TYPE.PIDFD) {
        f.name = `unknown-type:[${f.type & 0xff}]`;
        f.type = FD_TYPE.UNSUPPORTED;
      }
  }
  if (version >= 2) leaveEntry(r, outer, "descriptor");
  return r.short ? null : f;
}

/** Reads one entry of an interface list; null when it is not wholly before the limit. */
export function readInterface(r: FieldReader, version: number): InterfaceEntry | null {
  const start = r.at;
  const outer = version >= 2 ? enterEntry(r, start, false, 20) : r.limit;
  if (r.short) return null;
  const type = r.u16();
  if (!r.short && (type < 1 || type > 4)) {
    throw new EntryError("an interface of type 1 to 4", `an interface of type ${type}`);
  }
  const family = type === 1 || type === 3 ? 4 : 6;
  const nameLength = r.u16();
  const entry: InterfaceEntry = {
    family,
    name: "",
    address: r.address(family),
    netmask: r.address(family),
    broadcast: r.address(family),
    linkspeed: type <= 2 ? r.big() : 0n,
  };
  const name = r.text(nameLength);
  const nul = name.indexOf("\0");
  entry.name = nul < 0 ? name : name.slice(0, nul);
  if (version >= 2) leaveEntry(r, outer, "interface");
  return r.short ? null : entry;
}

/** Reads one entry of a user list: a user has `uid`, a group has not; null when it is not wholly before the limit. */
export function readUser(r: FieldReader, version: number): UserEntry | GroupEntry | null {
  const start = r.at;
  const outer = version >= 2 ? enterEntry(r, start, true, 11) : r.limit;
  if (r.short) return null;
  const type = r.u8();
  if (!r.short && type > 1) throw new EntryError("a user (0) or a group (1)", `an entry of type ${type}`);
  const entry: UserEntry | GroupEntry =
    type === 0
      ? { uid: r.u32(), gid: r.u32(), name: r.str16(), home: r.str16(), shell: r.str16() }
      : { gid: r.u32(), name: r.str16() };
  if (version >= 2) leaveEntry(r, outer, "user");
  return r.short ? null : entry;
}
