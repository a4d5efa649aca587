// SPDX-License-Identifier: Apache-2.0
// Between the lists of a capture (or a /proc scan) and the state: entries into threads and descriptors, and back.
import { FD_TYPE, type FdEntry, L4, type ProcessEntry } from "../scap/source.ts";
import { formatIp } from "./address.ts";
import type { CgroupPool } from "./cgroups.ts";
import { FdInfo, LAYER, ROLE } from "./fd_info.ts";
import { CL, O } from "./flags.ts";
import { ThreadInfo } from "./thread_info.ts";

/** A 64-bit integer in the canonical form: number when exact, else BigInt. */
export function canonical(v: bigint): number | bigint {
  return v <= 0x1fffffffffffffn && v >= -0x1fffffffffffffn ? Number(v) : v;
}

function joinNul(strings: readonly string[]): string {
  let out = "";
  for (const s of strings) out += `${s}\0`;
  return out;
}

/** A thread as a process list has it; not yet in any table. Start times are relative to `baseTime`. */
export function threadOf(entry: ProcessEntry, baseTime: bigint, pool: CgroupPool): ThreadInfo {
  const t = new ThreadInfo();
  t.tid = entry.tid;
  t.pid = entry.pid;
  t.ptid = entry.ptid;
  t.sid = entry.sid;
  t.vtid = entry.vtid;
  t.vpid = entry.vpid;
  t.vpgid = entry.vpgid;
  t.pgid = entry.pgid;
  t.comm = entry.comm;
  t.exe = entry.exe;
  t.exepath = entry.exepath;
  t.uid = entry.uid;
  t.gid = entry.gid;
  t.loginuid = entry.loginuid;
  t.tty = entry.tty;
  t.flags = entry.flags;
  t.fdlimit = entry.fdlimit;
  t.vmSizeKb = entry.vmSizeKb;
  t.vmRssKb = entry.vmRssKb;
  t.vmSwapKb = entry.vmSwapKb;
  t.pfMajor = entry.pfMajor;
  t.pfMinor = entry.pfMinor;
  t.capInheritable = canonical(entry.capInheritable);
  t.capPermitted = canonical(entry.capPermitted);
  t.capEffective = canonical(entry.capEffective);
  t.exeIno = canonical(entry.exeIno);
  t.exeInoCtime = entry.exeInoCtime;
  t.exeInoMtime = entry.exeInoMtime;
  t.exeWritable = entry.exeWritable;
  t.exeUpperLayer = entry.exeUpperLayer;
  t.exeLowerLayer = entry.exeLowerLayer;
  t.exeFromMemfd = entry.exeFromMemfd;
  t.pidnsInitStart = entry.pidnsInitStart;
  if (entry.startTime > 0n) {
    t.cloneTs = Number(entry.startTime - baseTime);
  }
  t.readTs = entry.readTs ?? Number.NEGATIVE_INFINITY;
  t.fs.cwd = entry.cwd === "" || entry.cwd.endsWith("/") ? entry.cwd : `${entry.cwd}/`;
  t.fs.root = entry.root === "" ? "/" : entry.root;
  t.fs.readTs = t.readTs;
  t.argsRaw = joinNul(entry.args);
  t.envRaw = joinNul(entry.env);
  t.cgroupSet = pool.get(joinNul(entry.cgroups));
  return t;
}

/** The entry of a thread, times turned back into ns since the epoch. */
export function entryOf(t: ThreadInfo, baseTime: bigint): ProcessEntry {
  return {
    tid: t.tid,
    pid: t.pid,
    ptid: t.ptid,
    sid: t.sid,
    vpgid: t.vpgid,
    pgid: t.pgid,
    comm: t.comm,
    exe: t.exe,
    exepath: t.exepath,
    args: [...t.args],
    cwd: t.cwd.length > 1 && t.cwd.endsWith("/") ? t.cwd.slice(0, -1) : t.cwd,
    root: t.root,
    fdlimit: t.fdlimit,
    flags: t.flags & ~CL.INVERTED,
    uid: t.uid,
    gid: t.gid,
    loginuid: t.loginuid,
    vmSizeKb: t.vmSizeKb,
    vmRssKb: t.vmRssKb,
    vmSwapKb: t.vmSwapKb,
    pfMajor: t.pfMajor,
    pfMinor: t.pfMinor,
    env: [...t.env],
    vtid: t.vtid,
    vpid: t.vpid,
    cgroups: [...t.cgroups],
    pidnsInitStart: t.pidnsInitStart,
    tty: t.tty,
    capInheritable: BigInt(t.capInheritable),
    capPermitted: BigInt(t.capPermitted),
    capEffective: BigInt(t.capEffective),
    exeIno: BigInt(t.exeIno),
    exeInoCtime: t.exeInoCtime,
    exeInoMtime: t.exeInoMtime,
    exeWritable: t.exeWritable,
    exeUpperLayer: t.exeUpperLayer,
    exeLowerLayer: t.exeLowerLayer,
    exeFromMemfd: t.exeFromMemfd,
    startTime: Number.isNaN(t.cloneTs) ? 0n : baseTime + BigInt(Math.round(t.cloneTs)),
  };
}

/** A descriptor as an fd list has it. Sockets get their role by `fixRoles`. */
export function fdOf(entry: FdEntry): FdInfo {
  const f = new FdInfo();
  f.type = entry.type;
  f.openFlags = entry.openFlags;
  f.dev = entry.dev;
  f.ino = canonical(entry.ino);
  f.l4proto = entry.l4proto;
  f.sip = entry.sip;
  f.sport = entry.sport;
  f.dip = entry.dip;
  f.dport = entry.dport;
  f.unixSource = canonical(entry.unixSource);
  f.unixPeer = canonical(entry.unixPeer);
  if (f.openFlags & O.UPPER_LAYER) f.layers |= LAYER.UPPER;
  if (f.openFlags & O.LOWER_LAYER) f.layers |= LAYER.LOWER;
  if (f.isIp()) {
    // What a list has as port of an ICMP or raw socket is a protocol or identifier, and is shown.
    if (f.isServer() || (f.l4proto !== L4.ICMP && f.l4proto !== L4.RAW)) f.renamed();
    else f.name = `${formatIp(f.sip)}:${f.sport}->${formatIp(f.dip)}:${f.dport}`;
  }
  // Lists of old captures have the line feed of /proc/net/unix behind the path.
  else f.name = entry.name.endsWith("\n") ? entry.name.slice(0, -1) : entry.name;
  if (f.type === FD_TYPE.IPV4_SERVSOCK || f.type === FD_TYPE.IPV6_SERVSOCK) f.role = ROLE.SERVER;
  return f;
}

/** The entry of a descriptor; connections are given from the owner's side (source = own end), as /proc has them. */
export function fdEntryOf(fd: number, f: FdInfo): FdEntry {
  const swap = f.role === ROLE.SERVER && (f.type === FD_TYPE.IPV4_SOCK || f.type === FD_TYPE.IPV6_SOCK);
  return {
    fd,
    ino: BigInt(f.ino),
    type: f.type,
    name: f.isIp() ? "" : f.name,
    openFlags: f.openFlags,
    dev: f.dev,
    sip: swap ? f.dip : f.sip,
    sport: swap ? f.dport : f.sport,
    dip: swap ? f.sip : f.dip,
    dport: swap ? f.sport : f.dport,
    l4proto: f.l4proto,
    unixSource: BigInt(f.unixSource),
    unixPeer: BigInt(f.unixPeer),
  };
}

/**
 * Settles who is client and who is server of the connections of a list, which says only what is local and what is
 * remote: a connection whose local port some process listens on is a server's, and its ends are put in
 * client → server order.
 */
export function fixRoles(fds: readonly FdInfo[], serverPorts: ReadonlySet<number>): void {
  for (const f of fds) {
    if (f.type !== FD_TYPE.IPV4_SOCK && f.type !== FD_TYPE.IPV6_SOCK) continue;
    if (f.l4proto !== L4.TCP && f.dport === 0) continue;
    if (serverPorts.has(f.sport)) {
      f.swapEnds();
      f.role = ROLE.SERVER;
    } else f.role = ROLE.CLIENT;
    f.connected = f.dport !== 0;
    f.renamed();
  }
}

/** Ports that sockets in the list are bound to as servers. */
export function serverPortsOf(fds: Iterable<FdInfo>, into: Set<number> = new Set()): Set<number> {
  for (const f of fds) {
    if (f.type === FD_TYPE.IPV4_SERVSOCK || f.type === FD_TYPE.IPV6_SERVSOCK) into.add(f.dport);
  }
  return into;
}
