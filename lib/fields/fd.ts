// SPDX-License-Identifier: Apache-2.0
// Fields of the descriptor an event works on.
import { remembered } from "../scap/memo.ts";
import { FD_TYPE } from "../scap/source.ts";
import { EVENTS } from "../schema/events.ts";
import { EF, EV, PF, PT } from "../schema/tables/enums.ts";
import { type FdInfo, LAYER } from "../sinsp/fd_info.ts";
import type { Context } from "../sinsp/inspector.ts";
import { argField, argRule, bool, field, id64, text } from "./define.ts";
import { fdTypeChar, fdTypeName, protocolName } from "./fd_text.ts";
import type { Extractor, Field, Value } from "./field.ts";
import { nameOnly } from "./name_only.ts";
import { directoryOf } from "./params.ts";
import { ofThreadNow } from "./process.ts";
import { tupleText } from "./socket_text.ts";

const USES_FD = Uint8Array.from(EVENTS, (e) =>
  (e.flags & (EF.CREATES_FD | EF.USES_FD | EF.DESTROYS_FD)) !== 0 ? 1 : 0,
);

/** The descriptor, for events that have one. */
export function fdOf(ctx: Context): FdInfo | null {
  return USES_FD[ctx.ev.type] === 1 ? ctx.fd : null;
}

/** An extractor over the descriptor; missing without. */
export function ofFd(get: (fd: FdInfo, ctx: Context) => Value | undefined): Extractor {
  return (ctx) => {
    const fd = fdOf(ctx);
    return fd === null ? undefined : get(fd, ctx);
  };
}

function isFile(fd: FdInfo): boolean {
  return fd.type === FD_TYPE.FILE || fd.type === FD_TYPE.FILE_V2 || fd.type === FD_TYPE.DIRECTORY;
}

/** Directory part of a path. */
const dirname = remembered((path) => {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
});

/** The last part of a path. */
const basename = remembered((path) => path.slice(path.lastIndexOf("/") + 1));

/** Where the name of a descriptor that could not be had is said: parameters with the directory and the path. */
const FAILED_PATHS: Readonly<Record<number, readonly [dirfd: number, path: number]>> = {
  [EV.OPEN_X]: [-1, 1],
  [EV.CREAT_X]: [-1, 1],
  [EV.OPENAT_2_X]: [1, 2],
  [EV.OPENAT2_X]: [1, 2],
  [EV.OPEN_BY_HANDLE_AT_X]: [-1, 3],
};
/** The same for connections: parameter with the two ends. */
const FAILED_TUPLES: Readonly<Record<number, number>> = {
  [EV.ACCEPT_5_X]: 1,
  [EV.ACCEPT4_6_X]: 1,
  [EV.CONNECT_X]: 1,
};

/** Name from the parameters of a call that has no descriptor; "" for calls that name nothing. */
function nameOfFailed(ctx: Context, raw: boolean): string {
  const ev = ctx.ev;
  const path = FAILED_PATHS[ev.type];
  if (path !== undefined) {
    const [dirfd, at] = path;
    if (ev.paramLength(at) === 0) return "<NA>";
    const name = ev.str(at);
    if (name === "" || (raw && dirfd >= 0)) return name;
    return ctx.resolvePath(dirfd < 0 ? (ctx.thread?.cwd ?? "") : directoryOf(ctx, ev.i64(dirfd, -100)), name);
  }
  const tuple = FAILED_TUPLES[ev.type];
  if (tuple === undefined) return "";
  const len = ev.paramLength(tuple);
  return len === 0 ? "NULL" : tupleText(ev, ev.paramOffset(tuple), len);
}

/** A value from the descriptor, or at exit events without one from the name that was asked for. */
function ofFdOrFailed(
  get: (fd: FdInfo) => string | undefined,
  failed: (ctx: Context) => string,
): (ctx: Context) => string | undefined {
  return (ctx) => {
    const type = ctx.ev.type;
    if (USES_FD[type] !== 1 || ctx.thread === null) return undefined;
    const fd = ctx.fd;
    if (fd !== null) return get(fd);
    return type & 1 ? failed(ctx) : undefined;
  };
}

export const fdName = nameOnly(
  ofFdOrFailed(
    (fd) => fd.name,
    (ctx) => nameOfFailed(ctx, false),
  ),
);

/** Directory of a file; of a directory descriptor the directory itself. */
const fdDirectory = nameOnly(
  ofFdOrFailed(
    (fd) => (!isFile(fd) ? undefined : fd.type === FD_TYPE.DIRECTORY ? fd.name : dirname(fd.name)),
    (ctx) => dirname(nameOfFailed(ctx, false)),
  ),
);

/** Letters by event, for calls whose kind of descriptor is known although there is none. */
const EXPECTED_LETTER: readonly string[] = (() => {
  const letters: string[] = [];
  const set = (letter: string, ...ids: number[]) => {
    for (const id of ids) letters[id] = letter;
  };
  set("f", EV.OPENAT_E, EV.OPENAT_X, EV.OPENAT_2_E, EV.OPENAT_2_X, EV.OPENAT2_E, EV.OPENAT2_X);
  set("4", EV.SOCKET_E, EV.SOCKET_X, EV.ACCEPT_E, EV.ACCEPT_X, EV.ACCEPT4_E, EV.ACCEPT4_X);
  set("4", EV.ACCEPT_5_E, EV.ACCEPT_5_X, EV.ACCEPT4_5_E, EV.ACCEPT4_5_X, EV.ACCEPT4_6_E, EV.ACCEPT4_6_X);
  set("p", EV.PIPE_E, EV.PIPE_X, EV.PIPE2_E, EV.PIPE2_X);
  set("e", EV.EVENTFD_E, EV.EVENTFD_X, EV.EVENTFD2_E, EV.EVENTFD2_X);
  set("s", EV.SIGNALFD_E, EV.SIGNALFD_X, EV.SIGNALFD4_E, EV.SIGNALFD4_X);
  set("i", EV.INOTIFY_INIT_E, EV.INOTIFY_INIT_X, EV.INOTIFY_INIT1_E, EV.INOTIFY_INIT1_X);
  set("t", EV.TIMERFD_CREATE_E, EV.TIMERFD_CREATE_X);
  return letters;
})();

function typeChar(ctx: Context): string | undefined {
  if (USES_FD[ctx.ev.type] !== 1) return undefined;
  const fd = ctx.fd;
  return fd !== null ? fdTypeChar(fd.type) : (EXPECTED_LETTER[ctx.ev.type] ?? "o");
}

/** Major and minor number of a device as the kernel packs them. */
const major = (dev: number): number => (dev >>> 8) & 0xfff;
const minor = (dev: number): number => (dev & 0xff) | ((dev >>> 12) & 0xfff00);

/** Number of the descriptor; negative where a call failed to get one. */
const fdNumber = (ctx: Context): number | undefined =>
  USES_FD[ctx.ev.type] === 1 && ctx.thread !== null ? ctx.fdNum : undefined;

/** Container id in front of fd.containername; the host has none. */
const containerPrefix = (ctx: Context): string => {
  const id = ctx.thread?.containerId ?? "";
  return `${id === "host" ? "" : id}:`;
};

export const FD_NAME_FIELDS: readonly Field[] = [
  id64("fd.num", "Number of the descriptor", fdNumber),
  text(
    "fd.type",
    "Kind of descriptor: file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd",
    ofFd((fd) => fdTypeName(fd.type)),
    { format: PF.DEC },
  ),
  text(
    "fd.typechar",
    "Kind of descriptor as one letter: f file, d directory, 4, 6, u unix, p pipe …; o for others",
    typeChar,
    {
      format: PF.DEC,
    },
  ),
  text("fd.name", "Full name: path of a file, both ends of a connection", fdName),
  text("fd.directory", "Directory of a file", fdDirectory),
  text(
    "fd.filename",
    "Name of a file without its directory",
    nameOnly(ofFd((fd) => (isFile(fd) && fd.type !== FD_TYPE.DIRECTORY ? basename(fd.name) : undefined))),
  ),
];

export const FD_KIND_FIELDS: readonly Field[] = [
  text(
    "fd.l4proto",
    "Transport protocol: tcp, udp, icmp, raw",
    ofFd((fd) => protocolName(fd)),
  ),
  text(
    "fd.sockfamily",
    "Socket family: ip or unix",
    ofFd((fd) => (fd.isIp() ? "ip" : fd.type === FD_TYPE.UNIX_SOCK ? "unix" : undefined)),
  ),
];

export const FD_ID_FIELDS: readonly Field[] = [
  text(
    "fd.uid",
    "Thread id and descriptor number in one word, to tell descriptors of several processes apart",
    (ctx) => {
      const fd = fdNumber(ctx);
      return fd === undefined ? undefined : `${ctx.ev.tid}${fd}`;
    },
  ),
  text("fd.containername", "Container id and fd.name with a colon between", (ctx) => {
    const name = fdName(ctx);
    return name === undefined ? undefined : containerPrefix(ctx) + name;
  }),
  text("fd.containerdirectory", "Container id and fd.directory with a colon between", (ctx) => {
    const dir = fdDirectory(ctx);
    return dir === undefined ? undefined : containerPrefix(ctx) + dir;
  }),
];

export const FD_STATE_FIELDS: readonly Field[] = [
  bool(
    "fd.connected",
    "True for connected sockets",
    ofFd((fd) => fd.connected),
  ),
  bool(
    "fd.name_changed",
    "True when the event changed the name of the descriptor",
    ofFd((_, ctx) => ctx.fdNameChanged),
  ),
];

/** Kinds of all descriptors of a process, each once. */
function allTypes(ctx: Context): Value | undefined {
  const fds = ctx.thread === null ? null : ctx.leaderOf(ctx.thread).fds;
  if (fds === null) return undefined;
  const types = new Set<string>();
  for (const [, info] of fds.entries()) types.add(fdTypeName(info.type));
  return types.size === 0 ? undefined : [...types];
}

export const FD_FILE_FIELDS: readonly Field[] = [
  field(
    "fd.dev",
    PT.INT32,
    "Device number the file lies on, hexadecimal",
    ofFd((fd) => fd.dev),
    { format: PF.HEX },
  ),
  field(
    "fd.dev.major",
    PT.INT32,
    "Major part of the device number",
    ofFd((fd) => major(fd.dev)),
    { format: PF.DEC },
  ),
  field(
    "fd.dev.minor",
    PT.INT32,
    "Minor part of the device number",
    ofFd((fd) => minor(fd.dev)),
    { format: PF.DEC },
  ),
  field(
    "fd.ino",
    PT.INT64,
    "Inode of the file",
    ofFd((fd) => fd.ino),
    { format: PF.DEC },
  ),
  text(
    "fd.nameraw",
    "Path as the program gave it",
    ofFdOrFailed(
      (fd) => fd.nameRaw.replace(/\/{2,}/g, "/"),
      (ctx) => nameOfFailed(ctx, true),
    ),
  ),
  argField(
    "fd.types",
    PT.CHARBUF,
    argRule(false, "index"),
    "Kinds of all descriptors of the process; fd.types[N] that of descriptor N",
    (arg) => {
      if (arg === null || !("index" in arg)) return allTypes;
      const fd = arg.index;
      return ofThreadNow((t, ctx) => {
        const info = ctx.leaderOf(t).fds?.get(fd);
        return info === undefined ? undefined : [fdTypeName(info.type)];
      });
    },
    { format: PF.DEC, list: true, flags: { noRhs: true } },
  ),
  bool(
    "fd.is_upper_layer",
    "True for files in the upper layer of an overlay file system",
    ofFd((fd) => (fd.layers & LAYER.UPPER) !== 0),
  ),
  bool(
    "fd.is_lower_layer",
    "True for files in a lower layer of an overlay file system",
    ofFd((fd) => (fd.layers & LAYER.LOWER) !== 0),
  ),
];
