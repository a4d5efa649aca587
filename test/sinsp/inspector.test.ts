// SPDX-License-Identifier: Apache-2.0
// The inspector applies events to the state: births, programs, ends, descriptors, credentials.
import { describe, expect, test } from "bun:test";
import { toBytes } from "../../lib/scap/bytes.ts";
import { FD_TYPE, L4, NEXT } from "../../lib/scap/source.ts";
import { ROLE } from "../../lib/sinsp/fd_info.ts";
import { CL, O } from "../../lib/sinsp/flags.ts";
import { Inspector, type InspectorOptions } from "../../lib/sinsp/inspector.ts";
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
} from "../support/events.ts";

const init = processEntry({ tid: 1, ptid: 0, comm: "init" });
const shell = processEntry({
  tid: 100,
  comm: "sh",
  exe: "/bin/sh",
  exepath: "/usr/bin/dash",
  args: ["-c", "true"],
  env: ["HOME=/root", "A=1"],
  cwd: "/home/me",
  sid: 100,
  pgid: 100,
  vpgid: 100,
});

function inspect(events: readonly EventSpec[], opts: InspectorOptions = {}, extra = [init, shell]): Inspector {
  const fds = new Map([[100, [fdEntry({ fd: 0, type: FD_TYPE.FILE_V2, name: "/dev/null" })]]]);
  return new Inspector(new MemorySource([{ state: emptyState({ processes: extra, fds }), events }]), opts);
}

/** Applies all events; the inspector stays on the last one. */
function run(events: readonly EventSpec[], opts: InspectorOptions = {}, extra = [init, shell]): Inspector {
  const insp = inspect(events, opts, extra);
  for (let i = 0; i < events.length; i++) expect(insp.next()).toBe(NEXT.EVENT);
  return insp;
}

const childView = { res: 0, exe: "/bin/sh", args: "-c\0true\0", tid: 200, pid: 200, ptid: 100, comm: "sh", flags: 0 };
const callerView = { res: 200, exe: "/bin/sh", args: "-c\0true\0", tid: 100, pid: 100, ptid: 1, comm: "sh", flags: 0 };
const ids = { uid: 0, gid: 0, fdlimit: 1024, vtid: 200, vpid: 200 };
const cloneCaller: EventSpec = {
  type: "CLONE_20_X",
  tid: 100,
  params: { ...callerView, ...ids, vtid: 100, vpid: 100, cgroups: "cpu=/\0" },
};
const cloneChild: EventSpec = {
  type: "CLONE_20_X",
  tid: 200,
  params: { ...childView, ...ids, cgroups: "cpu=/\0" },
};
const nop = (tid: number): EventSpec => ({ type: "GETUID_X", tid, params: { uid: 0 } });
const openat = (tid: number, fd: number, name: string, flags = 1): EventSpec => ({
  type: "OPENAT_2_X",
  tid,
  params: { fd, dirfd: -100, name, flags, mode: 0, dev: 5, ino: 7 },
});
const exit = (tid: number, reaper: number): EventSpec => ({
  type: "PROCEXIT_1_E",
  tid,
  params: { status: 0, ret: 0, sig: 0, core: 0, reaper_tid: reaper },
});

describe("clone", () => {
  const orders: readonly (readonly [string, readonly EventSpec[]])[] = [
    ["caller first", [cloneCaller, cloneChild]],
    ["child first", [cloneChild, cloneCaller]],
    ["caller alone", [cloneCaller]],
    ["child alone", [cloneChild]],
  ];
  for (const [name, events] of orders) {
    test(`${name}: the child is the same`, () => {
      const insp = run(events);
      const child = insp.getThread(200);
      if (child === undefined) throw new Error("no child");
      expect(child).toMatchObject({ pid: 200, ptid: 100, comm: "sh", exe: "/bin/sh", exepath: "/usr/bin/dash" });
      expect(child).toMatchObject({ sid: 100, pgid: 100, cwd: "/home/me/", invalid: false, nthreads: 1 });
      expect(child.args).toEqual(["-c", "true"]);
      expect(child.env).toEqual(["HOME=/root", "A=1"]);
      expect(child.fds?.get(0)?.name).toBe("/dev/null");
      expect(insp.threads.size).toBe(3);
      expect(insp.parentOf(child)?.comm).toBe("sh");
    });
  }

  test("the child's descriptors are its own", () => {
    const insp = run([cloneCaller, openat(200, 3, "/etc/passwd")]);
    expect(insp.getThread(200)?.fds?.get(3)?.name).toBe("/etc/passwd");
    expect(insp.getThread(100)?.fds?.get(3)).toBeUndefined();
  });

  test("threads share descriptors and directory and count in the group", () => {
    const thread: EventSpec = {
      type: "CLONE3_X",
      tid: 100,
      params: { ...callerView, ...ids, res: 201, vtid: 100, vpid: 100, flags: CL.THREAD | CL.FILES | CL.FS },
    };
    const insp = run([thread, openat(201, 3, "x"), { type: "CHDIR_X", tid: 201, params: { res: 0, path: "/tmp" } }]);
    const leader = insp.getThread(100);
    expect(leader?.fds?.get(3)?.name).toBe("/home/me/x");
    expect(leader?.cwd).toBe("/tmp/");
    expect(leader?.nthreads).toBe(2);
    expect(insp.getThread(201)).toMatchObject({ pid: 100, ptid: 1 });
  });

  test("vfork, CLONE_PARENT and a caller in a pid namespace leave the child to its own event", () => {
    const vfork: EventSpec = { ...cloneCaller, type: "VFORK_20_X" };
    const inNamespace: EventSpec = { ...cloneCaller, params: { ...cloneCaller.params, vtid: 7, vpid: 7 } };
    const parent: EventSpec = { ...cloneCaller, params: { ...cloneCaller.params, flags: CL.PARENT } };
    for (const event of [vfork, inNamespace, parent]) expect(run([event]).getThread(200)).toBeUndefined();
  });

  test("a child that has exited already is not born again by its caller's late event", () => {
    expect(run([cloneChild, exit(200, 1), nop(100), cloneCaller]).getThread(200)).toBeUndefined();
  });

  test("an id used again is a new process", () => {
    const later: EventSpec = { ...cloneChild, ts: 5e9, params: { ...cloneChild.params, comm: "other" } };
    const insp = run([cloneChild, openat(200, 9, "/a"), later]);
    expect(insp.getThread(200)?.comm).toBe("other");
    expect(insp.getThread(200)?.fds?.get(9)).toBeUndefined();
  });

  test("a failed clone changes nothing", () => {
    expect(run([{ ...cloneCaller, params: { ...cloneCaller.params, res: -11 } }]).threads.size).toBe(2);
  });
});

const execParams = {
  res: 0,
  exe: "/usr/bin/python3",
  args: "-m\0x\0",
  tid: 100,
  pid: 100,
  ptid: 1,
  fdlimit: 2048,
  comm: "python3",
  cgroups: "cpu=/\0",
  env: "P=2\0",
  tty: 34816,
  vpgid: 100,
  loginuid: 1000,
  flags: 1,
  cap_inheritable: 0,
  cap_permitted: 0x1ffffffffffn,
  cap_effective: 3,
  exe_ino: 77,
  exe_ino_ctime: 1,
  exe_ino_mtime: 2,
  uid: 1000,
  gid: 1001,
  pgid: 100,
  trusted_exepath: "/usr/bin/python3.11",
};

describe("execve", () => {
  test("the process becomes the new program", () => {
    const insp = run([{ type: "EXECVE_19_X", params: execParams }]);
    expect(insp.thread).toMatchObject({
      comm: "python3",
      exe: "/usr/bin/python3",
      exepath: "/usr/bin/python3.11",
      tty: 34816,
      loginuid: 1000,
      uid: 1000,
      gid: 1001,
      exeIno: 77,
      exeWritable: true,
      capPermitted: 0x1ffffffffff,
      fdlimit: 2048,
    });
    expect(insp.thread?.args).toEqual(["-m", "x"]);
    expect(insp.thread?.env).toEqual(["P=2"]);
  });

  test("descriptors with close-on-exec go", () => {
    const insp = run([
      openat(100, 3, "/a", 1),
      openat(100, 4, "/b", 1 | O.CLOEXEC),
      { type: "EXECVE_19_X", params: execParams },
    ]);
    expect(insp.thread?.fds?.get(3)?.name).toBe("/a");
    expect(insp.thread?.fds?.get(4)).toBeUndefined();
  });

  test("the other threads go, and a leader that was dead lives", () => {
    const thread: EventSpec = {
      type: "CLONE_20_X",
      params: { ...callerView, ...ids, res: 201, vtid: 100, vpid: 100, flags: CL.THREAD },
    };
    const insp = run([thread, exit(100, 0), nop(201), { type: "EXECVE_19_X", params: execParams }]);
    expect(insp.getThread(201)).toBeUndefined();
    expect(insp.getThread(100)).toMatchObject({ dead: false, nthreads: 1, comm: "python3" });
  });

  test("without the kernel's path the enter event's is used", () => {
    const without = { ...execParams, trusted_exepath: null };
    const enter: EventSpec = { type: "EXECVE_19_E", params: { filename: "bin/x" }, legacyEnter: true };
    expect(run([enter, { type: "EXECVE_19_X", params: without }]).thread?.exepath).toBe("/home/me/bin/x");
    const at: EventSpec = { type: "EXECVEAT_E", params: { dirfd: 3, pathname: "y", flags: 0 }, legacyEnter: true };
    const dir = openat(100, 3, "/opt", O.DIRECTORY);
    expect(run([dir, at, { type: "EXECVEAT_X", params: without }]).thread?.exepath).toBe("/opt/y");
    expect(run([{ type: "EXECVE_19_X", params: without }]).thread?.exepath).toBe("<NA>");
  });

  test("a failed execve changes nothing", () => {
    expect(run([{ type: "EXECVE_19_X", params: { ...execParams, res: -2 } }]).thread?.comm).toBe("sh");
  });

  test("introduces a thread that was unknown", () => {
    const insp = run([{ type: "EXECVE_19_X", tid: 300, params: { ...execParams, tid: 300, pid: 300, ptid: 100 } }]);
    expect(insp.thread).toMatchObject({ tid: 300, pid: 300, ptid: 100, comm: "python3", invalid: false });
    expect(insp.getThread(300)).toBe(insp.thread ?? undefined);
  });
});

describe("exit", () => {
  test("the thread is there during its exit event and gone after it", () => {
    const insp = run([cloneChild, exit(200, 1)]);
    expect(insp.thread).toMatchObject({ comm: "sh", dead: true, nthreads: 0 });
    insp.next();
    expect(insp.getThread(200)).toBeUndefined();
  });

  const grandchild: EventSpec = {
    ...cloneChild,
    tid: 300,
    params: { ...childView, ...ids, tid: 300, pid: 300, ptid: 200, vtid: 300, vpid: 300 },
  };
  test("children go to the reaper the kernel names", () => {
    expect(run([cloneChild, grandchild, exit(200, 100), nop(100)]).getThread(300)?.ptid).toBe(100);
  });
  test("children go to init when nobody is named", () => {
    expect(run([cloneChild, grandchild, exit(200, 0), nop(100)]).getThread(300)?.ptid).toBe(1);
  });
  test("children go to the nearest subreaper", () => {
    const reaper: EventSpec = { type: "PRCTL_X", tid: 100, params: { res: 0, option: 36, arg2_int: 1 } };
    const insp = run([reaper, cloneChild, grandchild, exit(200, 0), nop(100)]);
    expect(insp.getThread(100)?.childSubreaper).toBe(true);
    expect(insp.getThread(300)?.ptid).toBe(100);
  });
  test("a leader stays, dead, until its threads are gone", () => {
    const thread: EventSpec = {
      type: "CLONE_20_X",
      params: { ...callerView, ...ids, res: 201, vtid: 100, vpid: 100, flags: CL.THREAD },
    };
    const insp = inspect([thread, exit(100, 0), nop(201), exit(201, 1), nop(1)]);
    for (let i = 0; i < 3; i++) insp.next();
    expect(insp.getThread(100)).toMatchObject({ dead: true, nthreads: 1 });
    insp.next();
    insp.next();
    expect(insp.getThread(100)).toBeUndefined();
    expect(insp.getThread(201)).toBeUndefined();
  });
});

describe("descriptors", () => {
  test("open: relative to the working directory, to a directory, absolute, unknown", () => {
    const at = (dirfd: number, name: string): EventSpec => ({
      type: "OPENAT_2_X",
      params: { fd: 5, dirfd, name, flags: 1, mode: 0, dev: 5, ino: 7 },
    });
    expect(run([at(-100, "../you//f")]).fd?.name).toBe("/home/you/f");
    expect(run([openat(100, 3, "/opt", O.DIRECTORY), at(3, "f")]).fd?.name).toBe("/opt/f");
    expect(run([at(9, "f")]).fd?.name).toBe("<UNKNOWN>f");
    const insp = run([at(9, "/f/./g")]);
    expect(insp.fd).toMatchObject({ name: "/f/g", nameRaw: "/f/./g", dev: 5, ino: 7, type: FD_TYPE.FILE_V2 });
    expect(insp.fdNum).toBe(5);
  });

  test("open: the enter event's path wins, the kernel's flag bits stay", () => {
    const insp = run([
      { type: "OPENAT_2_E", params: { dirfd: -100, name: "/real", flags: 1, mode: 0 } },
      openat(100, 3, "/changed", 3 | O.F_CREATED | O.UPPER_LAYER),
    ]);
    expect(insp.fd).toMatchObject({ name: "/real", openFlags: 1 | O.F_CREATED | O.UPPER_LAYER, layers: 1 });
    const other = run([
      { type: "OPEN_E", params: { name: "/real", flags: 1, mode: 0 } },
      nop(100),
      openat(100, 3, "/own"),
    ]);
    expect(other.fd?.name).toBe("/own");
  });

  test("a failed open has no descriptor", () => {
    const insp = run([openat(100, -2, "/missing")]);
    expect(insp.fdNum).toBe(-1);
    expect(insp.fd).toBeNull();
    expect(insp.rawres).toBe(-2);
  });

  test("close: seen during the event, gone after it; a failed one keeps it", () => {
    const close = (res: number): EventSpec => ({ type: "CLOSE_X", params: { res, fd: 3 } });
    const insp = run([openat(100, 3, "/a"), close(0)]);
    expect(insp.fd?.name).toBe("/a");
    insp.next();
    expect(insp.getThread(100)?.fds?.get(3)).toBeUndefined();
    const kept = run([openat(100, 3, "/a"), close(-9), nop(100)]);
    expect(kept.thread?.fds?.get(3)?.name).toBe("/a");
  });

  test("dup3 copies and sets close-on-exec, dup2 clears it", () => {
    const insp = run([
      openat(100, 3, "/a"),
      { type: "DUP3_X", params: { res: 7, oldfd: 3, newfd: 7, flags: O.CLOEXEC } },
      { type: "DUP2_X", params: { res: 8, oldfd: 7, newfd: 8 } },
    ]);
    expect(insp.fdNum).toBe(8);
    expect(insp.thread?.fds?.get(7)).toMatchObject({ name: "/a", openFlags: 1 | O.CLOEXEC });
    expect(insp.thread?.fds?.get(8)).toMatchObject({ name: "/a", openFlags: 1 });
  });

  test("fcntl duplicates and toggles close-on-exec", () => {
    const fcntl = (res: number, cmd: number, arg: number): EventSpec => ({
      type: "FCNTL_X",
      params: { res, fd: 3, cmd, arg },
    });
    const insp = run([openat(100, 3, "/a"), fcntl(10, 26, 10), fcntl(0, 3, 1)]);
    expect(insp.thread?.fds?.get(10)).toMatchObject({ name: "/a", openFlags: 1 | O.CLOEXEC });
    expect(insp.thread?.fds?.get(3)?.openFlags).toBe(1 | O.CLOEXEC);
    expect(run([openat(100, 3, "/a", 1 | O.CLOEXEC), fcntl(0, 3, 0)]).fd?.openFlags).toBe(1);
  });

  test("close_range closes, or marks", () => {
    const opens = [3, 4, 5].map((n) => openat(100, n, `/${n}`));
    const range = (flags: number): EventSpec => ({
      type: "CLOSE_RANGE_X",
      params: { res: 0, first: 4, last: 0xffffffff, flags },
    });
    expect(run([...opens, range(0)]).thread?.fds?.size).toBe(2);
    const marked = run([...opens, range(4)]);
    expect(marked.thread?.fds?.get(5)?.openFlags).toBe(1 | O.CLOEXEC);
    expect(marked.thread?.fds?.get(3)?.openFlags).toBe(1);
  });

  test("makers give descriptors of their kind", () => {
    const makers: readonly (readonly [EventSpec, number])[] = [
      [{ type: "EVENTFD2_X", params: { res: 3, flags: O.CLOEXEC, initval: 0 } }, FD_TYPE.EVENT],
      [{ type: "SIGNALFD4_X", params: { res: 3, flags: 0, fd: -1, mask: 0 } }, FD_TYPE.SIGNALFD],
      [{ type: "TIMERFD_CREATE_X", params: { res: 3, clockid: 1, flags: 0 } }, FD_TYPE.TIMERFD],
      [{ type: "INOTIFY_INIT1_X", params: { res: 3, flags: 0 } }, FD_TYPE.INOTIFY],
      [{ type: "EPOLL_CREATE1_X", params: { res: 3, flags: 1 } }, FD_TYPE.EVENTPOLL],
      [{ type: "USERFAULTFD_X", params: { res: 3, flags: 0 } }, FD_TYPE.USERFAULTFD],
      [{ type: "IO_URING_SETUP_X", params: { res: 3 } }, FD_TYPE.IO_URING],
      [{ type: "BPF_2_X", params: { fd: 3, cmd: 5 } }, FD_TYPE.BPF],
      [{ type: "MEMFD_CREATE_X", params: { fd: 3, name: "m", flags: 1 } }, FD_TYPE.MEMFD],
      [{ type: "PIDFD_OPEN_X", params: { fd: 3, pid: 1, flags: 0 } }, FD_TYPE.PIDFD],
      [{ type: "PIPE2_X", params: { res: 0, fd1: 2, fd2: 3, ino: 9, flags: 0 } }, FD_TYPE.FIFO],
    ];
    for (const [event, type] of makers) {
      const insp = run([event]);
      expect(insp.fdNum).toBe(3);
      expect(insp.fd?.type).toBe(type);
      expect(insp.thread?.fds?.get(3)).toBe(insp.fd ?? undefined);
    }
    expect(run([{ type: "BPF_2_X", params: { fd: 0, cmd: 1 } }]).fd).toBeNull();
  });

  test("pidfd_getfd takes another process's descriptor", () => {
    const insp = run([
      { type: "PIDFD_OPEN_X", tid: 1, params: { fd: 4, pid: 100, flags: 0 } },
      { type: "PIDFD_GETFD_X", tid: 1, params: { fd: 5, pid_fd: 4, target_fd: 0, flags: 0 } },
    ]);
    expect(insp.fd).toMatchObject({ name: "/dev/null", openFlags: O.CLOEXEC });
  });

  test("more descriptors than the limit are refused and counted", () => {
    const many = Array.from({ length: 4100 }, (_, i) => openat(100, i + 1, "/x"));
    const insp = run(many);
    expect(insp.stats().refusedFds).toBe(5);
    expect(insp.thread?.fds?.size).toBe(4096);
  });
});

describe("sockets", () => {
  const socket: EventSpec = { type: "SOCKET_X", params: { fd: 3, domain: 2, type: 1, proto: 0, flags: 0 } };
  const udp: EventSpec = { type: "SOCKET_X", params: { fd: 3, domain: 2, type: 2, proto: 0, flags: 0 } };
  const [a, b] = [ip4("10.0.0.1"), ip4("10.0.0.2")];

  test("bind makes a server", () => {
    const insp = run([socket, { type: "BIND_X", params: { res: 0, addr: sockAddrParam(a, 80), fd: 3 } }]);
    expect(insp.fd).toMatchObject({ type: FD_TYPE.IPV4_SERVSOCK, name: "10.0.0.1:80", role: ROLE.SERVER, dport: 80 });
    expect(insp.fdNameChanged).toBe(true);
  });

  const connect = (res: number, tuple: Uint8Array | null, port = 80): EventSpec => ({
    type: "CONNECT_X",
    params: { res, tuple, fd: 3, addr: sockAddrParam(b, port) },
  });
  test("connect makes a client, also while in progress, not when it fails", () => {
    for (const res of [0, -115]) {
      const insp = run([socket, connect(res, tupleParam(a, 5000, b, 80))]);
      expect(insp.fd).toMatchObject({ name: "10.0.0.1:5000->10.0.0.2:80", role: ROLE.CLIENT, connected: true });
    }
    expect(run([socket, connect(-111, tupleParam(a, 5000, b, 80))]).fd).toMatchObject({
      name: "",
      role: 0,
      connected: false,
    });
  });

  test("connect: the enter event's address wins", () => {
    const enter: EventSpec = { type: "CONNECT_E", params: { fd: 3, addr: sockAddrParam(b, 443) } };
    expect(run([socket, enter, connect(0, tupleParam(a, 5000, b, 80))]).fd?.name).toBe("10.0.0.1:5000->10.0.0.2:443");
  });

  test("accept makes a connected server socket", () => {
    const insp = run([{ type: "ACCEPT4_6_X", params: { fd: 4, tuple: tupleParam(b, 5000, a, 80), flags: O.CLOEXEC } }]);
    expect(insp.fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:80", role: ROLE.SERVER, connected: true });
    expect(insp.fd).toMatchObject({ l4proto: L4.TCP, openFlags: O.CLOEXEC });
  });

  test("datagrams: both directions give client → server", () => {
    const sent: EventSpec = { type: "SENDTO_X", params: { res: 1, fd: 3, size: 1, tuple: tupleParam(a, 5000, b, 53) } };
    const got: EventSpec = {
      type: "RECVFROM_X",
      params: { res: 1, fd: 3, size: 1, tuple: tupleParam(b, 53, a, 5000) },
    };
    const insp = run([udp, sent, got]);
    expect(insp.fd).toMatchObject({ name: "10.0.0.1:5000->10.0.0.2:53", role: ROLE.CLIENT, l4proto: L4.UDP });
    expect(insp.fdNameChanged).toBe(false);
    const server = run([udp, { ...got, params: { res: 1, fd: 3, size: 1, tuple: tupleParam(b, 5000, a, 53) } }]);
    expect(server.fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:53", role: ROLE.SERVER });
  });

  test("a send through an unknown descriptor makes a datagram socket", () => {
    const insp = run([{ type: "SENDTO_X", params: { res: 1, fd: 9, size: 1, tuple: tupleParam(a, 5000, b, 53) } }]);
    expect(insp.thread?.fds?.get(9)).toMatchObject({ l4proto: L4.UDP, name: "10.0.0.1:5000->10.0.0.2:53" });
  });

  test("socketpair, then traffic names the ends", () => {
    const pair: EventSpec = {
      type: "SOCKETPAIR_X",
      params: { res: 0, fd1: 3, fd2: 4, source: 0xffff888000000001n, peer: 2, domain: 1, type: 1, proto: 0 },
    };
    const sent: EventSpec = {
      type: "SENDTO_X",
      params: { res: 1, fd: 3, size: 1, tuple: unixTupleParam(2n, 0xffff888000000001n, "") },
    };
    const insp = run([pair, sent]);
    expect(insp.thread?.fds?.get(4)).toMatchObject({
      type: FD_TYPE.UNIX_SOCK,
      unixSource: 2,
      unixPeer: 0xffff888000000001n,
    });
    expect(insp.fd?.name).toBe("2->ffff888000000001 ");
  });
});

describe("process facts", () => {
  const cases: readonly (readonly [string, EventSpec, Record<string, unknown>])[] = [
    ["setuid", { type: "SETUID_X", params: { res: 0, uid: 7 } }, { uid: 7 }],
    ["setuid failing", { type: "SETUID_X", params: { res: -1, uid: 7 } }, { uid: 0 }],
    ["setresuid", { type: "SETRESUID_X", params: { res: 0, ruid: 1, euid: 2, suid: 3 } }, { uid: 2 }],
    ["setresuid unchanged", { type: "SETRESUID_X", params: { res: 0, ruid: 1, euid: -1, suid: 3 } }, { uid: 0 }],
    ["setregid", { type: "SETREGID_X", params: { res: 0, rgid: 1, egid: 2 } }, { gid: 2 }],
    ["setsid", { type: "SETSID_X", params: { res: 55 } }, { sid: 55 }],
    ["chdir", { type: "CHDIR_X", params: { res: 0, path: "../x" } }, { cwd: "/home/x/" }],
    ["getcwd", { type: "GETCWD_X", params: { res: 3, path: "/y" } }, { cwd: "/y/" }],
    ["chroot", { type: "CHROOT_X", params: { res: 0, path: "jail" } }, { root: "/home/me/jail" }],
    ["setrlimit", { type: "SETRLIMIT_X", params: { res: 0, cur: 99, max: 99, resource: 7 } }, { fdlimit: 99 }],
    [
      "prlimit",
      { type: "PRLIMIT_X", params: { res: 0, newcur: 98, newmax: 99, pid: 0, resource: 7 } },
      { fdlimit: 98 },
    ],
    [
      "brk",
      { type: "BRK_4_X", params: { res: 0, vm_size: 1, vm_rss: 2, vm_swap: 3, addr: 0 } },
      { vmSizeKb: 1, vmRssKb: 2, vmSwapKb: 3 },
    ],
    [
      "capset",
      { type: "CAPSET_X", params: { res: 0, cap_inheritable: 1, cap_permitted: 2, cap_effective: 3 } },
      { capInheritable: 1, capPermitted: 2, capEffective: 3 },
    ],
    ["unshare", { type: "UNSHARE_X", params: { res: 0, flags: CL.NEWUSER } }, { capEffective: 2 ** 41 - 1 }],
  ];
  for (const [name, event, wanted] of cases) {
    test(name, () => {
      const thread = run([event]).thread;
      for (const [key, value] of Object.entries(wanted)) expect(Reflect.get(thread ?? {}, key)).toBe(value);
    });
  }

  test("users and groups come and go with events, per container", () => {
    const added: EventSpec = {
      type: "USER_ADDED_E",
      params: { uid: 5, gid: 6, name: "u", home: "/h", shell: "/s", container_id: "c1" },
    };
    const insp = inspect([added, { ...added, type: "USER_DELETED_E" }]);
    insp.next();
    expect(insp.user(5, "c1")).toEqual({ uid: 5, gid: 6, name: "u", home: "/h", shell: "/s" });
    expect(insp.user(5, "")).toBeUndefined();
    insp.next();
    expect(insp.user(5, "c1")).toBeUndefined();
  });
});

describe("containers", () => {
  const json = (c: object): EventSpec => ({
    type: "CONTAINER_JSON_2_E",
    tid: -1,
    params: { json: toBytes(JSON.stringify(c)) },
  });

  test("descriptions are kept by id; what is unknown is left out", () => {
    const insp = run([
      json({
        container: {
          id: "697956520d89",
          image: "nginx",
          imagetag: "incomplete",
          type: 7,
          name: "é",
          ip: "0.0.0.0",
          privileged: false,
          labels: { "io.kubernetes.pod.name": "web-1" },
          Mounts: [{ Source: "/a", Destination: "/b", Mode: "", RW: true, Propagation: "rprivate" }],
        },
      }),
    ]);
    expect(insp.hidden).toBe(true);
    expect(insp.container("697956520d89")).toEqual({
      image: "nginx",
      type: "containerd",
      name: "\xc3\xa9",
      privileged: false,
      labels: new Map([["io.kubernetes.pod.name", "web-1"]]),
      podName: "web-1",
      mounts: [{ source: "/a", destination: "/b", mode: "", writable: true, propagation: "rprivate" }],
    });
  });

  test("asynchronous events describe containers too", () => {
    const data = JSON.stringify({ container: { id: "abc", name: "n" } });
    const insp = run([{ type: "ASYNCEVENT_E", tid: -1, params: { plugin_id: 1, name: "container", data } }]);
    expect(insp.container("abc")?.name).toBe("n");
  });

  test("malformed descriptions are counted", () => {
    const bad: EventSpec = { type: "CONTAINER_JSON_2_E", tid: -1, params: { json: "{" } };
    const insp = run([bad, json({}), json({ container: { id: 5 } })]);
    expect(insp.stats().malformedContainers).toBe(3);
  });

  const full = "0123456789abcdef".repeat(4);
  const short = full.slice(0, 12);
  const paths: readonly (readonly [string, string])[] = [
    [`/docker/${full}`, short],
    [`/system.slice/docker-${full}.scope`, short],
    [`/machine.slice/libpod-${full}.scope/container`, short],
    [`/machine.slice/libpod-payload-${full}`, short],
    [`/user.slice/user-0.slice/libpod-${full}.scope`, short],
    [`/kubepods/besteffort/pod5f/${full}`, short],
    [`/kubepods.slice/kubepods-pod5f.slice/cri-containerd-${full}.scope`, short],
    [`/kubepods.slice/kubepods-pod5f.slice/crio-${full}.scope`, short],
    [`/kubepods.slice/kubepods-pod5f.slice/crio-${full}.scope/container`, short],
    [`/system.slice/containerd.service/kubepods-pod5f.slice:cri-containerd:${full}`, short],
    [`/system.slice/nerdctl-${full}.scope`, short],
    [`/${full}`, short],
    ["/default/redis", "redis"],
    ["/lxc/web/x", "web"],
    ["/lxc.payload/web/x", "web"],
    ["/lxc.payload.web/x", "web"],
    ["/machine.slice/machine-lxc\\x2d12\\x2dweb.scope", "web"],
    ["/web.libvirt-lxc", "web"],
    ["/machine/libvirt/lxc/web/x", "web"],
    ["/bpm-web", "web"],
    ["/", "host"],
    ["/user.slice/user-1000.slice/session-1.scope", "host"],
    ["/system.slice/sshd.service", "host"],
    ["/init.scope", "host"],
    [`/docker/${full.slice(1)}`, "host"],
  ];
  for (const [path, id] of paths) {
    test(`cgroup ${path} is in ${id}`, () => {
      const entry = processEntry({ tid: 100, cgroups: ["cpu=/", `memory=${path}`] });
      const thread = run([nop(100)], {}, [entry]).thread;
      expect(thread?.containerId).toBe(id);
      expect(thread?.containerFullId).toBe(id === "host" ? "" : id === short ? full : id);
    });
  }
});

describe("context", () => {
  test("an unknown thread is stood in for, once", () => {
    const insp = run([nop(999), nop(999)]);
    expect(insp.thread).toMatchObject({ comm: "<NA>", exe: "<NA>", invalid: true, pid: -1, uid: 0xffffffff });
    expect(insp.stats().unknownThreads).toBe(1);
  });

  test("the machine is asked for an unknown thread", () => {
    const asked: number[] = [];
    const opts: InspectorOptions = {
      onMissingThread(tid) {
        asked.push(tid);
        return {
          entry: processEntry({ tid, comm: "found" }),
          fds: [fdEntry({ fd: 1, type: FD_TYPE.FILE_V2, name: "/f" })],
        };
      },
    };
    const insp = run([nop(999), nop(999)], opts);
    expect(insp.thread?.comm).toBe("found");
    expect(insp.thread?.fds?.get(1)?.name).toBe("/f");
    expect(asked).toEqual([999]);
  });

  test("descriptors that come with a message are asked for", () => {
    const control = Buffer.alloc(48);
    control.writeUInt32LE(20, 0); // One SCM_CREDENTIALS-like message before it, padded to 24 bytes.
    control.writeInt32LE(1, 8);
    control.writeInt32LE(2, 12);
    control.writeUInt32LE(24, 24);
    control.writeInt32LE(1, 32);
    control.writeInt32LE(1, 36);
    control.writeInt32LE(7, 40);
    control.writeInt32LE(8, 44);
    const pair: EventSpec = {
      type: "SOCKETPAIR_X",
      params: { res: 0, fd1: 3, fd2: 4, source: 1, peer: 2, domain: 1, type: 1, proto: 0 },
    };
    const got: EventSpec = { type: "RECVMSG_X", params: { res: 1, size: 1, msgcontrol: control, fd: 3 } };
    const insp = run([pair, got], {
      onPassedFd: (pid, fd) => fdEntry({ fd, type: FD_TYPE.FILE_V2, name: `/of/${pid}/${fd}` }),
    });
    expect(insp.thread?.fds?.get(7)?.name).toBe("/of/100/7");
    expect(insp.thread?.fds?.get(8)?.name).toBe("/of/100/8");
    const endless = Buffer.alloc(64, 0);
    run([pair, { ...got, params: { res: 1, size: 1, msgcontrol: endless, fd: 3 } }]);
  });

  test("the machine is not asked without end", () => {
    let asked = 0;
    const events = Array.from({ length: 1500 }, (_, i) => ({ ...nop(5000 + i), ts: 1e9 + i }));
    const insp = run(events, {
      onMissingThread: () => {
        asked++;
        return undefined;
      },
    });
    expect(asked).toBe(1000);
    expect(insp.stats().unaskedQuestions).toBe(500);
  });

  test("after a loss an entry that is no longer true is replaced", () => {
    const opts: InspectorOptions = {
      onMissingThread: (tid) => ({ entry: processEntry({ tid, comm: "new" }), fds: [] }),
    };
    const insp = inspect([nop(100), nop(100)], opts);
    insp.next();
    expect(insp.thread?.comm).toBe("sh");
    insp.afterLoss();
    insp.next();
    expect(insp.thread?.comm).toBe("new");
  });

  test("threads beyond the limit are refused and counted", () => {
    const insp = run([nop(999), nop(998), nop(100)], { maxThreads: 3 });
    expect(insp.stats()).toMatchObject({ threads: 3, refusedThreads: 1 });
    expect(insp.thread?.comm).toBe("sh");
  });

  test("silent threads that are gone are purged, the living stay", () => {
    const insp = run(
      [
        { ...nop(100), ts: 1e9 },
        { ...nop(1), ts: 700e9 },
      ],
      { isAlive: (tid) => tid === 1 },
    );
    expect(insp.getThread(100)).toBeUndefined();
    expect(insp.getThread(1)).toBeDefined();
    expect(insp.stats().purgedThreads).toBe(1);
  });

  test("enter events of old captures pair with their exit events", () => {
    const enter: EventSpec = { type: "READ_E", ts: 5000, params: { fd: 0, size: 1 }, legacyEnter: true };
    const read: EventSpec = { type: "READ_X", ts: 5900, params: { res: 1, data: "x", fd: 0, size: 1 } };
    expect(run([enter, read]).enterTs).toBe(5000);
    expect(run([read]).enterTs).toBeNaN();
    expect(
      run([enter, { type: "SIGNALDELIVER_E", ts: 5500, params: { spid: 1, dpid: 1, sig: 1 } }, read]).enterTs,
    ).toBe(5000);
    expect(run([enter, nop(100), read]).enterTs).toBeNaN();
  });

  test("state-only events are applied and marked; times count from delivered events", () => {
    const insp = run([
      { ...nop(100), ts: 10 },
      { ...openat(100, 3, "/a"), ts: 20, flags: 1 },
    ]);
    expect(insp.hidden).toBe(true);
    expect(insp.fd?.name).toBe("/a");
    const after = run([
      { ...nop(100), ts: 10 },
      { ...nop(100), ts: 20, flags: 1 },
      { ...nop(100), ts: 30 },
    ]);
    expect(after.prevTs).toBe(10);
  });

  test("a new section starts from its own state", () => {
    const one = emptyState({ processes: [shell] });
    const two = emptyState({ processes: [processEntry({ tid: 100, comm: "two" })] });
    const insp = new Inspector(
      new MemorySource([
        { state: one, events: [nop(100)] },
        { state: two, events: [nop(100)] },
      ]),
    );
    expect([insp.next(), insp.thread?.comm]).toEqual([NEXT.EVENT, "sh"]);
    expect(insp.next()).toBe(NEXT.SECTION);
    expect([insp.next(), insp.thread?.comm]).toEqual([NEXT.EVENT, "two"]);
    expect(insp.next()).toBe(NEXT.END);
  });

  test("snapshotState() seeds an inspector that knows the same", () => {
    const first = run([
      cloneCaller,
      openat(200, 3, "/etc/passwd"),
      { type: "CHDIR_X", tid: 200, params: { res: 0, path: "/tmp" } },
    ]);
    const second = new Inspector(new MemorySource([{ state: first.snapshotState(), events: [nop(200)] }]));
    second.next();
    expect(second.thread).toMatchObject({ pid: 200, ptid: 100, comm: "sh", cwd: "/tmp/", sid: 100 });
    expect(second.thread?.args).toEqual(["-c", "true"]);
    expect(second.thread?.fds?.get(3)).toMatchObject({ name: "/etc/passwd", ino: 7, dev: 5 });
  });
});
