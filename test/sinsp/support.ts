// SPDX-License-Identifier: Apache-2.0
// A small machine with one shell, and events that happen to it, for tests of the state.
import { expect } from "bun:test";
import { FD_TYPE, NEXT } from "../../lib/scap/source.ts";
import { Inspector, type InspectorOptions } from "../../lib/sinsp/inspector.ts";
import { type EventSpec, emptyState, fdEntry, MemorySource, processEntry } from "../support/events.ts";

export const init = processEntry({ tid: 1, ptid: 0, comm: "init" });
export const shell = processEntry({
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

export function inspect(events: readonly EventSpec[], opts: InspectorOptions = {}, extra = [init, shell]): Inspector {
  const fds = new Map([[100, [fdEntry({ fd: 0, type: FD_TYPE.FILE_V2, name: "/dev/null" })]]]);
  return new Inspector(new MemorySource([{ state: emptyState({ processes: extra, fds }), events }]), opts);
}

/** Applies all events; the inspector stays on the last one. */
export function run(events: readonly EventSpec[], opts: InspectorOptions = {}, extra = [init, shell]): Inspector {
  const insp = inspect(events, opts, extra);
  for (let i = 0; i < events.length; i++) expect(insp.next()).toBe(NEXT.EVENT);
  return insp;
}

export const childView = {
  res: 0,
  exe: "/bin/sh",
  args: "-c\0true\0",
  tid: 200,
  pid: 200,
  ptid: 100,
  comm: "sh",
  flags: 0,
};
export const callerView = {
  res: 200,
  exe: "/bin/sh",
  args: "-c\0true\0",
  tid: 100,
  pid: 100,
  ptid: 1,
  comm: "sh",
  flags: 0,
};
export const ids = { uid: 0, gid: 0, fdlimit: 1024, vtid: 200, vpid: 200 };
export const cloneCaller: EventSpec = {
  type: "CLONE_20_X",
  tid: 100,
  params: { ...callerView, ...ids, vtid: 100, vpid: 100, cgroups: "cpu=/\0" },
};
export const cloneChild: EventSpec = {
  type: "CLONE_20_X",
  tid: 200,
  params: { ...childView, ...ids, cgroups: "cpu=/\0" },
};
export const nop = (tid: number): EventSpec => ({ type: "GETUID_X", tid, params: { uid: 0 } });
export const openat = (tid: number, fd: number, name: string, flags = 1): EventSpec => ({
  type: "OPENAT_2_X",
  tid,
  params: { fd, dirfd: -100, name, flags, mode: 0, dev: 5, ino: 7 },
});
export const exit = (tid: number, reaper: number): EventSpec => ({
  type: "PROCEXIT_1_E",
  tid,
  params: { status: 0, ret: 0, sig: 0, core: 0, reaper_tid: reaper },
});
