// SPDX-License-Identifier: Apache-2.0
// State of a running machine: processes and threads from /proc.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { FdScanner } from "./proc_fds.ts";
import { readBootTime, readMachine, readSystem } from "./proc_system.ts";
import type { FdEntry, InitialState, MachineInfo, ProcessEntry } from "./source.ts";

/** PPM_CL bits of a thread that shares its leader's descriptors. */
const CLONE_THREAD = 0x2000;
const CLONE_FILES = 0x1;
const CLONE_CHILD_IN_PIDNS = 0x20000000;
/** Longest argument or environment block kept, as in trace files. */
const MAX_BLOCK = 4096;
const TICKS_PER_SECOND = 100n;
const ANY_EXEC = 0o111;

function vanished(e: unknown): boolean {
  const code = (e as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM" || code === "EINVAL";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (e) {
    if (vanished(e)) return "";
    throw e;
  }
}

function readLink(path: string): string {
  try {
    return Buffer.from(readlinkSync(path, "buffer")).latin1Slice();
  } catch (e) {
    if (vanished(e)) return "";
    throw e;
  }
}

function splitNul(block: string): string[] {
  const text = block.slice(0, MAX_BLOCK);
  return text === "" ? [] : (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** Fields of /proc/PID/status that we use, by name. */
function statusFields(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) out.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return out;
}

function lastNumber(text: string | undefined, absent: number): number {
  const last = text?.split(/\s+/).pop();
  return last === undefined || last === "" ? absent : Number(last);
}

function kb(text: string | undefined): number {
  return text === undefined ? 0 : Number.parseInt(text, 10) || 0;
}

/** Would the process's user and group be allowed to write a file of this mode and owner? */
function writableBy(mode: number, owner: number, group: number, uid: number, gid: number): boolean {
  if (uid === 0) return true;
  if (uid === owner) return (mode & 0o200) !== 0;
  return gid === group ? (mode & 0o020) !== 0 : (mode & 0o002) !== 0;
}

/** Clock of the events: ns since the capture's base time. */
export type EventClock = () => number;

interface ScanContext {
  bootTime: bigint;
  now: EventClock | undefined;
}

/**
 * One process or thread. `dir` is `/proc/PID` or `/proc/PID/task/TID`. Undefined when it is gone, or is a kernel
 * thread (neither command line nor executable).
 */
function readEntry(dir: string, ctx: ScanContext): ProcessEntry | undefined {
  const readTs = ctx.now?.();
  const stat = readText(`${dir}/stat`);
  const status = statusFields(readText(`${dir}/status`));
  const close = stat.lastIndexOf(")");
  if (close < 0 || status.size === 0) return undefined;
  const exepath = readLink(`${dir}/exe`);
  const cmdline = splitNul(readText(`${dir}/cmdline`));
  if (exepath === "" && cmdline.length === 0) return undefined;
  // Fields after the command name: state is number 3 of stat(5).
  const f = stat.slice(close + 2).split(" ");
  const num = (field: number): number => Number(f[field - 3] ?? 0);
  const uid = Number(status.get("Uid")?.split(/\s+/)[1] ?? 0xffffffff);
  const gid = Number(status.get("Gid")?.split(/\s+/)[1] ?? 0xffffffff);
  const tid = Number(status.get("Pid") ?? -1);
  const pid = Number(status.get("Tgid") ?? -1);
  const limit = /^Max open files\s+(\S+)/m.exec(readText(`${dir}/limits`))?.[1];
  const loginuid = readText(`${dir}/loginuid`);
  const cap = (name: string): bigint => BigInt(`0x${status.get(name) ?? "0"}`);
  const entry: ProcessEntry = {
    tid,
    pid,
    ptid: Number(status.get("PPid") ?? -1),
    sid: num(6),
    vpgid: lastNumber(status.get("NSpgid"), num(5)),
    pgid: num(5),
    comm: readText(`${dir}/comm`).replace(/\n$/, ""),
    exe: cmdline[0] ?? "",
    exepath: exepath.replace(/ \(deleted\)$/, ""),
    args: cmdline.slice(1),
    cwd: readLink(`${dir}/cwd`),
    root: readLink(`${dir}/root`),
    fdlimit: limit === undefined ? 0 : limit === "unlimited" ? -1 : Number(limit),
    flags: tid === pid ? 0 : CLONE_THREAD | CLONE_FILES,
    uid,
    gid,
    loginuid: loginuid === "" ? 0xffffffff : Number(loginuid),
    vmSizeKb: kb(status.get("VmSize")),
    vmRssKb: kb(status.get("VmRSS")),
    vmSwapKb: kb(status.get("VmSwap")),
    pfMajor: num(12),
    pfMinor: num(10),
    env: splitNul(readText(`${dir}/environ`)),
    vtid: lastNumber(status.get("NSpid"), tid),
    vpid: lastNumber(status.get("NStgid"), pid),
    cgroups: readCgroups(dir),
    pidnsInitStart: 0n,
    tty: num(7),
    capInheritable: cap("CapInh"),
    capPermitted: cap("CapPrm"),
    capEffective: cap("CapEff"),
    exeIno: 0n,
    exeInoCtime: 0n,
    exeInoMtime: 0n,
    exeWritable: false,
    exeUpperLayer: false,
    exeLowerLayer: false,
    exeFromMemfd: exepath.startsWith("/memfd:"),
    startTime: ctx.bootTime + (BigInt(f[22 - 3] ?? 0) * 1_000_000_000n) / TICKS_PER_SECOND,
    ...(readTs === undefined ? {} : { readTs }),
  };
  if (entry.vtid !== entry.tid) entry.flags |= CLONE_CHILD_IN_PIDNS;
  readExe(dir, entry);
  return entry;
}

function readExe(dir: string, entry: ProcessEntry): void {
  try {
    const stat = statSync(`${dir}/exe`, { bigint: true });
    entry.exeIno = stat.ino;
    entry.exeInoCtime = stat.ctimeNs;
    entry.exeInoMtime = stat.mtimeNs;
    const mode = Number(stat.mode);
    entry.exeWritable =
      (mode & ANY_EXEC) !== 0 && writableBy(mode, Number(stat.uid), Number(stat.gid), entry.uid, entry.gid);
  } catch (e) {
    if (!vanished(e)) throw e;
  }
}

/** `subsystem=path` strings of /proc/PID/cgroup; the v2 hierarchy has an empty subsystem list there. */
function readCgroups(dir: string): string[] {
  const out: string[] = [];
  for (const line of readText(`${dir}/cgroup`).split("\n")) {
    const first = line.indexOf(":");
    const second = line.indexOf(":", first + 1);
    if (first < 0 || second < 0) continue;
    const subsystems = line.slice(first + 1, second);
    const path = line.slice(second + 1);
    for (const s of subsystems.split(",")) out.push(`${s === "" ? "cgroup2" : s}=${path}`);
  }
  return out;
}

function numericNames(dir: string): string[] {
  try {
    return readdirSync(dir).filter((n) => /^\d+$/.test(n));
  } catch (e) {
    if (vanished(e)) return [];
    throw e;
  }
}

/** Where the host's root is mounted: HOST_ROOT, or "" for this machine itself. */
export function hostRoot(): string {
  return (process.env["HOST_ROOT"] ?? "").replace(/\/+$/, "");
}

/**
 * Reads one thread from /proc, for a thread id met in an event that the state does not know.
 * Undefined when it is gone already.
 */
export function readThread(tid: number, now?: EventClock): { entry: ProcessEntry; fds: FdEntry[] } | undefined {
  const root = hostRoot();
  const dir = `${root}/proc/${tid}`;
  const entry = readEntry(dir, { bootTime: readBootTime(root), now });
  if (entry === undefined) return undefined;
  return { entry, fds: entry.tid === entry.pid ? new FdScanner().read(dir) : [] };
}

/** Reads one descriptor of a process from /proc; undefined when it is closed already. */
export function readFd(pid: number, fd: number): FdEntry | undefined {
  return new FdScanner().readFd(`${hostRoot()}/proc/${pid}`, fd);
}

/** What a scan found. */
export interface Scan {
  machine: MachineInfo;
  state: InitialState;
}

/**
 * Scans the machine: processes, threads, descriptors (sockets of every network namespace), users, groups and
 * interfaces. Honours HOST_ROOT. Processes that end while we look are left out. With the clock of the events, entries
 * tell when they were read.
 */
export function scanMachine(now?: EventClock): Scan {
  const root = hostRoot();
  const machine = readMachine(root);
  const ctx: ScanContext = { bootTime: readBootTime(root), now };
  const processes: ProcessEntry[] = [];
  const fds = new Map<number, FdEntry[]>();
  const scanner = new FdScanner();
  for (const pid of numericNames(`${root}/proc`)) {
    const dir = `${root}/proc/${pid}`;
    const leader = readEntry(dir, ctx);
    if (leader === undefined) continue;
    processes.push(leader);
    fds.set(leader.tid, scanner.read(dir));
    for (const tid of numericNames(`${dir}/task`)) {
      if (tid === pid) continue;
      const thread = readEntry(`${dir}/task/${tid}`, ctx);
      if (thread !== undefined) processes.push(thread);
    }
  }
  setPidNamespaceStarts(processes);
  return { machine, state: { processes, fds, ...readSystem(root) } };
}

/** The start of a pid namespace is the start of the process that is number 1 in it, found by walking up. */
function setPidNamespaceStarts(processes: readonly ProcessEntry[]): void {
  const byTid = new Map(processes.map((p) => [p.tid, p]));
  for (const p of processes) {
    let at: ProcessEntry | undefined = p;
    for (let hops = 0; at !== undefined && at.vpid !== 1 && hops < processes.length; hops++) at = byTid.get(at.ptid);
    p.pidnsInitStart = at?.vpid === 1 ? at.startTime : 0n;
  }
}
