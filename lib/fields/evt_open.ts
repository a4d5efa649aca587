// SPDX-License-Identifier: Apache-2.0
// How files are opened (evt.is_open_*) and the absolute paths of the *at calls (evt.abspath).
import { EVENTS } from "../schema/events.ts";
import { EV, PT } from "../schema/tables/enums.ts";
import { FLAG_TABLES } from "../schema/tables/flags.ts";
import type { Context } from "../sinsp/inspector.ts";
import { UNKNOWN_DIR } from "../sinsp/path.ts";
import { argField, argRule, bool } from "./define.ts";
import { type Field, FieldArgError, VARIES } from "./field.ts";
import { directoryOf } from "./params.ts";

const O: ReadonlyMap<string, number> = new Map(FLAG_TABLES.file_flags);
const RDONLY = O.get("O_RDONLY") as number;
const WRONLY = O.get("O_WRONLY") as number;
const CREAT = O.get("O_CREAT") as number;
const TMPFILE = O.get("O_TMPFILE") as number;
const F_CREATED = O.get("O_F_CREATED") as number;
const ANY_EXEC = 0o111;

/** Positions of `flags` and `mode` in the exit events that open files; −1 none. */
interface OpenParams {
  readonly flags: number;
  readonly mode: number;
}

const opens: readonly (OpenParams | undefined)[] = EVENTS.map((e) => {
  const at = (name: string) => e.params.findIndex((p) => p.name === name);
  switch (e.id) {
    case EV.OPEN_X:
    case EV.OPENAT_2_X:
    case EV.OPENAT2_X:
      return { flags: at("flags"), mode: at("mode") };
    case EV.OPEN_BY_HANDLE_AT_X:
      return { flags: at("flags"), mode: -1 };
    case EV.CREAT_X:
      return { flags: -1, mode: at("mode") };
    default:
      return undefined;
  }
});

/** A test on the flags and mode of an event that opens a file; false for all other events. */
function openTest(test: (flags: number, mode: number, ctx: Context) => boolean, onCreat: (mode: number) => boolean) {
  return (ctx: Context): boolean => {
    const at = opens[ctx.ev.type];
    if (at === undefined) return false;
    const mode = at.mode < 0 ? 0 : ctx.ev.u32(at.mode);
    return at.flags < 0 ? onCreat(mode) : test(ctx.ev.u32(at.flags), mode, ctx);
  };
}

const never = (): boolean => false;
const constantUnlessOpen = {
  byEventType: (id: number) => (opens[id] === undefined ? false : VARIES),
};

/** Directory and path parameters of the calls that take a directory descriptor; `pair` has two of each. */
const AT_CALLS: Readonly<Record<number, readonly (readonly [dirfd: string | null, path: string])[]>> = {
  [EV.RENAMEAT_X]: [
    ["olddirfd", "oldpath"],
    ["newdirfd", "newpath"],
  ],
  [EV.RENAMEAT2_X]: [
    ["olddirfd", "oldpath"],
    ["newdirfd", "newpath"],
  ],
  [EV.LINKAT_2_X]: [
    ["olddir", "oldpath"],
    ["newdir", "newpath"],
  ],
  [EV.SYMLINKAT_X]: [["linkdirfd", "linkpath"]],
  [EV.OPENAT_2_X]: [["dirfd", "name"]],
  [EV.OPENAT2_X]: [["dirfd", "name"]],
  [EV.OPEN_BY_HANDLE_AT_X]: [[null, "path"]],
  [EV.UNLINKAT_2_X]: [["dirfd", "name"]],
  [EV.MKDIRAT_X]: [["dirfd", "path"]],
  [EV.FCHMODAT_X]: [["dirfd", "filename"]],
  [EV.FCHOWNAT_X]: [["dirfd", "pathname"]],
};

const abspaths: readonly (readonly (readonly [dirfd: number, path: number])[] | undefined)[] = EVENTS.map((e) =>
  AT_CALLS[e.id]?.map(
    ([dirfd, path]) =>
      [
        dirfd === null ? -1 : e.params.findIndex((p) => p.name === dirfd),
        e.params.findIndex((p) => p.name === path),
      ] as const,
  ),
);

function abspath(member: "src" | "dst" | "") {
  return (ctx: Context): string | undefined => {
    const members = abspaths[ctx.ev.type];
    if (members === undefined) return undefined;
    const which = (member === "dst" ? members[1] : undefined) ?? members[0];
    if (which === undefined) return undefined;
    const ev = ctx.ev;
    // The path behind a handle is known once it is open.
    if (which[0] < 0 && ctx.rawres <= 0) return undefined;
    const path = ev.paramLength(which[1]) === 0 ? "<NA>" : ev.str(which[1]);
    const base = which[0] < 0 ? (ctx.thread?.cwd ?? "") : directoryOf(ctx, ev.i64(which[0], -100));
    return ctx.resolvePath(base === UNKNOWN_DIR ? `${base}/` : base, path);
  };
}

export const EVT_ABSPATH_FIELD: Field = argField(
  "evt.abspath",
  PT.CHARBUF,
  argRule(false, "dotted"),
  "Absolute path of renameat, renameat2, linkat, symlinkat, openat, openat2, open_by_handle_at, unlinkat, mkdirat, fchmodat, fchownat; evt.abspath.src and .dst for calls with two paths",
  (_, member) => {
    if (member !== "" && member !== "src" && member !== "dst") {
      throw new FieldArgError(`'evt.abspath' takes .src or .dst, found '.${member}'`);
    }
    return abspath(member);
  },
);

export const EVT_OPEN_FIELDS: readonly Field[] = [
  bool(
    "evt.is_open_read",
    "True for open, openat, openat2 and open_by_handle_at that read",
    openTest((flags) => (flags & RDONLY) !== 0, never),
    constantUnlessOpen,
  ),
  bool(
    "evt.is_open_write",
    "True for open, openat, openat2 and open_by_handle_at that write",
    openTest((flags) => (flags & WRONLY) !== 0, never),
    constantUnlessOpen,
  ),
];

export const EVT_OPEN_MORE_FIELDS: readonly Field[] = [
  bool(
    "evt.is_open_exec",
    "True for calls that create a file with an execute permission",
    openTest(
      (flags, mode) => (flags & (CREAT | TMPFILE)) !== 0 && (mode & ANY_EXEC) !== 0,
      (mode) => (mode & ANY_EXEC) !== 0,
    ),
    constantUnlessOpen,
  ),
  bool(
    "evt.is_open_create",
    "True for open calls that made a new file",
    openTest((flags, _, ctx) => (flags & F_CREATED) !== 0 || ((flags & TMPFILE) !== 0 && ctx.rawres >= 0), never),
    constantUnlessOpen,
  ),
];
