// SPDX-License-Identifier: Apache-2.0
// A state that the machine was asked for while events were taken: those from before that moment do not change it again.
import { describe, expect, test } from "bun:test";
import { FD_TYPE, type FdEntry, NEXT } from "../../lib/scap/source.ts";
import { O } from "../../lib/sinsp/flags.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { type EventSpec, emptyState, fdEntry, MemorySource } from "../support/events.ts";
import { init, nop, openat, shell } from "./support.ts";

/** When the shell was read, and each of its descriptors. */
const THREAD_READ = 1000;
const READ: Readonly<Record<number, number>> = { 3: 1100, 4: 1200, 5: 1300, 6: 1400 };
const LAST_READ = 1400;

/** What the machine says when it is asked for a descriptor later. */
const ANSWER = "/answer";

interface After {
  cwd: string;
  comm: string;
  uid: number;
  fds: Record<number, string>;
  asked: number[];
}

const UNCHANGED: After = {
  cwd: "/home/me/",
  comm: "sh",
  uid: 0,
  fds: { 3: "/3", 4: "/4", 5: "/5", 6: "/6" },
  asked: [],
};

/** The shell after the events. */
function after(events: readonly EventSpec[]): After {
  const list = Object.entries(READ).map(
    ([fd, readTs]): FdEntry => ({
      ...fdEntry({ fd: Number(fd), type: FD_TYPE.FILE_V2, name: `/${fd}`, openFlags: fd === "6" ? O.CLOEXEC : 0 }),
      readTs,
    }),
  );
  const processes = [init, { ...shell, readTs: THREAD_READ }];
  const asked: number[] = [];
  const onPassedFd = (_: number, fd: number): FdEntry => {
    asked.push(fd);
    return { ...fdEntry({ fd, type: FD_TYPE.FILE_V2, name: ANSWER }), readTs: 5000 };
  };
  const state = emptyState({ processes, fds: new Map([[100, list]]) });
  const insp = new Inspector(new MemorySource([{ state, events: [...events, { ...nop(1), ts: 9000 }] }]), {
    onPassedFd,
  });
  while (insp.next() === NEXT.EVENT);
  const t = insp.getThread(100);
  if (t === undefined) throw new Error("the shell is gone");
  const fds = Object.fromEntries([...(t.fds?.entries() ?? [])].map(([fd, info]) => [fd, info.name]));
  return { cwd: t.cwd, comm: t.comm, uid: t.uid, fds, asked };
}

const close = (fd: number): EventSpec => ({ type: "CLOSE_X", params: { res: 0, fd } });
const dup2 = (oldfd: number, newfd: number): EventSpec => ({ type: "DUP2_X", params: { res: newfd, oldfd, newfd } });
const openBelow = (fd: number, dirfd: number): EventSpec => ({
  type: "OPENAT_2_X",
  params: { fd, dirfd, name: "x", flags: 1, mode: 0, dev: 5, ino: 7 },
});
const exec: EventSpec = {
  type: "EXECVE_19_X",
  params: { res: 0, exe: "new", args: "", tid: 100, pid: 100, comm: "new" },
};
const without = (fd: number): Record<number, string> =>
  Object.fromEntries(Object.entries(UNCHANGED.fds).filter(([key]) => Number(key) !== fd));

/** An event, its time, and what is another after it. */
const CASES: readonly (readonly [what: string, event: EventSpec, ts: number, change: Partial<After>])[] = [
  ["close, before", close(5), READ[5]! - 1, {}],
  ["close, after", close(5), READ[5]! + 1, { fds: without(5) }],
  ["close of what was read before, while others were not", close(3), READ[3]! + 1, { fds: without(3) }],
  ["open, before", openat(100, 5, "/new"), READ[5]! - 1, {}],
  ["open, after", openat(100, 5, "/new"), READ[5]! + 1, { fds: { ...UNCHANGED.fds, 5: "/new" } }],
  ["open of what was closed when it was read", openat(100, 9, "/new"), 500, { fds: { ...UNCHANGED.fds, 9: "/new" } }],
  ["dup2 onto what was read later", dup2(3, 5), 1250, {}],
  ["dup2 from and onto what was read before", dup2(3, 4), 1250, { fds: { ...UNCHANGED.fds, 4: "/3" } }],
  ["dup2 from what was read later", dup2(5, 4), 1250, { fds: { ...UNCHANGED.fds, 4: ANSWER }, asked: [4] }],
  ["dup2 from and onto what was read later", dup2(6, 5), 1250, {}],
  ["open below a directory read before", openBelow(4, 3), 1250, { fds: { ...UNCHANGED.fds, 4: "/3/x" } }],
  ["open below a directory read later", openBelow(4, 5), 1250, { fds: { ...UNCHANGED.fds, 4: ANSWER }, asked: [4] }],
  ["chdir, before", { type: "CHDIR_X", params: { res: 0, path: ".." } }, 999, {}],
  ["chdir, after", { type: "CHDIR_X", params: { res: 0, path: ".." } }, 1001, { cwd: "/home/" }],
  ["setuid, before", { type: "SETUID_X", params: { res: 0, uid: 7 } }, 999, {}],
  ["setuid, after", { type: "SETUID_X", params: { res: 0, uid: 7 } }, 1001, { uid: 7 }],
  ["exec, before", exec, 999, {}],
  ["exec, after all", exec, LAST_READ + 1, { comm: "new", fds: without(6) }],
  ["exec, after the thread was read but before its descriptors", exec, 1050, { comm: "new" }],
];

describe("what the machine was asked for", () => {
  for (const [what, event, ts, change] of CASES) {
    test(what, () => expect(after([{ tid: 100, ...event, ts }])).toEqual({ ...UNCHANGED, ...change }));
  }

  test("what was opened and closed on exec before the reading is gone", () => {
    const opened: EventSpec = { ...openat(100, 9, "/new", 1 | O.CLOEXEC), ts: 500 };
    expect(after([opened, { ...exec, tid: 100, ts: 600 }])).toEqual(UNCHANGED);
  });

  test("an event from before sees what came before it", () => {
    const events: EventSpec[] = [
      { ...openat(100, 5, "/early"), ts: 1210 },
      { ...dup2(5, 4), tid: 100, ts: 1220 },
    ];
    expect(after(events)).toEqual({ ...UNCHANGED, fds: { ...UNCHANGED.fds, 4: "/early" } });
  });

  test("an event from before does not change a descriptor in place", () => {
    const setCloexec = (ts: number): EventSpec => ({
      type: "FCNTL_X",
      tid: 100,
      ts,
      params: { res: 0, fd: 5, cmd: 3, arg: 1 },
    });
    const list = [{ ...fdEntry({ fd: 5, type: FD_TYPE.FILE_V2, name: "/5" }), readTs: 1300 }];
    const state = emptyState({ processes: [init, shell], fds: new Map([[100, list]]) });
    const insp = new Inspector(
      new MemorySource([{ state, events: [setCloexec(1299), { ...nop(100), ts: 1300 }, setCloexec(1301)] }]),
    );
    insp.next();
    insp.next();
    expect(insp.getThread(100)?.fds?.get(5)?.openFlags).toBe(0);
    insp.next();
    expect(insp.getThread(100)?.fds?.get(5)?.openFlags).toBe(O.CLOEXEC);
  });
});
