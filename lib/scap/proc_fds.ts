// SPDX-License-Identifier: Apache-2.0
// Open descriptors of a process, from /proc/PID/fd and fdinfo.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { readSockets, type SocketEntry } from "./proc_net.ts";
import { FD_TYPE, type FdEntry, L4 } from "./source.ts";

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

function gone(e: unknown): boolean {
  const code = (e as NodeJS.ErrnoException).code;
  return (
    code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM" || code === "ENXIO" || code === "EIO"
  );
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

/** Reads descriptors; remembers the socket tables of each network namespace for the length of one scan. */
export class FdScanner {
  private readonly sockets = new Map<string, Map<string, SocketEntry>>();

  private socketsOf(procDir: string): Map<string, SocketEntry> {
    let ns: string;
    try {
      ns = readlinkSync(`${procDir}/ns/net`);
    } catch (e) {
      if (gone(e)) return new Map();
      throw e;
    }
    let table = this.sockets.get(ns);
    if (table === undefined) {
      table = readSockets(`${procDir}/net`);
      this.sockets.set(ns, table);
    }
    return table;
  }

  /**
   * Descriptors of the process at `procDir` (`/proc/PID`), in no particular order; those that close while we look are
   * left out. Empty when the process is gone or may not be looked into.
   */
  read(procDir: string): FdEntry[] {
    let names: string[];
    try {
      names = readdirSync(`${procDir}/fd`);
    } catch (e) {
      if (gone(e)) return [];
      throw e;
    }
    const out: FdEntry[] = [];
    for (const name of names) {
      try {
        out.push(this.readOne(procDir, Number(name)));
      } catch (e) {
        if (!gone(e)) throw e;
      }
    }
    return out;
  }

  /** One descriptor of the process at `procDir`; undefined when it is closed, or may not be looked into. */
  readFd(procDir: string, fd: number): FdEntry | undefined {
    try {
      return this.readOne(procDir, fd);
    } catch (e) {
      if (gone(e)) return undefined;
      throw e;
    }
  }

  private readOne(procDir: string, fd: number): FdEntry {
    const link = Buffer.from(readlinkSync(`${procDir}/fd/${fd}`, "buffer")).latin1Slice();
    if (link.startsWith("socket:[")) {
      const inode = link.slice(8, -1);
      const socket = this.socketsOf(procDir).get(inode);
      const e = entry(fd, FD_TYPE.UNSUPPORTED, link);
      e.ino = BigInt(inode);
      return socket === undefined ? e : Object.assign(e, socket);
    }
    if (link.startsWith("pipe:[")) {
      const e = entry(fd, FD_TYPE.FIFO, link);
      e.ino = BigInt(link.slice(6, -1));
      return e;
    }
    if (link.startsWith("anon_inode:")) return entry(fd, anonType(link), link);
    const stat = statSync(`${procDir}/fd/${fd}`);
    const memfd = link.startsWith("/memfd:");
    const type = memfd
      ? FD_TYPE.MEMFD
      : stat.isDirectory()
        ? FD_TYPE.DIRECTORY
        : stat.isFIFO()
          ? FD_TYPE.FIFO
          : stat.isSocket()
            ? FD_TYPE.UNSUPPORTED
            : FD_TYPE.FILE_V2;
    const e = entry(fd, type, memfd ? link.slice(7).replace(/ \(deleted\)$/, "") : link);
    e.ino = BigInt(stat.ino);
    if (type === FD_TYPE.FILE_V2) {
      e.dev = schemaDev(stat.dev);
      e.openFlags = this.openFlags(procDir, fd);
    }
    return e;
  }

  private openFlags(procDir: string, fd: number): number {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`${procDir}/fdinfo/${fd}`, "latin1"))?.[1];
    return flags === undefined ? 0 : schemaOpenFlags(Number.parseInt(flags, 8));
  }
}
