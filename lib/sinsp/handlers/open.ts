// SPDX-License-Identifier: Apache-2.0
// The open family: a file gets a descriptor.
import type { EventCursor } from "../../scap/cursor.ts";
import { FD_TYPE } from "../../scap/source.ts";
import { EV } from "../../schema/tables/enums.ts";
import { FdInfo, LAYER } from "../fd_info.ts";
import { O } from "../flags.ts";
import type { Inspector } from "../inspector.ts";
import { joinPath, UNKNOWN_DIR } from "../path.ts";
import type { StoredEnter, ThreadInfo } from "../thread_info.ts";
import type { Handler, HandlerRow } from "./handler.ts";

/** Linux AT_FDCWD: relative to the working directory. */
export const AT_FDCWD = -100;
/** Flags that the kernel side adds from O_F_CREATED up; the program's own are below. */
const PROGRAM_FLAGS = O.F_CREATED - 1;

/** Stands for a path that could not be read. */
const UNCAPTURED = "<NA>";

/** Directory that a path argument is relative to. */
export function baseDir(thread: ThreadInfo, dirfd: number): string {
  if (dirfd === AT_FDCWD) return thread.cwd;
  const dir = dirfd >= 0 ? thread.fds?.get(dirfd) : undefined;
  return dir === undefined ? UNKNOWN_DIR : dir.name;
}

/** Where an event type of the family has its parameters; −1 absent. */
interface Layout {
  enter: number;
  dirfd: number;
  name: number;
  flags: number;
  dev: number;
  ino: number;
}

const LAYOUTS: readonly (readonly [number, Layout])[] = [
  [EV.OPEN_X, { enter: EV.OPEN_E, dirfd: -1, name: 1, flags: 2, dev: 4, ino: 5 }],
  [EV.OPENAT_2_X, { enter: EV.OPENAT_2_E, dirfd: 1, name: 2, flags: 3, dev: 5, ino: 6 }],
  [EV.OPENAT2_X, { enter: EV.OPENAT2_E, dirfd: 1, name: 2, flags: 3, dev: 6, ino: 7 }],
  [EV.OPEN_BY_HANDLE_AT_X, { enter: -1, dirfd: -1, name: 3, flags: 2, dev: 4, ino: 5 }],
];

/** The path, flags and directory of the enter event of the same call: what the kernel really used. */
function entered(thread: ThreadInfo, type: number): StoredEnter | null {
  const e = thread.enter;
  return e !== null && e.type === type && e.name !== "" && e.name !== "<NA>" ? e : null;
}

function store(insp: Inspector, thread: ThreadInfo, num: number, path: string, raw: string, flags: number): FdInfo {
  const fd = new FdInfo();
  fd.type = flags & O.DIRECTORY ? FD_TYPE.DIRECTORY : FD_TYPE.FILE_V2;
  fd.openFlags = flags;
  fd.name = path;
  fd.nameRaw = raw;
  if (flags & O.UPPER_LAYER) fd.layers |= LAYER.UPPER;
  if (flags & O.LOWER_LAYER) fd.layers |= LAYER.LOWER;
  thread.fds?.set(num, fd);
  insp.setFd(num, fd);
  insp.fdNameChanged = path !== "";
  return fd;
}

/** PT.UINT64 parameter as the state keeps inodes. */
export function inode(ev: EventCursor, i: number): number | bigint {
  return ev.paramLength(i) === 8 ? ev.u64Exact(i) : 0;
}

function makeOpen(layout: Layout): Handler {
  return (insp, ev) => {
    const thread = insp.thread;
    const num = ev.i64(0, -1);
    if (thread === null || num < 0) return;
    const stored = thread.enter === null ? null : entered(thread, layout.enter);
    let flags = ev.u32(layout.flags);
    let raw: string;
    let dirfd = layout.dirfd < 0 ? AT_FDCWD : ev.i64(layout.dirfd, AT_FDCWD);
    if (stored !== null) {
      raw = stored.name;
      flags = (stored.flags & PROGRAM_FLAGS) | (flags & ~PROGRAM_FLAGS);
      dirfd = stored.dirfd;
    } else raw = ev.paramLength(layout.name) === 0 ? UNCAPTURED : ev.str(layout.name);
    // The path behind a handle is seen from nowhere.
    const base = layout.enter < 0 ? "" : baseDir(thread, dirfd);
    const path = joinPath(base, raw);
    const guess = dirfd >= 0 && !raw.startsWith("/") && thread.fds?.isGuess(dirfd) === true;
    const fd = store(insp, thread, num, path, raw, flags);
    fd.dev = ev.u32(layout.dev);
    fd.ino = inode(ev, layout.ino);
    if (guess && thread.fds?.hasReading(num) !== true) insp.askFd(num);
  };
}

/** FD_UPPER_LAYER and FD_LOWER_LAYER of the creat_flags table. */
const CREAT_UPPER = 1;
const CREAT_LOWER = 2;

const onCreat: Handler = (insp, ev) => {
  const thread = insp.thread;
  const num = ev.i64(0, -1);
  if (thread === null || num < 0) return;
  const stored = thread.enter === null ? null : entered(thread, EV.CREAT_E);
  const raw = stored !== null ? stored.name : ev.paramLength(1) === 0 ? UNCAPTURED : ev.str(1);
  const fd = store(insp, thread, num, joinPath(thread.cwd, raw), raw, 0);
  const layers = ev.u16(5);
  if (layers & CREAT_UPPER) fd.layers |= LAYER.UPPER;
  if (layers & CREAT_LOWER) fd.layers |= LAYER.LOWER;
  fd.dev = ev.u32(3);
  fd.ino = inode(ev, 4);
};

/** Keeps what the enter event says for the exit event: the program may change its memory in between. */
function makeEnter(name: number, dirfd: number, flags: number): Handler {
  return (insp, ev) => {
    const thread = insp.thread;
    if (thread === null) return;
    // Enter events of old captures may come without parameters.
    if (ev.paramLength(name) === 0) {
      thread.enter = null;
      return;
    }
    thread.enter = {
      type: ev.type,
      name: ev.str(name),
      dirfd: dirfd < 0 ? AT_FDCWD : ev.i64(dirfd, AT_FDCWD),
      flags: flags < 0 ? 0 : ev.u32(flags),
      addr: "",
    };
  };
}

export const OPEN_HANDLERS: readonly HandlerRow[] = [
  ...LAYOUTS.map(([id, layout]): HandlerRow => [[id], makeOpen(layout)]),
  [[EV.CREAT_X], onCreat],
  [[EV.OPEN_E], makeEnter(0, -1, 1)],
  [[EV.CREAT_E], makeEnter(0, -1, -1)],
  [[EV.OPENAT_2_E, EV.OPENAT2_E], makeEnter(1, 0, 2)],
  [[EV.EXECVE_19_E], makeEnter(0, -1, -1)],
  [[EV.EXECVEAT_E], makeEnter(1, 0, 2)],
];
