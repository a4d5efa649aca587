// SPDX-License-Identifier: Apache-2.0
// Builds trace files block by block in memory, in every version of every block, so that tests need no capture.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileSource, type OpenOptions, openCapture } from "../../lib/scap/reader.ts";
import { FD_TYPE, type FdEntry, type MachineInfo, NEXT, type ProcessEntry } from "../../lib/scap/source.ts";
import { EVENT_LARGE } from "../../lib/schema/events.ts";
import { type EventSpec, encodeEvent } from "../support/events.ts";

export const BASE_TIME = 1_700_000_000_000_000_000n;

export const u8 = (v: number): Buffer => Buffer.from([v & 0xff]);
export function u16(v: number): Buffer {
  const b = Buffer.alloc(2);
  b.writeUInt16LE(v);
  return b;
}
export function u32(v: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(v >>> 0);
  return b;
}
export function u64(v: number | bigint): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt.asUintN(64, BigInt(v)));
  return b;
}
export const str16 = (s: string): Buffer => Buffer.concat([u16(s.length), Buffer.from(s, "latin1")]);
export const cat = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

/** A block: type, length, body, padding, length. */
export function block(type: number, ...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  const padding = Buffer.alloc((4 - (content.length & 3)) & 3);
  const total = u32(12 + content.length + padding.length);
  return Buffer.concat([u32(type), total, content, padding, total]);
}

export function sectionHeader(
  options: { magic?: number; major?: number; minor?: number; extra?: Buffer } = {},
): Buffer {
  const { magic = 0x1a2b3c4d, major = 1, minor = 2, extra = Buffer.alloc(0) } = options;
  return block(0x0a0d0d0a, u32(magic), u16(major), u16(minor), u64(-1), extra);
}

export const MACHINE: MachineInfo = {
  numCpus: 4,
  memorySize: 8 * 1024 ** 3,
  maxPid: 32768,
  hostname: "testhost",
  bootTime: 1_600_000_000_000_000_001n,
  flags: 5n,
};

export function machineInfo(id = 0x201): Buffer {
  const host = Buffer.alloc(128);
  host.write(MACHINE.hostname);
  return block(
    id,
    u32(MACHINE.numCpus),
    u64(MACHINE.memorySize),
    u64(MACHINE.maxPid),
    host,
    u64(MACHINE.bootTime),
    u64(MACHINE.flags),
    u64(0),
    u64(0),
  );
}

/** A process in which every field has a value of its own. */
export const PROCESS: ProcessEntry = {
  tid: 1234,
  pid: 1230,
  ptid: 1,
  sid: 1200,
  vpgid: 77,
  pgid: 1201,
  comm: "worker",
  exe: "/usr/bin/worker",
  exepath: "/usr/bin/worker-1",
  args: ["-v", "", "last"],
  cwd: "/srv/data/",
  root: "/rootfs",
  fdlimit: 1024,
  flags: 0x20,
  uid: 1000,
  gid: 1001,
  loginuid: 1002,
  vmSizeKb: 10,
  vmRssKb: 11,
  vmSwapKb: 12,
  pfMajor: 13,
  pfMinor: 14,
  env: ["HOME=/root", "EMPTY="],
  vtid: 34,
  vpid: 33,
  cgroups: ["cpu=/a", "memory=/b"],
  pidnsInitStart: 1_690_000_000_000_000_003n,
  tty: 34816,
  capInheritable: 1n,
  capPermitted: 0x1ffffffffffn,
  capEffective: 3n,
  exeIno: 9001n,
  exeInoCtime: 1_680_000_000_000_000_001n,
  exeInoMtime: 1_680_000_000_000_000_002n,
  exeWritable: true,
  exeUpperLayer: true,
  exeLowerLayer: true,
  exeFromMemfd: true,
  startTime: 0n,
};

const list = (items: readonly string[]): Buffer => str16(items.map((s) => `${s}\0`).join(""));

/** How much of a v9 entry's tail older writers of that version wrote. */
export type Tail = "full" | "loginuid" | "pidns";

/** The entry of PROCESS in a list of the given version. */
export function processEntry(version: number, tail: Tail = "full"): Buffer {
  const p = PROCESS;
  const parts: Buffer[] = [u64(p.tid), u64(p.pid), u64(p.ptid)];
  if (version >= 6) parts.push(u64(p.sid));
  if (version >= 8) parts.push(u64(p.vpgid));
  parts.push(str16(p.comm), str16(p.exe));
  if (version >= 7) parts.push(str16(p.exepath));
  parts.push(list(p.args), str16(p.cwd), u64(p.fdlimit), u32(p.flags), u32(p.uid), u32(p.gid));
  if (version >= 2) {
    parts.push(u32(p.vmSizeKb), u32(p.vmRssKb), u32(p.vmSwapKb), u64(p.pfMajor), u64(p.pfMinor));
  }
  if (version >= 3) parts.push(list(p.env));
  if (version >= 4) parts.push(u64(p.vtid), u64(p.vpid), list(p.cgroups));
  if (version >= 5) parts.push(str16(p.root));
  if (version < 9) return cat(...parts);
  if (tail === "loginuid") parts.push(u32(p.loginuid), u8(1), u64(p.capInheritable), u64(p.capPermitted));
  else {
    parts.push(u64(p.pidnsInitStart), u32(p.tty), u32(p.loginuid), u8(1));
    parts.push(u64(p.capInheritable), u64(p.capPermitted), u64(p.capEffective), u8(1));
    if (tail === "full") {
      parts.push(u64(p.exeIno), u64(p.exeInoCtime), u64(p.exeInoMtime), u8(1), u8(1), u64(p.pgid), u32(0xabcd));
    }
  }
  const body = cat(...parts);
  return cat(u32(body.length + 4), body);
}

const NO_FD: FdEntry = {
  fd: 0,
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

const V6A = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x10";
const V6B = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x20";
const latin1 = (s: string): Buffer => Buffer.from(s, "latin1");

/** Descriptors of every form, with the bytes that follow fd, inode and type. */
export const FDS: readonly (readonly [FdEntry, Buffer])[] = [
  [{ ...NO_FD, fd: 0, ino: 7n, type: FD_TYPE.FILE, name: "/dev/null" }, str16("/dev/null")],
  [
    { ...NO_FD, fd: 3, ino: 8n, type: FD_TYPE.FILE_V2, name: "/etc/pass\xe9", openFlags: 1, dev: 0xfe01 },
    cat(u32(1), str16("/etc/pass\xe9"), u32(0xfe01)),
  ],
  [
    { ...NO_FD, fd: 4, type: FD_TYPE.IPV4_SOCK, sip: 0x7f000001, dip: 0xc0000202, sport: 4000, dport: 80, l4proto: 2 },
    cat(Buffer.from([127, 0, 0, 1, 192, 0, 2, 2]), u16(4000), u16(80), u8(2)),
  ],
  [
    { ...NO_FD, fd: 5, type: FD_TYPE.IPV6_SOCK, sip: V6A, dip: V6B, sport: 1, dport: 65535, l4proto: 3 },
    cat(latin1(V6A), latin1(V6B), u16(1), u16(65535), u8(3)),
  ],
  [{ ...NO_FD, fd: 6, type: FD_TYPE.IPV4_SERVSOCK, dip: 0, dport: 8080, l4proto: 2 }, cat(u32(0), u16(8080), u8(2))],
  [
    { ...NO_FD, fd: 7, type: FD_TYPE.IPV6_SERVSOCK, dip: V6B, dport: 443, l4proto: 2 },
    cat(latin1(V6B), u16(443), u8(2)),
  ],
  [
    { ...NO_FD, fd: 8, type: FD_TYPE.UNIX_SOCK, unixSource: 0xffff880000000001n, unixPeer: 2n, name: "/run/s" },
    cat(u64(0xffff880000000001n), u64(2), str16("/run/s")),
  ],
  [{ ...NO_FD, fd: 9, type: FD_TYPE.PIDFD, name: "pidfd" }, str16("pidfd")],
  [{ ...NO_FD, fd: 10, type: FD_TYPE.UNINITIALIZED, name: "" }, str16("")],
];

/** The list of FDS for PROCESS in the given version; v1 has no device. */
export function fdList(version: number, id = version === 1 ? 0x203 : 0x218): Buffer {
  const entries = FDS.map(([fd, rest]) => {
    const tail = version === 1 && fd.type === FD_TYPE.FILE_V2 ? rest.subarray(0, -4) : rest;
    const body = cat(u64(fd.fd), u64(fd.ino), u8(fd.type), tail);
    return version === 1 ? body : cat(u32(body.length + 4), body);
  });
  return block(id, u64(PROCESS.tid), ...entries);
}

/** Two interfaces: IPv4 with link speed, IPv6 without. */
export function interfaceList(version: number, id = version === 1 ? 0x205 : 0x219): Buffer {
  const v4 = cat(
    u16(1),
    u16(4),
    Buffer.from([10, 0, 0, 1, 255, 255, 255, 0, 10, 0, 0, 255]),
    u64(1000),
    latin1("eth0"),
  );
  const v6 = cat(u16(4), u16(2), latin1(V6A), latin1(V6B), latin1(V6A), latin1("lo"));
  return block(id, ...[v4, v6].map((e) => (version === 1 ? e : cat(u32(e.length), e))));
}

export function userList(version: number, id = version === 1 ? 0x206 : 0x220): Buffer {
  const user = cat(u8(0), u32(1000), u32(1001), str16("alice"), str16("/home/alice"), str16("/bin/sh"));
  const group = cat(u8(1), u32(1001), str16("staff"));
  return block(id, ...[user, group].map((e) => (version === 1 ? e : cat(u32(e.length + 4), e))));
}

/** The block of an event: v1 when `version` is 1, with flags when `flags` is not null, LARGE on request. */
export function eventBlock(
  event: Buffer,
  options: { version?: 1 | 2; flags?: number | null; large?: boolean; cpu?: number; id?: number } = {},
): Buffer {
  const { version = 2, flags = null, large = false, cpu = 1 } = options;
  const ids = version === 1 ? [0x204, 0x208] : large ? [0x221, 0x222] : [0x216, 0x217];
  const id = options.id ?? (ids[flags === null ? 0 : 1] as number);
  return block(id, u16(cpu), flags === null ? Buffer.alloc(0) : u32(flags), version === 1 ? downgrade(event) : event);
}

/** A v2 event in the v1 layout. */
function downgrade(event: Buffer): Buffer {
  const old = cat(event.subarray(0, 22), event.subarray(26));
  old.writeUInt32LE(event.readUInt32LE(16) - 4, 16);
  return old;
}

/** An event `n` microseconds after BASE_TIME. */
export function event(spec: EventSpec, n = 0): Buffer {
  return encodeEvent(spec, BASE_TIME + BigInt(n) * 1000n);
}

/** Changes fields of an event's header. */
export function lie(
  original: Buffer,
  change: { length?: number; nparams?: number; type?: number; param0?: number },
): Buffer {
  const e = Buffer.from(original);
  if (change.length !== undefined) e.writeUInt32LE(change.length, 16);
  if (change.type !== undefined) e.writeUInt16LE(change.type, 20);
  if (change.nparams !== undefined) e.writeUInt32LE(change.nparams, 22);
  if (change.param0 !== undefined) {
    if (EVENT_LARGE[e.readUInt16LE(20)] === 1) e.writeUInt32LE(change.param0, 26);
    else e.writeUInt16LE(change.param0, 26);
  }
  return e;
}

const dir = mkdtempSync(join(tmpdir(), "falco-scap-"));
let files = 0;

/** A new path in a directory for tests. */
export function tempPath(suffix = ".scap"): string {
  return join(dir, `${files++}${suffix}`);
}

/** Writes the parts to a file and returns its path. */
export function write(...parts: Buffer[]): string {
  const path = tempPath();
  writeFileSync(path, cat(...parts));
  return path;
}

/** One delivered event, copied out of the cursor. */
export interface Seen {
  num: number;
  type: number;
  tid: number;
  cpu: number;
  ts: number;
  flags: number;
  legacyEnter: boolean;
  recordedType: number;
  params: string[];
  section: number;
}

export interface Reading {
  source: FileSource;
  events: Seen[];
  /** Message of the error that ended reading; null at the end of a whole file. */
  error: Error | null;
}

/** Reads a capture to its end or damage; throws only when it cannot be opened. */
export async function readAll(path: string, options: OpenOptions = {}): Promise<Reading> {
  const source = await openCapture(path, options);
  const events: Seen[] = [];
  let error: Error | null = null;
  let section = 1;
  try {
    do {
      let result = source.next();
      for (; result === NEXT.EVENT || result === NEXT.SECTION; result = source.next()) {
        if (result === NEXT.SECTION) {
          section++;
          continue;
        }
        const c = source.cursor;
        const params: string[] = [];
        for (let i = 0; i < c.nparams; i++) params.push(c.raw(i));
        const { num, type, tid, cpu, ts, flags, legacyEnter } = c;
        events.push({
          num,
          type,
          tid,
          cpu,
          ts,
          flags,
          legacyEnter,
          recordedType: c.recorded?.type ?? type,
          params,
          section,
        });
      }
    } while (await source.more());
  } catch (thrown) {
    error = thrown as Error;
  }
  await source.close();
  return { source, events, error };
}
