// SPDX-License-Identifier: Apache-2.0
// Short captures built in code, for tests of shipped rules: who acts, and what they do.
import { FD_TYPE, type FdEntry, L4, type ProcessEntry } from "../../../lib/scap/source.ts";
import type { EV } from "../../../lib/schema/tables/enums.ts";
import { FLAG_TABLES } from "../../../lib/schema/tables/flags.ts";
import {
  type EventSpec,
  emptyState,
  fdEntry,
  ip4,
  MemorySource,
  processEntry,
  sockAddrParam,
  tupleParam,
  unixTupleParam,
} from "../../support/events.ts";

/** Thread id of the process that acts. */
const ACTOR = 100;
const CONTAINER = `cpuset=/docker/${"0123456789abcdef".repeat(4)}`;

/** The process that acts. */
export interface Who {
  name?: string;
  path?: string;
  args?: string;
  /** Names of its ancestors, the parent first. */
  parents?: readonly string[];
  uid?: number;
  container?: boolean;
  vpid?: number;
  /** Number of its terminal; 0 none. */
  tty?: number;
  /** Its descriptors. */
  fds?: readonly FdEntry[];
  cwd?: string;
}

export interface Scenario {
  who: Who;
  events: readonly EventSpec[];
}

/** Somebody does something. */
export function act(who: Who, ...events: (EventSpec | readonly EventSpec[])[]): Scenario {
  return { who, events: events.flat() };
}

const USERS = [
  { uid: 0, gid: 0, name: "root", home: "/root", shell: "/bin/bash" },
  { uid: 33, gid: 33, name: "www-data", home: "/var/www", shell: "/usr/sbin/nologin" },
  { uid: 1000, gid: 1000, name: "alice", home: "/home/alice", shell: "/bin/bash" },
];

/** The capture of a scenario. */
export function play({ who, events }: Scenario): MemorySource {
  const cgroups = who.container ? [CONTAINER] : ["cpuset=/"];
  const common = { uid: who.uid ?? 0, gid: who.uid ?? 0, cgroups, tty: who.tty ?? 0 };
  const processes: ProcessEntry[] = [
    processEntry({ tid: 1, ptid: 0, comm: "systemd", exepath: "/usr/lib/systemd/systemd" }),
  ];
  const parents = who.parents ?? ["bash", "sshd"];
  parents.forEach((comm, i) => {
    const tid = ACTOR - 1 - i;
    const ptid = i === parents.length - 1 ? 1 : tid - 1;
    processes.push(
      processEntry({
        ...common,
        tid,
        ptid,
        vpid: who.container ? 10 : tid,
        comm,
        exe: comm,
        exepath: `/usr/bin/${comm}`,
      }),
    );
  });
  const name = who.name ?? parents[0] ?? "bash";
  processes.push(
    processEntry({
      ...common,
      tid: ACTOR,
      ptid: parents.length > 0 ? ACTOR - 1 : 1,
      vpid: who.vpid ?? (who.container ? 20 : ACTOR),
      comm: name,
      exe: name,
      exepath: who.path ?? `/usr/bin/${name}`,
      args: who.args?.split(" ") ?? [],
      cwd: who.cwd ?? "/",
    }),
  );
  const fds = new Map([[ACTOR, [...(who.fds ?? [])]]]);
  const group = who.container ? `${CONTAINER}\0` : "cpuset=/\0";
  const complete = events.map((event) =>
    event.type === "EXECVE_19_X"
      ? { ...event, params: { cgroups: group, uid: common.uid, gid: common.gid, tty: common.tty, ...event.params } }
      : event,
  );
  return new MemorySource([
    { state: emptyState({ processes, fds, users: USERS }), events: complete.map((e) => ({ tid: ACTOR, ...e })) },
  ]);
}

/** Numbers of flags by name in one of the flag tables. */
function flags(table: string, ...names: string[]): number {
  const rows = new Map(FLAG_TABLES[table as keyof typeof FLAG_TABLES] as readonly (readonly [string, number])[]);
  return names.reduce((sum, name) => {
    const value = rows.get(name);
    if (value === undefined) throw new Error(`${table} has no flag ${name}`);
    return sum | value;
  }, 0);
}

export interface ExecOptions {
  /** Argument 0, when it is not the path. */
  argv0?: string;
  name?: string;
  env?: readonly string[];
  /** Names of execve_flags. */
  flags?: readonly string[];
  uid?: number;
}

/** A program is started; arguments are separated by blanks (a no-break space stands for a blank in an argument). */
export function exec(path: string, args = "", options: ExecOptions = {}): EventSpec {
  const name = options.name ?? (path.split("/").at(-1) as string);
  const list = args === "" ? [] : args.split(" ").map((a) => a.replaceAll("\u00a0", " "));
  return {
    type: "EXECVE_19_X",
    params: {
      res: 0,
      exe: options.argv0 ?? path,
      args: list.map((a) => `${a}\0`).join(""),
      tid: ACTOR,
      pid: ACTOR,
      ptid: ACTOR - 1,
      cwd: "",
      fdlimit: 1024,
      comm: name.slice(0, 15),
      env: (options.env ?? ["PATH=/usr/bin"]).map((e) => `${e}\0`).join(""),
      flags: flags("execve_flags", ...(options.flags ?? [])),
      trusted_exepath: path,
      ...(options.uid === undefined ? {} : { uid: options.uid }),
    },
  };
}

/** A shell runs a command line. */
export const sh = (command: string, options: ExecOptions = {}): EventSpec =>
  exec("/bin/sh", `-c ${command.replaceAll(" ", "\u00a0")}`, options);

function opened(path: string, ...names: string[]): EventSpec {
  const params = { fd: 5, dirfd: -100, name: path, flags: flags("file_flags", ...names), mode: 0, dev: 5, ino: 7 };
  return { type: "OPENAT_2_X", params };
}

export const readFile = (path: string): EventSpec => opened(path, "O_RDONLY");
export const writeFile = (path: string): EventSpec => opened(path, "O_WRONLY", "O_CREAT");
export const emptyFile = (path: string): EventSpec => opened(path, "O_WRONLY", "O_CREAT", "O_TRUNC");
/** An attempt to open that fails. */
export const failToRead = (path: string): EventSpec => ({
  ...opened(path, "O_RDONLY"),
  params: { ...(opened(path, "O_RDONLY").params as Record<string, number>), fd: -13 },
});

export const remove = (path: string): EventSpec => ({ type: "UNLINK_2_X", params: { res: 0, path } });
export const rename = (oldpath: string, newpath: string): EventSpec => ({
  type: "RENAME_X",
  params: { res: 0, oldpath, newpath },
});
export const symlink = (target: string, linkpath: string): EventSpec => ({
  type: "SYMLINK_X",
  params: { res: 0, target, linkpath },
});
export const makeDirectory = (path: string): EventSpec => ({
  type: "MKDIR_2_X",
  params: { res: 0, path, mode: 0o755 },
});
/** `mode`: names of chmod_mode. */
export const chmod = (filename: string, ...mode: string[]): EventSpec => ({
  type: "CHMOD_X",
  params: { res: 0, filename, mode: flags("chmod_mode", ...mode) },
});
export const mknod = (path: string, ...mode: string[]): EventSpec => ({
  type: "MKNOD_X",
  params: { res: 0, path, mode: flags("mknod_mode", ...mode), dev: 0x800 },
});
export const mount = (dev: string, dir: string, type: string, ...names: string[]): EventSpec => ({
  type: "MOUNT_X",
  params: { res: 0, dev, dir, type, flags: flags("mount_flags", ...names) },
});
export const unshare = (...names: string[]): EventSpec => ({
  type: "UNSHARE_X",
  params: { res: 0, flags: flags("clone_flags", ...names) },
});
export const ptrace = (request: string): EventSpec => ({
  type: "PTRACE_X",
  params: { res: 0, addr: "", data: "", request: flags("ptrace_requests", request), pid: 55 },
});
export const bpf = (cmd: string): EventSpec => ({
  type: "BPF_2_X",
  params: { fd: 7, cmd: flags("bpf_commands", cmd) },
});
export const setName = (name: string): EventSpec => ({
  type: "PRCTL_X",
  params: { res: 0, option: flags("prctl_options", "PR_SET_NAME"), arg2_str: name, arg2_int: 0 },
});
export const socket = (family: string, fd = 6, type = 1): EventSpec => ({
  type: "SOCKET_X",
  params: { fd, domain: flags("socket_families", family), type, proto: 0, flags: 0 },
});
export const event = (type: keyof typeof EV, params: Record<string, number | string>): EventSpec => ({ type, params });

/** A TCP connection to an address. */
export function connect(address: string, port: number): EventSpec[] {
  const tuple = tupleParam(ip4("10.0.0.5"), 40000, ip4(address), port);
  return [
    socket("AF_INET"),
    { type: "CONNECT_X", params: { res: 0, tuple, fd: 6, addr: sockAddrParam(ip4(address), port) } },
  ];
}

/** A connection to a unix socket. */
export function connectUnix(path: string): EventSpec[] {
  return [
    socket("AF_UNIX"),
    { type: "CONNECT_X", params: { res: 0, tuple: unixTupleParam(1n, 2n, path), fd: 6, addr: `\x01${path}\0` } },
  ];
}

/** A datagram of some size to an address. */
export function sendDatagram(address: string, port: number, size: number): EventSpec[] {
  const tuple = tupleParam(ip4("10.0.0.5"), 40000, ip4(address), port);
  return [socket("AF_INET", 6, 2), { type: "SENDTO_X", params: { res: size, data: "x", fd: 6, size, tuple } }];
}

/** Descriptor entry of a network connection. */
export const connection = (fd: number): FdEntry =>
  fdEntry({
    fd,
    type: FD_TYPE.IPV4_SOCK,
    sip: ip4("10.0.0.5"),
    sport: 40000,
    dip: ip4("203.0.113.9"),
    dport: 4242,
    l4proto: L4.TCP,
  });
export const file = (fd: number, name: string): FdEntry => fdEntry({ fd, type: FD_TYPE.FILE_V2, name, openFlags: 1 });
