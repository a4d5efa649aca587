// SPDX-License-Identifier: Apache-2.0
// Sockets of one network namespace by inode, from /proc/PID/net/*.
import { readFileSync } from "node:fs";
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
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (e) {
    // A kernel without the protocol has no file, and the process may be gone: both mean no sockets from here.
    const code = (e as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH" || code === "EINVAL" || code === "EACCES" || code === "ENOTDIR")
      return [];
    throw e;
  }
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

function readInet(dir: string, table: InetTable, out: Map<string, SocketEntry>): void {
  const rows: { entry: SocketEntry; listening: boolean }[] = [];
  const serverPorts = new Set<number>();
  for (const line of readTable(`${dir}/${table.file}`)) {
    const f = line.trim().split(/\s+/);
    const local = f[1]?.split(":");
    const remote = f[2]?.split(":");
    const inode = f[9];
    if (local?.[1] === undefined || remote?.[1] === undefined || inode === undefined || inode === "0") continue;
    const parse = table.v6 ? parseV6 : parseV4;
    const lip = parse(local[0] as string);
    const lport = Number.parseInt(local[1], 16);
    const rip = parse(remote[0] as string);
    const rport = Number.parseInt(remote[1], 16);
    const listening = table.l4proto === L4.TCP ? f[3] === TCP_LISTEN : isZero(rip) && rport === 0;
    const type = listening
      ? table.v6
        ? FD_TYPE.IPV6_SERVSOCK
        : FD_TYPE.IPV4_SERVSOCK
      : table.v6
        ? FD_TYPE.IPV6_SOCK
        : FD_TYPE.IPV4_SOCK;
    const entry = emptySocket(type, BigInt(inode));
    entry.l4proto = table.l4proto;
    if (listening) {
      // A server socket keeps its own address in the destination, where tuples have the server.
      entry.dip = lip;
      entry.dport = lport;
      serverPorts.add(lport);
    } else {
      entry.sip = lip;
      entry.sport = lport;
      entry.dip = rip;
      entry.dport = rport;
    }
    rows.push({ entry, listening });
  }
  for (const { entry, listening } of rows) {
    // A connection on a port we listen on was accepted: the client is the other end.
    if (!listening && serverPorts.has(entry.sport)) {
      [entry.sip, entry.dip] = [entry.dip, entry.sip];
      [entry.sport, entry.dport] = [entry.dport, entry.sport];
    }
    out.set(String(entry.ino), entry);
  }
}

/**
 * All sockets of the network namespace that `netDir` (`/proc/PID/net`) shows, by inode in decimal.
 * Unix sockets carry their kernel address in `unixSource`; netlink sockets have FD_TYPE.NETLINK.
 */
export function readSockets(netDir: string): Map<string, SocketEntry> {
  const out = new Map<string, SocketEntry>();
  for (const table of INET_TABLES) readInet(netDir, table, out);
  for (const line of readTable(`${netDir}/unix`)) {
    const m = /^([0-9a-fA-F]+): (?:\S+ ){5}\s*(\d+)(?: (.*))?$/.exec(line);
    if (m === null) continue;
    const entry = emptySocket(FD_TYPE.UNIX_SOCK, BigInt(m[2] as string));
    entry.unixSource = BigInt(`0x${m[1]}`);
    entry.name = m[3] ?? "";
    out.set(m[2] as string, entry);
  }
  for (const line of readTable(`${netDir}/netlink`)) {
    const inode = line.trim().split(/\s+/)[9];
    if (inode !== undefined && inode !== "0") out.set(inode, emptySocket(FD_TYPE.NETLINK, BigInt(inode)));
  }
  return out;
}
