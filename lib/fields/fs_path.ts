// SPDX-License-Identifier: Apache-2.0
// Paths that file-system calls worked on, whatever the call (fs.path.*).
import { EVENTS } from "../schema/events.ts";
import { EV } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import { text } from "./define.ts";
import type { Extractor, Field } from "./field.ts";
import { directoryOf } from "./params.ts";

/** Parameter with a path, and parameter with the directory it is relative to (null: the working directory). */
type PathParams = readonly [path: string, dirfd: string | null];

interface Call {
  readonly id: number;
  readonly name?: PathParams;
  readonly source?: PathParams;
  readonly target?: PathParams;
  /** Position of the descriptor whose name is the path (fchmod). */
  readonly fd?: string;
  /** The call opens a file: it succeeded when it gave a descriptor. */
  readonly open?: true;
}

/** What each call names. A link's source is the new path, as the link is what is made. */
const CALLS: readonly Call[] = [
  { id: EV.MKDIR_2_X, name: ["path", null] },
  { id: EV.MKDIRAT_X, name: ["path", "dirfd"] },
  { id: EV.RMDIR_2_X, name: ["path", null] },
  { id: EV.UNLINK_2_X, name: ["path", null] },
  { id: EV.UNLINKAT_2_X, name: ["name", "dirfd"] },
  { id: EV.OPEN_X, name: ["name", null], open: true },
  { id: EV.OPENAT_2_X, name: ["name", "dirfd"], open: true },
  { id: EV.OPENAT2_X, name: ["name", "dirfd"], open: true },
  { id: EV.CHMOD_X, name: ["filename", null] },
  { id: EV.FCHMOD_X, fd: "fd" },
  { id: EV.FCHMODAT_X, name: ["filename", "dirfd"] },
  { id: EV.CHOWN_X, name: ["path", null] },
  { id: EV.LCHOWN_X, name: ["path", null] },
  { id: EV.FCHOWN_X, fd: "fd" },
  { id: EV.FCHOWNAT_X, name: ["pathname", "dirfd"] },
  { id: EV.QUOTACTL_X, name: ["special", null] },
  { id: EV.UMOUNT_1_X, name: ["name", null] },
  { id: EV.UMOUNT_X, name: ["name", null] },
  { id: EV.UMOUNT2_X, name: ["name", null] },
  { id: EV.RENAME_X, source: ["oldpath", null], target: ["newpath", null] },
  { id: EV.RENAMEAT_X, source: ["oldpath", "olddirfd"], target: ["newpath", "newdirfd"] },
  { id: EV.RENAMEAT2_X, source: ["oldpath", "olddirfd"], target: ["newpath", "newdirfd"] },
  { id: EV.LINK_2_X, source: ["newpath", null], target: ["oldpath", null] },
  { id: EV.LINKAT_2_X, source: ["newpath", "newdir"], target: ["oldpath", "olddir"] },
  { id: EV.SYMLINK_X, source: ["linkpath", null], target: ["target", null] },
  { id: EV.SYMLINKAT_X, source: ["linkpath", "linkdirfd"], target: ["target", null] },
  { id: EV.MOUNT_X, source: ["dev", null], target: ["dir", null] },
];

interface Located {
  readonly path: number;
  /** −1: the working directory. */
  readonly dirfd: number;
  /** The path is the descriptor's name. */
  readonly isFd: boolean;
  readonly open: boolean;
}

type Which = "name" | "source" | "target";

function locate(which: Which): readonly (Located | undefined)[] {
  const table: (Located | undefined)[] = new Array(EVENTS.length).fill(undefined);
  for (const call of CALLS) {
    const at = (name: string) => EVENTS[call.id]?.params.findIndex((p) => p.name === name) ?? -1;
    const open = call.open === true;
    if (which === "name" && call.fd !== undefined) {
      table[call.id] = { path: at(call.fd), dirfd: -1, isFd: true, open };
      continue;
    }
    const params = call[which];
    if (params === undefined) continue;
    table[call.id] = { path: at(params[0]), dirfd: params[1] === null ? -1 : at(params[1]), isFd: false, open };
  }
  return table;
}

/** True when the call did what it says. An open that failed with ENOENT counts too: it shows what was looked for. */
function succeeded(ctx: Context, open: boolean): boolean {
  return open ? ctx.rawres !== -1 : ctx.rawres === 0;
}

function pathOf(which: Which, raw: boolean): Extractor {
  const table = locate(which);
  return (ctx) => {
    const at = table[ctx.ev.type];
    if (at === undefined || !succeeded(ctx, at.open)) return undefined;
    const ev = ctx.ev;
    if (at.isFd) return ctx.thread?.fds?.get(ev.i64(at.path, -1))?.name;
    if (ev.paramLength(at.path) === 0) return undefined;
    const path = ev.str(at.path);
    if (raw || path === "") return path;
    // What an open gave is better known than what was asked for.
    if (at.open && ctx.fd !== null) return ctx.fd.name;
    return ctx.resolvePath(at.dirfd < 0 ? (ctx.thread?.cwd ?? "") : directoryOf(ctx, ev.i64(at.dirfd, -100)), path);
  };
}

export const FS_PATH_FIELDS: readonly Field[] = [
  text(
    "fs.path.name",
    "Path that a successful call worked on: open, mkdir, rmdir, unlink, chmod, chown, umount and their kin",
    pathOf("name", false),
  ),
  text("fs.path.nameraw", "fs.path.name as the program gave it", pathOf("name", true)),
  text("fs.path.source", "Old path of a rename, new path of a link, device of a mount", pathOf("source", false)),
  text("fs.path.sourceraw", "fs.path.source as the program gave it", pathOf("source", true)),
  text("fs.path.target", "New path of a rename, path a link leads to, directory of a mount", pathOf("target", false)),
  text("fs.path.targetraw", "fs.path.target as the program gave it", pathOf("target", true)),
];
