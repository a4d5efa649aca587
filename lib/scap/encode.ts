// SPDX-License-Identifier: Apache-2.0
// Builds the metadata blocks of a trace file: section header, machine info and the lists of the state.
import { BLOCK, FORMAT_MAJOR, FORMAT_MINOR, SECTION_MAGIC } from "./blocks.ts";
import { FD_TYPE, type FdEntry, type InitialState, type MachineInfo, type ProcessEntry } from "./source.ts";

/** Bytes after which a list goes on in a further block. */
const BLOCK_GOAL = 1024 * 1024;
/** Longest texts that every reader takes, in bytes. */
const MAX_PATH = 1024;
const MAX_LIST = 4096;
const MAX_NAME = 255;
const MAX_HOSTNAME = 127;

/** Takes finished blocks. */
export type BlockSink = (bytes: Buffer, length: number) => void;

/** A block under construction in memory that is used again and again. */
class BlockBuilder {
  private bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  private view: DataView = new DataView(this.bytes.buffer);
  at = 0;

  /** Offset of the next `n` bytes. `bytes` and `view` may be others afterwards. */
  private reserve(n: number): number {
    const at = this.at;
    if (at + n > this.bytes.length) {
      let size = this.bytes.length;
      while (size < at + n) size *= 2;
      const grown = Buffer.allocUnsafeSlow(size);
      this.bytes.copy(grown, 0, 0, at);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.at = at + n;
    return at;
  }

  u8(v: number): void {
    const at = this.reserve(1);
    this.view.setUint8(at, v);
  }

  u16(v: number): void {
    const at = this.reserve(2);
    this.view.setUint16(at, v, true);
  }

  u32(v: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, v, true);
  }

  big(v: bigint): void {
    const at = this.reserve(8);
    this.view.setBigUint64(at, BigInt.asUintN(64, v), true);
  }

  /** A 64-bit integer held in a number; what rounding brought to 2^64 was the greatest one. */
  int64(v: number): void {
    this.big(v >= 2 ** 64 ? 0xffffffffffffffffn : BigInt(Math.trunc(v)));
  }

  /** The bytes of a byte string, no more than `n` of them. */
  text(s: string, n: number): void {
    const length = Math.min(s.length, n);
    const at = this.reserve(length);
    this.bytes.latin1Write(s, at, length);
  }

  /** u16 length and the bytes. */
  str16(s: string, most: number): void {
    const length = Math.min(s.length, most);
    this.u16(length);
    this.text(s, length);
  }

  /** u16 length and NUL-terminated strings, as many whole ones as fit, then what fits of the next. */
  list16(list: readonly string[]): void {
    this.str16(list.length === 0 ? "" : `${list.join("\0")}\0`, MAX_LIST);
  }

  address(a: number | string): void {
    if (typeof a === "string") this.text(a.padEnd(16, "\0"), 16);
    else {
      const at = this.reserve(4);
      this.view.setUint32(at, a, false);
    }
  }

  zeros(n: number): void {
    const at = this.reserve(n);
    this.bytes.fill(0, at, at + n);
  }

  begin(type: number): void {
    this.at = 0;
    this.u32(type);
    this.u32(0);
  }

  /** Pads and closes the block and hands it over. */
  finish(sink: BlockSink): void {
    this.zeros((4 - (this.at & 3)) & 3);
    const total = this.at + 4;
    this.u32(total);
    this.view.setUint32(4, total, true);
    sink(this.bytes, total);
  }

  /** Begins an entry that states its length; returns what endEntry wants. */
  beginEntry(): number {
    return this.reserve(4);
  }

  /** Fills in the length of an entry; `itself`: the length counts its own four bytes. */
  endEntry(start: number, itself: boolean): void {
    this.view.setUint32(start, this.at - start - (itself ? 0 : 4), true);
  }
}

function sectionHeader(b: BlockBuilder): void {
  b.begin(BLOCK.SECTION);
  b.u32(SECTION_MAGIC);
  b.u16(FORMAT_MAJOR);
  b.u16(FORMAT_MINOR);
  b.big(0xffffffffffffffffn);
}

function machineInfo(b: BlockBuilder, machine: MachineInfo): void {
  b.begin(BLOCK.MACHINE);
  b.u32(machine.numCpus);
  b.int64(machine.memorySize);
  b.int64(machine.maxPid);
  const from = b.at;
  b.text(machine.hostname, MAX_HOSTNAME);
  b.zeros(128 - (b.at - from));
  b.big(machine.bootTime);
  b.big(machine.flags);
  b.zeros(16);
}

function processEntry(b: BlockBuilder, p: ProcessEntry): void {
  const start = b.beginEntry();
  b.int64(p.tid);
  b.int64(p.pid);
  b.int64(p.ptid);
  b.int64(p.sid);
  b.int64(p.vpgid);
  b.str16(p.comm, MAX_PATH);
  b.str16(p.exe, MAX_PATH);
  b.str16(p.exepath, MAX_PATH);
  b.list16(p.args);
  b.str16(p.cwd, MAX_PATH);
  b.int64(p.fdlimit);
  b.u32(p.flags);
  b.u32(p.uid);
  b.u32(p.gid);
  b.u32(p.vmSizeKb);
  b.u32(p.vmRssKb);
  b.u32(p.vmSwapKb);
  b.int64(p.pfMajor);
  b.int64(p.pfMinor);
  b.list16(p.env);
  b.int64(p.vtid);
  b.int64(p.vpid);
  b.list16(p.cgroups);
  b.str16(p.root, MAX_PATH);
  b.big(p.pidnsInitStart);
  b.u32(p.tty);
  b.u32(p.loginuid);
  b.u8(p.exeWritable ? 1 : 0);
  b.big(p.capInheritable);
  b.big(p.capPermitted);
  b.big(p.capEffective);
  b.u8(p.exeUpperLayer ? 1 : 0);
  b.big(p.exeIno);
  b.big(p.exeInoCtime);
  b.big(p.exeInoMtime);
  b.u8(p.exeFromMemfd ? 1 : 0);
  b.u8(p.exeLowerLayer ? 1 : 0);
  b.int64(p.pgid);
  b.endEntry(start, true);
}

function fdEntry(b: BlockBuilder, f: FdEntry): void {
  const start = b.beginEntry();
  b.int64(f.fd);
  b.big(f.ino);
  b.u8(f.type & 0xff);
  switch (f.type) {
    case FD_TYPE.IPV4_SOCK:
    case FD_TYPE.IPV6_SOCK:
      b.address(f.sip);
      b.address(f.dip);
      b.u16(f.sport);
      b.u16(f.dport);
      b.u8(f.l4proto);
      break;
    case FD_TYPE.IPV4_SERVSOCK:
    case FD_TYPE.IPV6_SERVSOCK:
      b.address(f.dip);
      b.u16(f.dport);
      b.u8(f.l4proto);
      break;
    case FD_TYPE.UNIX_SOCK:
      b.big(f.unixSource);
      b.big(f.unixPeer);
      b.str16(f.name, MAX_PATH);
      break;
    case FD_TYPE.FILE_V2:
      b.u32(f.openFlags);
      b.str16(f.name, MAX_PATH);
      b.u32(f.dev);
      break;
    default:
      b.str16(f.name, MAX_PATH);
  }
  b.endEntry(start, true);
}

/** Writes the head of a section: section header, machine info and the whole state. */
export function encodeHead(machine: MachineInfo, state: InitialState, sink: BlockSink): void {
  const b = new BlockBuilder();
  sectionHeader(b);
  b.finish(sink);
  machineInfo(b, machine);
  b.finish(sink);
  encodeInterfaces(b, state);
  b.finish(sink);
  encodeUsers(b, state);
  b.finish(sink);
  b.begin(BLOCK.PROCESSES_V9);
  for (const p of state.processes) {
    processEntry(b, p);
    if (b.at > BLOCK_GOAL) {
      b.finish(sink);
      b.begin(BLOCK.PROCESSES_V9);
    }
  }
  b.finish(sink);
  for (const [tid, fds] of state.fds) {
    b.begin(BLOCK.FDS_V2);
    b.int64(tid);
    for (const f of fds) {
      fdEntry(b, f);
      if (b.at > BLOCK_GOAL) {
        b.finish(sink);
        b.begin(BLOCK.FDS_V2);
        b.int64(tid);
      }
    }
    b.finish(sink);
  }
}

function encodeInterfaces(b: BlockBuilder, state: InitialState): void {
  b.begin(BLOCK.INTERFACES_V2);
  for (const i of state.interfaces) {
    const start = b.beginEntry();
    const name = i.name.slice(0, MAX_NAME);
    b.u16(i.family === 4 ? 1 : 2);
    b.u16(name.length);
    b.address(i.address);
    b.address(i.netmask);
    b.address(i.broadcast);
    b.big(i.linkspeed);
    b.text(name, name.length);
    b.endEntry(start, false);
  }
}

function encodeUsers(b: BlockBuilder, state: InitialState): void {
  b.begin(BLOCK.USERS_V2);
  for (const u of state.users) {
    const start = b.beginEntry();
    b.u8(0);
    b.u32(u.uid);
    b.u32(u.gid);
    b.str16(u.name, MAX_NAME);
    b.str16(u.home, MAX_NAME);
    b.str16(u.shell, MAX_NAME);
    b.endEntry(start, true);
  }
  for (const g of state.groups) {
    const start = b.beginEntry();
    b.u8(1);
    b.u32(g.gid);
    b.str16(g.name, MAX_NAME);
    b.endEntry(start, true);
  }
}
