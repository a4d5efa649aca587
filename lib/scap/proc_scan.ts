// SPDX-License-Identifier: Apache-2.0
// State of a running machine: processes and threads from /proc.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { unlessRefused } from "./proc_errors.ts";
import { FdScanner } from "./proc_fds.ts";
import { readBootTime, readMachine, readSystem } from "./proc_system.ts";
import type { EventClock, FdEntry, InitialState, MachineInfo, ProcessEntry } from "./source.ts";

/** PPM_CL bits of a thread that shares its leader's descriptors. */
const CLONE_THREAD = 0x2000;
const CLONE_FILES = 0x1;
const CLONE_CHILD_IN_PIDNS = 0x20000000;
/** Longest argument or environment block kept, as in trace files. */
const MAX_BLOCK = 4096;
const TICKS_PER_SECOND = 100n;
const ANY_EXEC = 0o111;

/** Text of a file of /proc; "" when it cannot be had. */
function readText(path: string): string {
  return unlessRefused(() => readFileSync(path, "latin1")) ?? "";
}

function readLink(path: string): string {
  return unlessRefused(() => Buffer.from(readlinkSync(path, "buffer")).latin1Slice()) ?? "";
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

interface ScanContext {
  bootTime: bigint;
  now: EventClock | undefined;
}

/** What belongs to a process and not to each of its threads. */
type OfProcess = Pick<ProcessEntry, keyof ReturnType<typeof readProcess>>;
type OfThread = Omit<ProcessEntry, keyof OfProcess>;

/** Command line and environment of a process, which only /proc gives. */
export function readMemory(dir: string): Pick<ProcessEntry, "exe" | "args" | "env"> {
  const [exe = "", ...args] = splitNul(readText(`${dir}/cmdline`));
  return { exe, args, env: splitNul(readText(`${dir}/environ`)) };
}

function readProcess(dir: string, uid: number, gid: number) {
  const exepath = readLink(`${dir}/exe`);
  const limit = /^Max open files\s+(\S+)/m.exec(readText(`${dir}/limits`))?.[1];
  const loginuid = readText(`${dir}/loginuid`);
  return {
    ...readMemory(dir),
    exepath: exepath.replace(/ \(deleted\)$/, ""),
    cwd: readLink(`${dir}/cwd`),
    root: readLink(`${dir}/root`),
    fdlimit: limit === undefined ? 0 : limit === "unlimited" ? -1 : Number(limit),
    loginuid: loginuid === "" ? 0xffffffff : Number(loginuid),
    exeUpperLayer: false,
    exeLowerLayer: false,
    exeFromMemfd: exepath.startsWith("/memfd:"),
    ...exeFacts(
      unlessRefused(() => statSync(`${dir}/exe`, { bigint: true })),
      uid,
      gid,
    ),
  };
}

/**
 * One process or thread. `dir` is `/proc/PID` or `/proc/PID/task/TID`; what threads have in common is taken from their leader
 * when it is given. Undefined when it is gone, or is a kernel thread (neither command line nor executable).
 */
function readEntry(dir: string, ctx: ScanContext, leader?: ProcessEntry): ProcessEntry | undefined {
  const readTs = ctx.now?.();
  const stat = readText(`${dir}/stat`);
  const status = statusFields(readText(`${dir}/status`));
  const close = stat.lastIndexOf(")");
  if (close < 0 || status.size === 0) return undefined;
  // Fields after the command name: state is number 3 of stat(5).
  const f = stat.slice(close + 2).split(" ");
  const num = (field: number): number => Number(f[field - 3] ?? 0);
  const uid = Number(status.get("Uid")?.split(/\s+/)[1] ?? 0xffffffff);
  const gid = Number(status.get("Gid")?.split(/\s+/)[1] ?? 0xffffffff);
  const ofProcess: OfProcess = leader ?? readProcess(dir, uid, gid);
  if (ofProcess.exepath === "" && ofProcess.exe === "" && ofProcess.args.length === 0) return undefined;
  const tid = Number(status.get("Pid") ?? -1);
  const pid = Number(status.get("Tgid") ?? -1);
  const vtid = lastNumber(status.get("NSpid"), tid);
  const cap = (name: string): bigint => BigInt(`0x${status.get(name) ?? "0"}`);
  const own: OfThread = {
    tid,
    pid,
    ptid: Number(status.get("PPid") ?? -1),
    sid: num(6),
    vpgid: lastNumber(status.get("NSpgid"), num(5)),
    pgid: num(5),
    comm: stat.slice(stat.indexOf("(") + 1, close),
    flags: threadFlags(tid, pid, vtid),
    uid,
    gid,
    vmSizeKb: kb(status.get("VmSize")),
    vmRssKb: kb(status.get("VmRSS")),
    vmSwapKb: kb(status.get("VmSwap")),
    pfMajor: num(12),
    pfMinor: num(10),
    vtid,
    vpid: lastNumber(status.get("NStgid"), pid),
    cgroups: readCgroups(dir),
    pidnsInitStart: 0n,
    tty: num(7),
    capInheritable: cap("CapInh"),
    capPermitted: cap("CapPrm"),
    capEffective: cap("CapEff"),
    startTime: ctx.bootTime + (BigInt(f[22 - 3] ?? 0) * 1_000_000_000n) / TICKS_PER_SECOND,
    ...(readTs === undefined ? {} : { readTs }),
  };
  return { ...ofProcess, ...own };
}

/** The bits of the birth of a thread that its numbers tell. */
export function threadFlags(tid: number, pid: number, vtid: number): number {
  return (tid === pid ? 0 : CLONE_THREAD | CLONE_FILES) | (vtid === tid ? 0 : CLONE_CHILD_IN_PIDNS);
}

/** What stat says of an executable. */
interface ExeStat {
  ino: bigint;
  ctimeNs: bigint;
  mtimeNs: bigint;
  mode: number | bigint;
  uid: number | bigint;
  gid: number | bigint;
}

/** What an entry says of the file it runs as this user and group; nothing is known of a file that cannot be looked at. */
export function exeFacts(
  exe: ExeStat | undefined,
  uid: number,
  gid: number,
): Pick<ProcessEntry, "exeIno" | "exeInoCtime" | "exeInoMtime" | "exeWritable"> {
  const mode = Number(exe?.mode ?? 0);
  return {
    exeIno: exe?.ino ?? 0n,
    exeInoCtime: exe?.ctimeNs ?? 0n,
    exeInoMtime: exe?.mtimeNs ?? 0n,
    exeWritable: (mode & ANY_EXEC) !== 0 && writableBy(mode, Number(exe?.uid), Number(exe?.gid), uid, gid),
  };
}

/** Lines of a file like /proc/PID/cgroup; the v2 hierarchy has an empty list of subsystems there. */
function cgroupLines(dir: string): { hierarchy: number; subsystems: string[]; path: string }[] {
  const out: { hierarchy: number; subsystems: string[]; path: string }[] = [];
  for (const line of readText(`${dir}/cgroup`).split("\n")) {
    const first = line.indexOf(":");
    const second = line.indexOf(":", first + 1);
    if (first < 0 || second < 0) continue;
    const subsystems = line.slice(first + 1, second).split(",");
    out.push({
      hierarchy: Number(line.slice(0, first)),
      subsystems: subsystems.map((s) => (s === "" ? "cgroup2" : s)),
      path: line.slice(second + 1),
    });
  }
  return out;
}

/** `subsystem=path` strings of a process. */
function readCgroups(dir: string): string[] {
  return cgroupLines(dir).flatMap(({ subsystems, path }) => subsystems.map((s) => `${s}=${path}`));
}

/** The subsystems of every hierarchy, by its number, in the order in which /proc lists them. */
export function cgroupLabels(): Map<number, string[]> {
  return new Map(cgroupLines("/proc/self").map(({ hierarchy, subsystems }) => [hierarchy, subsystems]));
}

function numericNames(dir: string): number[] {
  const names = unlessRefused(() => readdirSync(dir)) ?? [];
  return names.map(Number).filter((n) => Number.isInteger(n));
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
  const scanner = new FdScanner(now);
  const fds = entry.tid === entry.pid ? scanner.read(dir) : [];
  scanner.settle();
  return { entry, fds };
}

/** Reads one descriptor of a process from /proc; undefined when it is closed already. */
export function readFd(pid: number, fd: number, now?: EventClock): FdEntry | undefined {
  const scanner = new FdScanner(now);
  const found = scanner.readFd(`${hostRoot()}/proc/${pid}`, fd);
  scanner.settle();
  return found;
}

/** Processes and threads, and the descriptors of processes. */
export interface Tasks {
  processes: ProcessEntry[];
  fds: Map<number, FdEntry[]>;
  /** Ids that need not be looked for in /proc. */
  known: Set<number>;
}

/** What a scan found. */
export interface Scan {
  machine: MachineInfo;
  state: InitialState;
}

/**
 * Scans the machine: processes, threads, descriptors (sockets of every network namespace), users, groups and
 * interfaces. Honours HOST_ROOT. Processes that end while we look are left out. With the clock of the events, entries
 * tell when they were read. What is in `tasks` already is completed with what /proc has besides.
 */
export function scanMachine(now?: EventClock, tasks?: Tasks): Scan {
  const root = hostRoot();
  const machine = readMachine(root);
  const all = tasks ?? { processes: [], fds: new Map(), known: new Set() };
  scanTasks(all, { bootTime: readBootTime(root), now });
  setPidNamespaceStarts(all.processes);
  return { machine, state: { processes: all.processes, fds: all.fds, ...readSystem(root) } };
}

/** Times that /proc is listed: on a machine where programs start all the time there is always another one. */
const LISTINGS = 4;

/**
 * Adds the processes of /proc that are not known. Looks again for those that were born meanwhile: when its parent had not been
 * read yet, a process may have descriptors that the parent had closed by then.
 */
function scanTasks(tasks: Tasks, ctx: ScanContext): void {
  const { processes, fds, known } = tasks;
  const scanner = new FdScanner(ctx.now);
  const proc = `${hostRoot()}/proc`;
  for (let i = 0; i < LISTINGS; i++) {
    const fresh = numericNames(proc).filter((pid) => !known.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      known.add(pid);
      const dir = `${proc}/${pid}`;
      const leader = readEntry(dir, ctx);
      if (leader === undefined) continue;
      processes.push(leader);
      fds.set(leader.tid, scanner.read(dir));
      for (const tid of numericNames(`${dir}/task`)) {
        if (known.has(tid)) continue;
        known.add(tid);
        const thread = readEntry(`${dir}/task/${tid}`, ctx, leader);
        if (thread !== undefined) processes.push(thread);
      }
    }
  }
  scanner.settle();
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
