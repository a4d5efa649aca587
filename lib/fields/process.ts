// SPDX-License-Identifier: Apache-2.0
// Fields of the process that made the event.
import { PF, PT } from "../schema/tables/enums.ts";
import type { Context, ThreadContext } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";
import { argField, argRule, bool, duration, field, id64, text, u64 } from "./define.ts";
import { fdTypeName } from "./fd_text.ts";
import type { Extractor, Field, Value } from "./field.ts";
import { threadOnly } from "./thread_only.ts";
import { argsOf, cmdlineOf, envOf, envValue, exelineOf } from "./thread_text.ts";
import { canonical, exactTime } from "./time_text.ts";

function overThread<C extends ThreadContext>(get: (t: ThreadInfo, ctx: C) => Value | undefined) {
  return (ctx: C): Value | undefined => {
    const t = ctx.thread;
    return t === null ? undefined : get(t, ctx);
  };
}

/** An extractor over the thread, whatever the event; missing when the event has none. */
export function ofThread(get: (t: ThreadInfo, ctx: ThreadContext) => Value | undefined): Extractor {
  return threadOnly(overThread(get));
}

/** The same where the event counts too. */
export function ofThreadNow(get: (t: ThreadInfo, ctx: Context) => Value | undefined): Extractor {
  return overThread(get);
}

/** As ofThread over the main thread of the process. */
function ofLeader(get: (t: ThreadInfo) => Value | undefined): Extractor {
  return ofThread((t, ctx) => get(ctx.leaderOf(t)));
}

/** The same where descriptors are looked at. */
function ofLeaderNow(get: (t: ThreadInfo) => Value | undefined): Extractor {
  return ofThreadNow((t, ctx) => get(ctx.leaderOf(t)));
}

/** Ids below −1 or beyond 32 bits are no ids. */
export function plausibleId(id: number): number | undefined {
  return id < -1 || id > 0xffffffff ? undefined : id;
}

/** Name and executable. */
export const PROCESS_EXE_FIELDS: readonly Field[] = [
  text(
    "proc.exe",
    "First argument of the command line, usually the program as it was called",
    threadOnly((ctx) => ctx.thread?.exe),
  ),
  text(
    "proc.exepath",
    "Full path of the program",
    threadOnly((ctx) => ctx.thread?.exepath),
  ),
  text(
    "proc.name",
    "Name of the process as the kernel keeps it (at most 15 characters)",
    threadOnly((ctx) => ctx.thread?.comm),
  ),
];

/** Command line, environment and working directory. */
export const PROCESS_ARGS_FIELDS: readonly Field[] = [
  argField(
    "proc.args",
    PT.CHARBUF,
    argRule(false, "index"),
    "Arguments of the command line without the program; proc.args[0] is the first of them",
    (arg) => {
      if (arg === null || !("index" in arg)) return ofThread(argsOf);
      const i = arg.index;
      return ofThread((t) => t.args[i] ?? "");
    },
  ),
  text("proc.cmdline", "Name and arguments: proc.name and proc.args with a blank between", ofThread(cmdlineOf)),
  u64(
    "proc.cmdnargs",
    "Number of arguments",
    ofThread((t) => t.args.length),
  ),
  u64(
    "proc.cmdlenargs",
    "Bytes of all arguments, without the blanks between them",
    ofThread((t) => t.args.reduce((sum, a) => sum + a.length, 0)),
  ),
  text("proc.exeline", "proc.exe and proc.args with a blank between", ofThread(exelineOf)),
  argField(
    "proc.env",
    PT.CHARBUF,
    argRule(false, "index", "key"),
    "Environment; proc.env[NAME] is the value of one variable, empty when it is not set",
    (arg, name) => (arg === null ? ofLeader(envOf) : ofLeader((t) => envValue(t, name))),
  ),
];

export const PROCESS_CWD_FIELDS: readonly Field[] = [
  text(
    "proc.cwd",
    "Working directory, with a slash at the end",
    ofThread((t) => t.cwd),
  ),
];

export const PROCESS_ID_FIELDS: readonly Field[] = [
  field(
    "proc.tty",
    PT.UINT32,
    "Number of the controlling terminal, 0 without one",
    ofThread((t) => t.tty),
    {
      format: PF.ID,
    },
  ),
  id64(
    "proc.pid",
    "Process id",
    ofThread((t) => plausibleId(t.pid)),
  ),
];

export const PROCESS_VPID_FIELDS: readonly Field[] = [
  id64(
    "proc.vpid",
    "Process id as seen inside the process's PID namespace",
    ofThread((t) => (t.vpid === -1 ? undefined : t.vpid)),
  ),
];

/** Time since a thread was started, in ns; undefined when the start is unknown. */
export function age(ctx: Context, t: ThreadInfo): number | undefined {
  return Number.isNaN(t.cloneTs) ? undefined : ctx.ev.ts - t.cloneTs;
}

/** Start of a thread in ns since the epoch. */
export function startOf(ctx: ThreadContext, t: ThreadInfo): Value | undefined {
  return Number.isNaN(t.cloneTs) ? undefined : exactTime(ctx, t.cloneTs);
}

const exeFlag = (
  name: string,
  doc: string,
  key: "exeWritable" | "exeUpperLayer" | "exeLowerLayer" | "exeFromMemfd",
): Field =>
  bool(
    name,
    doc,
    ofThread((t) => t[key]),
  );

/** ns from the inode's change to the start of the process; undefined when it was not changed before. */
function changeToStart(t: ThreadInfo, ctx: ThreadContext): Value | undefined {
  if (t.exeInoCtime === 0n || Number.isNaN(t.cloneTs)) return undefined;
  const ns = ctx.baseTime + BigInt(Math.round(t.cloneTs)) - t.exeInoCtime;
  return ns > 0n ? canonical(ns) : undefined;
}

/** ns from the start of the PID namespace to the inode's change; undefined when the change came first. */
function namespaceToChange(t: ThreadInfo): Value | undefined {
  if (t.exeInoCtime === 0n || t.pidnsInitStart === 0n) return undefined;
  const ns = t.exeInoCtime - t.pidnsInitStart;
  return ns > 0n ? canonical(ns) : undefined;
}

const nonZero = (v: bigint): Value | undefined => (v === 0n ? undefined : canonical(v));

export const PROCESS_IMAGE_FIELDS: readonly Field[] = [
  exeFlag("proc.is_exe_writable", "True when the user of the process may write to the program", "exeWritable"),
  exeFlag(
    "proc.is_exe_upper_layer",
    "True when the program lies in the upper layer of an overlay file system",
    "exeUpperLayer",
  ),
  exeFlag(
    "proc.is_exe_lower_layer",
    "True when the program lies in a lower layer of an overlay file system",
    "exeLowerLayer",
  ),
  exeFlag("proc.is_exe_from_memfd", "True when the program was run from memory (memfd_create)", "exeFromMemfd"),
  bool(
    "proc.is_sid_leader",
    "True for the leader of a session",
    ofThread((t) => t.sid === t.vpid),
  ),
  bool(
    "proc.is_vpgid_leader",
    "True for the leader of a process group, by the ids inside the PID namespace",
    ofThread((t) => t.vpgid === t.vpid),
  ),
  bool(
    "proc.is_pgid_leader",
    "True for the leader of a process group, by the ids of the host",
    ofThread((t) => t.pgid === t.pid),
  ),
  field(
    "proc.exe_ino",
    PT.INT64,
    "Inode of the program; missing when unknown",
    ofThread((t) => (t.exeIno === 0 ? undefined : t.exeIno)),
    {
      format: PF.DEC,
    },
  ),
  field(
    "proc.exe_ino.ctime",
    PT.ABSTIME,
    "Last change of the program's inode, ns since the epoch",
    ofThread((t) => nonZero(t.exeInoCtime)),
    {
      format: PF.DEC,
    },
  ),
  field(
    "proc.exe_ino.mtime",
    PT.ABSTIME,
    "Last change of the program's content, ns since the epoch",
    ofThread((t) => nonZero(t.exeInoMtime)),
    {
      format: PF.DEC,
    },
  ),
  field(
    "proc.exe_ino.ctime_duration_proc_start",
    PT.ABSTIME,
    "Nanoseconds from the last change of the program's inode to the start of the process",
    ofThread(changeToStart),
    { format: PF.DEC },
  ),
  field(
    "proc.exe_ino.ctime_duration_pidns_start",
    PT.ABSTIME,
    "Nanoseconds from the start of the PID namespace to the last change of the program's inode",
    ofThread(namespaceToChange),
    { format: PF.DEC },
  ),
  u64(
    "proc.pidns_init_start_ts",
    "Start of the PID namespace, ns since the epoch",
    ofThread((t) => nonZero(t.pidnsInitStart)),
  ),
];

/** Open descriptors of the process. */
const openCount = (t: ThreadInfo): number => t.fds?.size ?? 0;

export const PROCESS_RESOURCE_FIELDS: readonly Field[] = [
  u64("proc.fdopencount", "Number of open descriptors", ofLeaderNow(openCount)),
  field(
    "proc.fdlimit",
    PT.INT64,
    "Most descriptors the process may open; -1 when unknown",
    ofLeader((t) => t.fdlimit),
    {
      format: PF.DEC,
    },
  ),
  field(
    "proc.fdusage",
    PT.DOUBLE,
    "Open descriptors in percent of the limit",
    ofLeaderNow((t) => (t.fdlimit > 0 ? (openCount(t) * 100) / t.fdlimit : 0)),
  ),
  u64(
    "proc.vmsize",
    "Virtual memory in KiB",
    ofThread((t) => t.vmSizeKb),
  ),
  u64(
    "proc.vmrss",
    "Resident memory in KiB",
    ofThread((t) => t.vmRssKb),
  ),
  u64(
    "proc.vmswap",
    "Swapped memory in KiB",
    ofThread((t) => t.vmSwapKb),
  ),
];

export const PROCESS_THREADS_FIELDS: readonly Field[] = [
  u64(
    "proc.nthreads",
    "Live threads of the process, the main thread counted",
    ofThread((t) => t.nthreads),
  ),
  u64(
    "proc.nchilds",
    "Live threads of the process besides the main thread",
    ofThread((t, ctx) => Math.max(0, t.nthreads - (ctx.leaderOf(t).dead ? 0 : 1))),
  ),
];

const standard: readonly (readonly [number, string, string])[] = [
  [0, "stdin", "Standard input"],
  [1, "stdout", "Standard output"],
  [2, "stderr", "Standard error"],
];

export const PROCESS_STD_FIELDS: readonly Field[] = [
  ...standard.map(([fd, name, doc]) =>
    text(
      `proc.${name}.type`,
      `${doc}: type of the descriptor`,
      ofLeaderNow((t) => {
        const info = t.fds?.get(fd);
        return info === undefined ? undefined : fdTypeName(info.type);
      }),
    ),
  ),
  ...standard.map(([fd, name, doc]) =>
    text(
      `proc.${name}.name`,
      `${doc}: name of the descriptor`,
      ofLeaderNow((t) => t.fds?.get(fd)?.name),
    ),
  ),
];

export const PROCESS_AGE_FIELDS = {
  own: [
    duration(
      "proc.duration",
      "Nanoseconds since the process started",
      ofThreadNow((t, ctx) => age(ctx, t)),
    ),
  ],
  start: [
    duration(
      "proc.pid.ts",
      "Start of the process, ns since the epoch",
      ofThread((t, ctx) => startOf(ctx, t)),
    ),
  ],
} as const;
