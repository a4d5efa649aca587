// SPDX-License-Identifier: Apache-2.0
// Golden field values computed straight from the state, without the fields layer, for the comparison with the reference.
import { FD_TYPE, L4 } from "../../lib/scap/source.ts";
import { EVENT_FLAGS } from "../../lib/schema/events.ts";
import { EF } from "../../lib/schema/tables/enums.ts";
import { formatIp, isLoopback } from "../../lib/sinsp/address.ts";
import { type FdInfo, LAYER, ROLE } from "../../lib/sinsp/fd_info.ts";
import type { Inspector } from "../../lib/sinsp/inspector.ts";
import type { ThreadInfo } from "../../lib/sinsp/thread_info.ts";

/** A value as JSON has it; undefined = the field is missing. */
export type Golden = string | number | boolean | undefined;

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [FD_TYPE.FILE]: "file",
  [FD_TYPE.FILE_V2]: "file",
  [FD_TYPE.DIRECTORY]: "directory",
  [FD_TYPE.IPV4_SOCK]: "ipv4",
  [FD_TYPE.IPV4_SERVSOCK]: "ipv4",
  [FD_TYPE.IPV6_SOCK]: "ipv6",
  [FD_TYPE.IPV6_SERVSOCK]: "ipv6",
  [FD_TYPE.UNIX_SOCK]: "unix",
  [FD_TYPE.FIFO]: "pipe",
  [FD_TYPE.EVENT]: "event",
  [FD_TYPE.SIGNALFD]: "signalfd",
  [FD_TYPE.EVENTPOLL]: "eventpoll",
  [FD_TYPE.INOTIFY]: "inotify",
  [FD_TYPE.TIMERFD]: "timerfd",
  [FD_TYPE.NETLINK]: "netlink",
  [FD_TYPE.BPF]: "bpf",
  [FD_TYPE.USERFAULTFD]: "userfaultfd",
  [FD_TYPE.IO_URING]: "io_uring",
  [FD_TYPE.MEMFD]: "memfd",
  [FD_TYPE.PIDFD]: "pidfd",
};
const L4_NAMES: Readonly<Record<number, string>> = {
  [L4.TCP]: "tcp",
  [L4.UDP]: "udp",
  [L4.ICMP]: "icmp",
  [L4.RAW]: "raw",
};

const CAPS =
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split(
    " ",
  );
function capNames(v: number | bigint): string {
  const b = BigInt(v);
  return CAPS.filter((_, i) => (b >> BigInt(i)) & 1n)
    .map((c) => `CAP_${c}`)
    .join(" ");
}

const isServerSock = (fd: FdInfo) => fd.type === FD_TYPE.IPV4_SERVSOCK || fd.type === FD_TYPE.IPV6_SERVSOCK;
const known = (id: number): Golden => (id < -1 ? undefined : id);
const text = (v: bigint): Golden => (v === 0n ? undefined : Number(v));

type OfThread = (t: ThreadInfo, insp: Inspector) => Golden;
const THREAD_FIELDS: Readonly<Record<string, OfThread>> = {
  "thread.tid": (t) => known(t.tid),
  "thread.vtid": (t) => (t.vtid === -1 ? undefined : t.vtid),
  "thread.ismain": (t) => t.isLeader(),
  "thread.cgroups": (t) => (t.cgroups.length === 0 ? undefined : t.cgroups.join(" ")),
  "thread.cap_permitted": (t) => capNames(t.capPermitted),
  "thread.cap_inheritable": (t) => capNames(t.capInheritable),
  "thread.cap_effective": (t) => capNames(t.capEffective),
  "thread.pfmajor": (t) => t.pfMajor,
  "thread.pfminor": (t) => t.pfMinor,
  "thread.vmsize": (t) => (t.isLeader() ? t.vmSizeKb : 0),
  "proc.pid": (t) => known(t.pid),
  "proc.vpid": (t) => (t.vpid === -1 ? undefined : t.vpid),
  "proc.ppid": (t, insp) => {
    const leader = insp.leaderOf(t);
    const parent = insp.parentOf(leader);
    return parent === undefined ? undefined : insp.leaderOf(parent).pid;
  },
  "proc.pname": (t, insp) => {
    const parent = insp.parentOf(insp.leaderOf(t));
    return parent === undefined ? undefined : insp.leaderOf(parent).comm;
  },
  "proc.name": (t) => t.comm,
  "proc.exe": (t) => t.exe,
  "proc.exepath": (t) => t.exepath,
  "proc.cmdline": (t) => [t.comm, ...t.args].join(" "),
  "proc.cmdnargs": (t) => t.args.length,
  "proc.env": (t, insp) => insp.leaderOf(t).env.join(" "),
  "proc.cwd": (t) => t.cwd,
  "proc.sid": (t) => t.sid,
  "proc.pgid": (t) => t.pgid,
  "proc.vpgid": (t) => t.vpgid,
  "proc.tty": (t) => t.tty,
  "proc.pid.ts": (t, insp) => (Number.isNaN(t.cloneTs) ? undefined : Number(insp.baseTime + BigInt(t.cloneTs))),
  "proc.is_exe_writable": (t) => t.exeWritable,
  "proc.is_exe_upper_layer": (t) => t.exeUpperLayer,
  "proc.is_exe_lower_layer": (t) => t.exeLowerLayer,
  "proc.is_exe_from_memfd": (t) => t.exeFromMemfd,
  "proc.exe_ino": (t) => (t.exeIno === 0 ? undefined : Number(t.exeIno)),
  "proc.exe_ino.ctime": (t) => text(t.exeInoCtime),
  "proc.exe_ino.mtime": (t) => text(t.exeInoMtime),
  "proc.pidns_init_start_ts": (t) => text(t.pidnsInitStart),
  "proc.fdopencount": (t, insp) => insp.leaderOf(t).fds?.size ?? 0,
  "proc.fdlimit": (t, insp) => insp.leaderOf(t).fdlimit,
  "proc.vmsize": (t) => t.vmSizeKb,
  "proc.vmrss": (t) => t.vmRssKb,
  "proc.vmswap": (t) => t.vmSwapKb,
  "proc.nthreads": (t) => t.nthreads,
  "proc.nchilds": (t) => {
    const leader = t.leader;
    return t.nthreads - (leader !== null && !leader.dead ? 1 : 0);
  },
  "user.uid": (t) => t.uid,
  "user.name": (t, insp) => insp.user(t.uid, t.containerId)?.name ?? (t.uid === 0 ? "root" : "<NA>"),
  "user.homedir": (t, insp) => insp.user(t.uid, t.containerId)?.home ?? (t.uid === 0 ? "/root" : "<NA>"),
  "user.loginuid": (t) => (t.loginuid === 0xffffffff ? -1 : t.loginuid),
  "group.gid": (t) => t.gid,
  "group.name": (t, insp) => insp.group(t.gid, t.containerId)?.name ?? (t.gid === 0 ? "root" : "<NA>"),
  "proc.stdin.name": (t) => t.fds?.get(0)?.name,
  "proc.stdout.name": (t) => t.fds?.get(1)?.name,
  "proc.stdout.type": (t) => {
    const fd = t.fds?.get(1);
    return fd === undefined ? undefined : (TYPE_NAMES[fd.type] ?? "<NA>");
  },
};

type OfFd = (fd: FdInfo, insp: Inspector) => Golden;
const FD_FIELDS: Readonly<Record<string, OfFd>> = {
  "fd.type": (fd) => TYPE_NAMES[fd.type] ?? "<NA>",
  "fd.name": (fd) => fd.name,
  "fd.nameraw": (fd) => fd.nameRaw.replaceAll(/\/\/+/g, "/"),
  "fd.l4proto": (fd) =>
    fd.isIp() && (fd.role !== ROLE.UNKNOWN || fd.l4proto === L4.RAW || isServerSock(fd))
      ? (L4_NAMES[fd.l4proto] ?? "<NA>")
      : "<NA>",
  "fd.connected": (fd) => fd.connected,
  "fd.name_changed": (_, insp) => insp.fdNameChanged,
  "fd.dev": (fd) => fd.dev.toString(16).toUpperCase(),
  "fd.ino": (fd) => Number(fd.ino),
  "fd.is_upper_layer": (fd) => (fd.layers & LAYER.UPPER) !== 0,
  "fd.is_lower_layer": (fd) => (fd.layers & LAYER.LOWER) !== 0,
  "fd.cip": (fd) => (fd.isIp() && !isServerSock(fd) && fd.role !== ROLE.UNKNOWN ? formatIp(fd.sip) : undefined),
  "fd.cport": (fd) => (fd.isIp() && !isServerSock(fd) && fd.role !== ROLE.UNKNOWN ? fd.sport : undefined),
  "fd.sip": (fd) => (fd.isIp() && (isServerSock(fd) || fd.role !== ROLE.UNKNOWN) ? formatIp(fd.dip) : undefined),
  "fd.sport": (fd) => (fd.isIp() && (isServerSock(fd) || fd.role !== ROLE.UNKNOWN) ? fd.dport : undefined),
  "fd.is_server": (fd, insp) => {
    if (isServerSock(fd)) return true;
    if (!fd.isIp()) return false;
    return fd.role !== ROLE.UNKNOWN && (isLoopback(fd.dip) || insp.interfaces.some((i) => i.address === fd.dip));
  },
};

/** Names of all fields that are computed here. */
export const STATE_FIELDS: readonly string[] = [...Object.keys(THREAD_FIELDS), "fd.num", ...Object.keys(FD_FIELDS)];

/** Value of a field for the inspector's event. */
export function stateField(insp: Inspector, name: string): Golden {
  const t = insp.thread;
  if (t === null) return name === "thread.tid" ? insp.ev.tid : undefined;
  const ofThread = THREAD_FIELDS[name];
  if (ofThread !== undefined) return ofThread(t, insp);
  const flags = EVENT_FLAGS[insp.ev.type] ?? 0;
  if ((flags & (EF.CREATES_FD | EF.DESTROYS_FD | EF.USES_FD)) === 0) return undefined;
  if (name === "fd.num") return insp.fdNum;
  const fd = insp.fd;
  // Without a descriptor these fields are worked out from the event, which is not the state's business.
  return fd === null ? undefined : FD_FIELDS[name]?.(fd, insp);
}
