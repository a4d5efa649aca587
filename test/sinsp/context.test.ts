// SPDX-License-Identifier: Apache-2.0
// The context of an event: unknown threads, limits, questions, sections, times.
import { describe, expect, test } from "bun:test";
import { FD_TYPE, NEXT } from "../../lib/scap/source.ts";
import { Inspector, type InspectorOptions } from "../../lib/sinsp/inspector.ts";
import { type EventSpec, emptyState, fdEntry, MemorySource, processEntry } from "../support/events.ts";
import { cloneCaller, inspect, nop, openat, run, shell } from "./support.ts";

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
