// SPDX-License-Identifier: Apache-2.0
// State of a running machine from the probe's iterators: takes their records (driver/modern_bpf/iterators.h) apart.
import { readlinkSync } from "node:fs";
import { FieldReader } from "./lists.ts";
import { fileFd, namedFd } from "./proc_fds.ts";
import { inetSocket, netlinkSocket, type SocketEntry, unixName, unixSocket } from "./proc_net.ts";
import { cgroupLabels, exeFacts, hostRoot, readMemory, type Tasks, threadFlags } from "./proc_scan.ts";
import { type FdEntry, L4, type ProcessEntry } from "./source.ts";

/** Gives the records of an iterator (SHIM_ITERATE) one by one: the reader stands behind the length, its limit is the end. */
export type Iterate = (which: "tasks" | "files", record: (r: FieldReader) => void) => void;

/** Namespaces in which a process has the numbers and paths that the kernel itself uses, by the number of their inode. */
const FIRST_NAMESPACES: readonly (readonly [name: string, inode: number])[] = [
  ["pid", 0xeffffffc],
  ["user", 0xeffffffd],
  ["cgroup", 0xeffffffb],
];

/** Why the iterators would not tell what /proc tells us; null when they would. */
export function reasonForProc(): string | null {
  if (hostRoot() !== "") return "HOST_ROOT is set";
  for (const [name, inode] of FIRST_NAMESPACES) {
    if (readlinkSync(`/proc/self/ns/${name}`) !== `${name}:[${inode}]`)
      return `this is not the first ${name} namespace`;
  }
  return null;
}

/** A place that an iterator names; what is deleted says so, as in /proc. */
function place(r: FieldReader): string {
  const path = r.str16();
  return r.u8() === 1 ? `${path} (deleted)` : path;
}

const TWO32 = 4294967296;

/** Time of a record, relative to a base time, exact. */
class RecordClock {
  private readonly low: number;
  private readonly high: number;

  constructor(base: bigint) {
    this.low = Number(base & 0xffffffffn);
    this.high = Number(base >> 32n);
  }

  read(r: FieldReader): number {
    const low = r.u32();
    return (r.u32() - this.high) * TWO32 + (low - this.low);
  }
}

/** Takes records of tasks; texts that many tasks share are taken apart once. */
class TaskReader {
  readonly processes: ProcessEntry[] = [];
  /** Everything that is there, threads of the kernel included. */
  readonly known = new Set<number>();
  private readonly labels = cgroupLabels();
  private readonly cgroups = new Map<string, string[]>();
  /** Faults of threads that have ended, by process. */
  private readonly endedFaults = new Map<number, [major: number, minor: number]>();
  private readonly leaders = new Map<number, ProcessEntry>();

  constructor(private readonly clock: RecordClock) {}

  readonly take = (r: FieldReader): void => {
    const readTs = this.clock.read(r);
    const tid = r.u32();
    const pid = r.u32();
    this.known.add(tid);
    if (r.at === r.limit) return;
    const startTime = r.big();
    const ptid = r.u32();
    const sid = r.u32();
    const pgid = r.u32();
    const vpgid = r.u32();
    const vtid = r.u32();
    const vpid = r.u32();
    const uid = r.u32();
    const gid = r.u32();
    const loginuid = r.u32();
    const tty = r.u32();
    const fdlimit = r.i64();
    const capInheritable = r.big();
    const capPermitted = r.big();
    const capEffective = r.big();
    const vmSizeKb = r.u32();
    const vmRssKb = r.u32();
    const vmSwapKb = r.u32();
    const pfMajor = r.u64();
    const pfMinor = r.u64();
    this.endedFaults.set(pid, [r.u64(), r.u64()]);
    const comm = r.str16();
    const exepath = r.str16();
    r.u8();
    const exe = { ino: r.big(), ctimeNs: r.big(), mtimeNs: r.big(), mode: r.u32(), uid: r.u32(), gid: r.u32() };
    const layer = r.u8();
    const cwd = place(r);
    const root = place(r);
    const entry: ProcessEntry = {
      tid,
      pid,
      ptid,
      sid,
      vpgid,
      pgid,
      comm,
      exe: "",
      // A file of memory only has a name without a directory.
      exepath: exepath.startsWith("memfd:") ? `/${exepath}` : exepath,
      args: [],
      cwd,
      root,
      fdlimit,
      flags: threadFlags(tid, pid, vtid),
      uid,
      gid,
      loginuid,
      vmSizeKb,
      vmRssKb,
      vmSwapKb,
      pfMajor,
      pfMinor,
      env: [],
      vtid,
      vpid,
      cgroups: this.cgroupsOf(r.text(r.u16())),
      pidnsInitStart: 0n,
      tty,
      capInheritable,
      capPermitted,
      capEffective,
      ...exeFacts(exe, uid, gid),
      exeUpperLayer: layer === 1,
      exeLowerLayer: layer === 2,
      exeFromMemfd: exepath.startsWith("memfd:"),
      startTime,
      readTs,
    };
    this.processes.push(entry);
    if (tid === pid) this.leaders.set(pid, entry);
  };

  private cgroupsOf(block: string): string[] {
    let list = this.cgroups.get(block);
    if (list === undefined) {
      const paths = new Map<number, string>();
      const bytes = Buffer.from(block, "latin1");
      const r = new FieldReader();
      r.set(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
      while (r.at < r.limit && !r.short) {
        const hierarchy = r.u32();
        paths.set(hierarchy, r.str16());
      }
      list = [];
      for (const [hierarchy, names] of this.labels) {
        const path = paths.get(hierarchy);
        if (path !== undefined) for (const name of names) list.push(`${name}=${path}`);
      }
      this.cgroups.set(block, list);
    }
    return list;
  }

  /** What is not in the records: the memory of processes, which threads share, and their faults as /proc counts them. */
  finish(): void {
    const faults = this.endedFaults;
    for (const p of this.processes) {
      const total = faults.get(p.pid);
      if (total !== undefined) {
        total[0] += p.pfMajor;
        total[1] += p.pfMinor;
      }
      // A leader may have ended before its threads.
      if (p.tid === p.pid || !this.leaders.has(p.pid)) Object.assign(p, readMemory(`/proc/${p.tid}`));
    }
    for (const p of this.processes) {
      if (p.tid === p.pid) [p.pfMajor, p.pfMinor] = faults.get(p.pid) ?? [0, 0];
      const leader = this.leaders.get(p.pid);
      if (leader !== undefined) [p.exe, p.args, p.env] = [leader.exe, leader.args, leader.env];
    }
  }
}

const AF = Object.freeze({ UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const);
const SOCK_RAW = 3;
/** Transport protocols by the kernel's number. */
const PROTOCOLS: Readonly<Record<number, number>> = { 1: L4.ICMP, 6: L4.TCP, 17: L4.UDP, 58: L4.ICMP };
const TCP_LISTEN = 10;

/** A port as the kernel keeps it on the network's side: big-endian. */
function networkPort(v: number): number {
  return ((v & 0xff) << 8) | (v >>> 8);
}

/** The socket at the end of a record of a file; undefined for families that descriptors say nothing of. */
function readSocket(r: FieldReader, ino: bigint): SocketEntry | undefined {
  const family = r.u16();
  const type = r.u16();
  const protocol = r.u16();
  const state = r.u8();
  if (family === AF.NETLINK) return netlinkSocket(ino);
  if (family === AF.UNIX) {
    const source = r.big();
    const peer = r.big();
    return unixSocket(ino, source, peer, unixName(r.text(r.u16())));
  }
  if (family !== AF.INET && family !== AF.INET6) return undefined;
  const l4proto = type === SOCK_RAW ? L4.RAW : PROTOCOLS[protocol];
  if (l4proto === undefined) return undefined;
  const lport = r.u16();
  const rport = networkPort(r.u16());
  const version = family === AF.INET ? 4 : 6;
  const lip = r.address(version);
  const rip = r.address(version);
  return inetSocket(ino, { v6: version === 6, l4proto, lip, lport, rip, rport, listening: state === TCP_LISTEN });
}

/** Tasks and their descriptors, as the iterators of a probe give them; times are relative to `baseTime`. */
export function readIterators(iterate: Iterate, baseTime: bigint): Tasks {
  const clock = new RecordClock(baseTime);
  const tasks = new TaskReader(clock);
  iterate("tasks", tasks.take);
  tasks.finish();
  const fds = new Map<number, FdEntry[]>(tasks.processes.filter((p) => p.tid === p.pid).map((p) => [p.tid, []]));
  iterate("files", (r) => {
    const readTs = clock.read(r);
    const list = fds.get(r.u32());
    if (list === undefined) return;
    const fd = r.u32();
    const ino = r.big();
    const dev = r.u32();
    const mode = r.u32();
    const flags = r.u32();
    const link = r.text(r.u16());
    const entry = namedFd(fd, link) ?? fileFd(fd, link, { ino, dev, mode, flags });
    if (r.at < r.limit) Object.assign(entry, readSocket(r, ino));
    entry.readTs = readTs;
    list.push(entry);
  });
  return { processes: tasks.processes, fds, known: tasks.known };
}
