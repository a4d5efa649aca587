// SPDX-License-Identifier: Apache-2.0
// Descriptors are opened, copied, passed and closed.
import { describe, expect, test } from "bun:test";
import { FD_TYPE } from "../../lib/scap/source.ts";
import { O } from "../../lib/sinsp/flags.ts";
import type { EventSpec } from "../support/events.ts";
import { nop, openat, run } from "./support.ts";

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

  test("of an unknown descriptor a duplicate is not known either", () => {
    const insp = run([openat(100, 8, "/a"), { type: "DUP2_X", params: { res: 8, oldfd: 70, newfd: 8 } }]);
    expect([insp.fdNum, insp.fd]).toEqual([70, null]);
  });

  test("a path that could not be read is said so", () => {
    const unread = (type: "OPENAT_2_X" | "OPEN_X" | "CREAT_X"): EventSpec => ({ type, params: { fd: 5 } });
    for (const type of ["OPENAT_2_X", "OPEN_X", "CREAT_X"] as const) {
      expect(run([unread(type)]).fd).toMatchObject({ name: "/home/me/<NA>", nameRaw: "<NA>" });
    }
    const handle: EventSpec = { type: "OPEN_BY_HANDLE_AT_X", params: { fd: 5, mountfd: 3, flags: 1 } };
    expect(run([openat(100, 3, "/opt", O.DIRECTORY), handle]).fd?.name).toBe("<NA>");
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
