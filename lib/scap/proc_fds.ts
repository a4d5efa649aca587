// SPDX-License-Identifier: Apache-2.0
// Open descriptors of a process, from /proc/PID/fd and fdinfo.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { unlessRefused } from "./proc_errors.ts";
import { readSockets, type SocketEntry } from "./proc_net.ts";
import { type EventClock, FD_TYPE, type FdEntry, L4 } from "./source.ts";

/** Kernel open flags (octal in fdinfo) and the schema's flags for them. */
const OPEN_FLAGS: readonly (readonly [kernel: number, schema: number])[] = [
  [0o100, 4], // O_CREAT
  [0o200, 32], // O_EXCL
  [0o1000, 256], // O_TRUNC
  [0o2000, 8], // O_APPEND
  [0o4000, 64], // O_NONBLOCK
  [0o10000, 16], // O_DSYNC
  [0o40000, 512], // O_DIRECT
  [0o100000, 2048], // O_LARGEFILE
  [0o200000, 1024], // O_DIRECTORY
  [0o4000000, 128], // O_SYNC
  [0o20000000, 8192], // O_TMPFILE
  [0o2000000, 4096], // O_CLOEXEC
];
const ACCESS_MODES = [1, 2, 3, 0] as const;

/** Kernel open flags as the schema has them. */
export function schemaOpenFlags(kernel: number): number {
  let out: number = ACCESS_MODES[(kernel & 3) as 0 | 1 | 2 | 3];
  for (const [bit, flag] of OPEN_FLAGS) if (kernel & bit) out |= flag;
  return out;
}

/** Anonymous inode kinds by the text between "anon_inode:" and the first non-name character. */
const ANON_TYPES: Readonly<Record<string, number>> = {
  eventpoll: FD_TYPE.EVENTPOLL,
  inotify: FD_TYPE.INOTIFY,
  signalfd: FD_TYPE.SIGNALFD,
  timerfd: FD_TYPE.TIMERFD,
  eventfd: FD_TYPE.EVENT,
  userfaultfd: FD_TYPE.USERFAULTFD,
  io_uring: FD_TYPE.IO_URING,
  pidfd: FD_TYPE.PIDFD,
};

function anonType(name: string): number {
  const key = /^anon_inode:\[?([a-z_0-9]+)/.exec(name)?.[1] ?? "";
  return key.startsWith("bpf") ? FD_TYPE.BPF : (ANON_TYPES[key] ?? FD_TYPE.UNSUPPORTED);
}

/** Device number as the schema has it: the kernel's new_encode_dev form, from major and minor of stat's st_dev. */
function schemaDev(dev: number): number {
  const low = dev % 0x100000000;
  const major = (low >>> 8) & 0xfff;
  const minor = (low & 0xff) | ((low >>> 12) & 0xfff00);
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** What a file says of itself: inode, device as the schema has it, mode, and the kernel's open flags. */
export interface FileFacts {
  ino: bigint;
  dev: number;
  mode: number;
  flags: number;
}

function entry(fd: number, type: number, name: string): FdEntry {
  return {
    fd,
    ino: 0n,
    type,
    name,
    openFlags: 0,
    dev: 0,
    sip: 0,
    dip: 0,
    sport: 0,
    dport: 0,
    l4proto: L4.UNKNOWN,
    unixSource: 0n,
    unixPeer: 0n,
  };
}

/**
 * A descriptor that its link text (of /proc/PID/fd) tells all about: sockets, which are looked up elsewhere, pipes, and what
 * has no file. Undefined for the others.
 */
export function namedFd(fd: number, link: string): FdEntry | undefined {
  const socket = link.startsWith("socket:[");
  if (socket || link.startsWith("pipe:[")) {
    const e = entry(fd, socket ? FD_TYPE.UNSUPPORTED : FD_TYPE.FIFO, link);
    e.ino = BigInt(link.slice(link.indexOf("[") + 1, -1));
    return e;
  }
  return link.startsWith("anon_inode:") ? entry(fd, anonType(link), link) : undefined;
}

const MODE_TYPE = 0o170000;
/** Descriptor types by the type bits of a mode; all others are files. */
const MODE_TYPES: ReadonlyMap<number, number> = new Map([
  [0o040000, FD_TYPE.DIRECTORY],
  [0o010000, FD_TYPE.FIFO],
  [0o140000, FD_TYPE.UNSUPPORTED],
]);

/** A descriptor of a file with a path, which is its link text. */
export function fileFd(fd: number, link: string, facts: FileFacts): FdEntry {
  const memfd = link.startsWith("/memfd:");
  const type = memfd ? FD_TYPE.MEMFD : (MODE_TYPES.get(facts.mode & MODE_TYPE) ?? FD_TYPE.FILE_V2);
  const e = entry(fd, type, memfd ? link.slice(7).replace(/ \(deleted\)$/, "") : link);
  e.ino = facts.ino;
  if (type === FD_TYPE.FILE_V2) {
    e.dev = facts.dev;
    e.openFlags = schemaOpenFlags(facts.flags);
  }
  return e;
}

/** Reads descriptors; what sockets are is told at the end, for all together. */
export class FdScanner {
  /** Directories of processes (`/proc/PID`) by the network namespace they are in. */
  private readonly namespaces = new Map<string, string[]>();
  private readonly sockets: FdEntry[] = [];

  /** With the clock of the events, entries tell when they were read. */
  constructor(private readonly now?: EventClock) {}

  /**
   * Descriptors of the process at `procDir` (`/proc/PID`), in no particular order; those that close while we look are
   * left out. Empty when the process is gone or may not be looked into. Sockets are known after `settle()`.
   */
  read(procDir: string): FdEntry[] {
    const names = unlessRefused(() => readdirSync(`${procDir}/fd`)) ?? [];
    return names.map((name) => this.readFd(procDir, Number(name))).filter((e) => e !== undefined);
  }

  /** One descriptor of the process at `procDir`; undefined when it is closed, or may not be looked into. */
  readFd(procDir: string, fd: number): FdEntry | undefined {
    const readTs = this.now?.();
    const found = unlessRefused(() => this.readOne(procDir, fd));
    if (found !== undefined && readTs !== undefined) found.readTs = readTs;
    return found;
  }

  /**
   * Fills in what the sockets are that were found: from the tables of all namespaces in which there were any. A socket may be of
   * another namespace than the process that has it.
   */
  settle(): void {
    if (this.sockets.length === 0) return;
    const known = new Map<string, SocketEntry>();
    for (const [namespace, dirs] of this.namespaces) {
      const dir = dirs.find((d) => networkOf(d) === namespace);
      if (dir !== undefined) readSockets(`${dir}/net`, known);
    }
    for (const entry of this.sockets) Object.assign(entry, known.get(String(entry.ino)));
    this.sockets.length = 0;
    this.namespaces.clear();
  }

  private foundSocket(procDir: string, socket: FdEntry): void {
    this.sockets.push(socket);
    const namespace = networkOf(procDir);
    if (namespace === undefined) return;
    const dirs = this.namespaces.get(namespace);
    if (dirs === undefined) this.namespaces.set(namespace, [procDir]);
    else if (dirs[dirs.length - 1] !== procDir) dirs.push(procDir);
  }

  private readOne(procDir: string, fd: number): FdEntry {
    const link = linkText(`${procDir}/fd/${fd}`);
    const named = namedFd(fd, link);
    if (named !== undefined) {
      if (link.startsWith("socket:")) this.foundSocket(procDir, named);
      return named;
    }
    const stat = statSync(`${procDir}/fd/${fd}`);
    const flags = stat.isFile() || stat.isCharacterDevice() || stat.isBlockDevice() ? openFlags(procDir, fd) : 0;
    return fileFd(fd, link, { ino: BigInt(stat.ino), dev: schemaDev(stat.dev), mode: stat.mode, flags });
  }
}

/** What a link says; "" when that is longer than the kernel tells. */
function linkText(path: string): string {
  try {
    return Buffer.from(readlinkSync(path, "buffer")).latin1Slice();
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENAMETOOLONG") return "";
    throw e;
  }
}

/** The network namespace of a process. */
function networkOf(procDir: string): string | undefined {
  return unlessRefused(() => readlinkSync(`${procDir}/ns/net`));
}

function openFlags(procDir: string, fd: number): number {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`${procDir}/fdinfo/${fd}`, "latin1"))?.[1];
  return flags === undefined ? 0 : Number.parseInt(flags, 8);
}
