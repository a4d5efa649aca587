// SPDX-License-Identifier: Apache-2.0
// Sockets of one network namespace by inode, from /proc/PID/net/*.
import { readFileSync } from "node:fs";
import { unlessRefused } from "./proc_errors.ts";
import { FD_TYPE, type FdEntry, L4 } from "./source.ts";

/** What /proc/net says of one socket: an FdEntry without descriptor number. */
export type SocketEntry = Omit<FdEntry, "fd" | "openFlags" | "dev">;

const TCP_LISTEN = "0A";

/** `/proc/net` writes an IPv4 address as the hex of a native u32; ours is network order read big-endian. */
function parseV4(hex: string): number {
  const v = Number.parseInt(hex, 16);
  return (((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24)) >>> 0;
}

/** Four native u32 words → 16-char byte string. */
function parseV6(hex: string): string {
  let out = "";
  for (let word = 0; word < 4; word++) {
    for (let byte = 3; byte >= 0; byte--) {
      const at = word * 8 + byte * 2;
      out += String.fromCharCode(Number.parseInt(hex.slice(at, at + 2), 16));
    }
  }
  return out;
}

function readTable(path: string): string[] {
  // A kernel without the protocol has no file, and the process may be gone: both mean no sockets from here.
  const text = unlessRefused(() => readFileSync(path, "latin1")) ?? "";
  const lines = text.split("\n");
  lines.shift();
  return lines;
}

interface InetTable {
  file: string;
  v6: boolean;
  l4proto: number;
}

const INET_TABLES: readonly InetTable[] = [
  { file: "tcp", v6: false, l4proto: L4.TCP },
  { file: "udp", v6: false, l4proto: L4.UDP },
  { file: "raw", v6: false, l4proto: L4.RAW },
  { file: "tcp6", v6: true, l4proto: L4.TCP },
  { file: "udp6", v6: true, l4proto: L4.UDP },
  { file: "raw6", v6: true, l4proto: L4.RAW },
];

function emptySocket(type: number, ino: bigint): SocketEntry {
  return { ino, type, name: "", sip: 0, dip: 0, sport: 0, dport: 0, l4proto: L4.UNKNOWN, unixSource: 0n, unixPeer: 0n };
}

function isZero(address: number | string): boolean {
  return typeof address === "number" ? address === 0 : /^\0{16}$/.test(address);
}

/** A socket of the internet families, its own end and the other. */
export interface InetFacts {
  v6: boolean;
  /** L4. */
  l4proto: number;
  lip: number | string;
  lport: number;
  rip: number | string;
  rport: number;
  /** In the state of a TCP socket that listens. */
  listening: boolean;
}

/** A server socket keeps its own address in the destination, where tuples have the server; others go from their own end. */
export function inetSocket(ino: bigint, s: InetFacts): SocketEntry {
  const server = s.l4proto === L4.TCP ? s.listening : s.lport !== 0 && isZero(s.rip) && s.rport === 0;
  const types = server ? [FD_TYPE.IPV4_SERVSOCK, FD_TYPE.IPV6_SERVSOCK] : [FD_TYPE.IPV4_SOCK, FD_TYPE.IPV6_SOCK];
  const entry = emptySocket(types[s.v6 ? 1 : 0] as number, ino);
  entry.l4proto = s.l4proto;
  if (server) {
    entry.dip = s.lip;
    entry.dport = s.lport;
  } else {
    entry.sip = s.lip;
    entry.sport = s.lport;
    entry.dip = s.rip;
    entry.dport = s.rport;
  }
  return entry;
}

/** A unix socket by its address in the kernel, and that of the one it is connected to. */
export function unixSocket(ino: bigint, source: bigint, peer: bigint, name: string): SocketEntry {
  const entry = emptySocket(FD_TYPE.UNIX_SOCK, ino);
  entry.unixSource = source;
  entry.unixPeer = peer;
  entry.name = name;
  return entry;
}

/** The name of a unix socket as /proc/net/unix writes the bytes of its address: `@` for NUL in abstract ones. */
export function unixName(path: string): string {
  if (path.startsWith("\0")) return path.replaceAll("\0", "@");
  return path.endsWith("\0") ? path.slice(0, -1) : path;
}

export function netlinkSocket(ino: bigint): SocketEntry {
  return emptySocket(FD_TYPE.NETLINK, ino);
}

function readInet(dir: string, table: InetTable, out: Map<string, SocketEntry>): void {
  const parse = table.v6 ? parseV6 : parseV4;
  for (const line of readTable(`${dir}/${table.file}`)) {
    const f = line.trim().split(/\s+/);
    const local = f[1]?.split(":");
    const remote = f[2]?.split(":");
    const inode = f[9];
    if (local?.[1] === undefined || remote?.[1] === undefined || inode === undefined || inode === "0") continue;
    const entry = inetSocket(BigInt(inode), {
      v6: table.v6,
      l4proto: table.l4proto,
      lip: parse(local[0] as string),
      lport: Number.parseInt(local[1], 16),
      rip: parse(remote[0] as string),
      rport: Number.parseInt(remote[1], 16),
      listening: f[3] === TCP_LISTEN,
    });
    out.set(inode, entry);
  }
}

/**
 * Adds all sockets of the network namespace that `netDir` (`/proc/PID/net`) shows to `out`, by inode in decimal.
 * Unix sockets carry their kernel address in `unixSource`; netlink sockets have FD_TYPE.NETLINK.
 */
export function readSockets(netDir: string, out: Map<string, SocketEntry>): void {
  for (const table of INET_TABLES) readInet(netDir, table, out);
  for (const line of readTable(`${netDir}/unix`)) {
    const m = /^([0-9a-fA-F]+): (?:\S+ ){5}\s*(\d+)(?: (.*))?$/.exec(line);
    if (m === null) continue;
    out.set(m[2] as string, unixSocket(BigInt(m[2] as string), BigInt(`0x${m[1]}`), 0n, m[3] ?? ""));
  }
  for (const line of readTable(`${netDir}/netlink`)) {
    const inode = line.trim().split(/\s+/)[9];
    if (inode !== undefined && inode !== "0") out.set(inode, netlinkSocket(BigInt(inode)));
  }
}
