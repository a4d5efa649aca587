// SPDX-License-Identifier: Apache-2.0
// Threads are born, become other programs and end.
import { describe, expect, test } from "bun:test";
import { CL, O } from "../../lib/sinsp/flags.ts";
import type { EventSpec } from "../support/events.ts";
import { callerView, childView, cloneCaller, cloneChild, exit, ids, inspect, nop, openat, run } from "./support.ts";

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
