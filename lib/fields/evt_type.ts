// SPDX-License-Identifier: Apache-2.0
// What kind of event it is: evt.type, evt.dir, evt.category and the flags of the event type.

import { FD_TYPE } from "../scap/source.ts";
import { EVENTS } from "../schema/events.ts";
import { EC, EF, EV, PF, PT } from "../schema/tables/enums.ts";
import { SYSCALL_NAMES, SYSCALLS } from "../schema/tables/syscalls.ts";
import type { Context } from "../sinsp/inspector.ts";
import { argField, argRule, bool, type FieldOptions, text } from "./define.ts";
import { eventIdsOf } from "./evt_names.ts";
import { type Extractor, type Field, FieldArgError, VARIES, type Value } from "./field.ts";

const NAMES: readonly string[] = EVENTS.map((e) => e.name);

/** Code of a system call by its x86_64 number. */
const codeByNumber = new Map<number, number>(SYSCALLS.x86_64.map(([nr, , code]) => [nr, code]));

/** Name of the system call in a generic event, from its code, else from the number of the recording kernel. */
function genericName(ctx: Context): string {
  const ev = ctx.ev;
  const code = ev.u16(0);
  if (code !== 0 && code < SYSCALL_NAMES.length) return SYSCALL_NAMES[code] as string;
  const byNumber = ev.paramLength(1) < 2 ? undefined : codeByNumber.get(ev.u16(1));
  return byNumber === undefined ? "<unknown>" : (SYSCALL_NAMES[byNumber] as string);
}

/** Name of the event under the cursor, as evt.type has it. */
export function eventTypeName(ctx: Context): string {
  const type = ctx.ev.type;
  if (type === EV.GENERIC_X || type === EV.GENERIC_E) return genericName(ctx);
  if (type === EV.ASYNCEVENT_E) return ctx.ev.str(1);
  return NAMES[type] as string;
}

function constantName(id: number): Value | typeof VARIES {
  return id === EV.GENERIC_X || id === EV.GENERIC_E || id === EV.ASYNCEVENT_E ? VARIES : (NAMES[id] as string);
}

const isSyscall = Uint8Array.from(EVENTS, (e) => ((e.kind & EC.SYSCALL) !== 0 ? 1 : 0));
const isMeta = Uint8Array.from(EVENTS, (e) => ((e.kind & EC.METAEVENT) !== 0 ? 1 : 0));

/** Category names; events that move data are told by the kind of descriptor instead. */
const CATEGORY = new Map<number, string>([
  [EC.UNKNOWN, "unknown"],
  [EC.OTHER, "other"],
  [EC.FILE, "file"],
  [EC.NET, "net"],
  [EC.IPC, "IPC"],
  [EC.MEMORY, "memory"],
  [EC.PROCESS, "process"],
  [EC.SLEEP, "sleep"],
  [EC.SYSTEM, "system"],
  [EC.SIGNAL, "signal"],
  [EC.USER, "user"],
  [EC.TIME, "time"],
  [EC.PROCESSING, "processing"],
  [EC.WAIT, "wait"],
  [EC.SCHEDULER, "scheduler"],
  [EC.INTERNAL, "internal"],
]);
const categoryOf: readonly (string | null)[] = EVENTS.map((e) => CATEGORY.get(e.category) ?? null);

/** Category of an I/O event by its descriptor. */
function ioCategory(ctx: Context): string {
  switch (ctx.fd?.type) {
    case FD_TYPE.FILE:
    case FD_TYPE.FILE_V2:
    case FD_TYPE.DIRECTORY:
      return "file";
    case FD_TYPE.IPV4_SOCK:
    case FD_TYPE.IPV6_SOCK:
    case FD_TYPE.IPV4_SERVSOCK:
    case FD_TYPE.IPV6_SERVSOCK:
      return "net";
    case FD_TYPE.FIFO:
    case FD_TYPE.UNIX_SOCK:
    case FD_TYPE.EVENT:
    case FD_TYPE.SIGNALFD:
    case FD_TYPE.INOTIFY:
    case FD_TYPE.USERFAULTFD:
      return "ipc";
    default:
      return "unknown";
  }
}

/** An extractor and its constant form from a table by event id. */
function byType(table: readonly (Value | undefined)[]): { extract: Extractor; more: FieldOptions } {
  return { extract: (ctx) => table[ctx.ev.type], more: { byEventType: (id) => table[id] } };
}

function flagField(name: string, mask: number, doc: string): Field {
  const { extract, more } = byType(EVENTS.map((e) => (e.flags & mask) !== 0));
  return bool(name, doc, extract, more);
}

const direction = byType(EVENTS.map((e) => (e.id & 1 ? "<" : ">")));
const io = byType(
  EVENTS.map((e) =>
    (e.flags & EF.WRITES_TO_FD) !== 0 ? "write" : (e.flags & EF.READS_FROM_FD) !== 0 ? "read" : undefined,
  ),
);
const meta = byType(EVENTS.map((e) => isMeta[e.id] === 1));

/** Fields of every event source. */
export const EVT_ASYNC_FIELDS: readonly Field[] = [
  bool(
    "evt.is_async",
    "True for events that tell of something besides system calls, such as a new container",
    meta.extract,
    meta.more,
  ),
  text(
    "evt.asynctype",
    "Name of an asynchronous event; missing for all others",
    (ctx) => (isMeta[ctx.ev.type] === 1 ? eventTypeName(ctx) : undefined),
    { byEventType: (id) => (isMeta[id] === 1 ? constantName(id) : undefined) },
  ),
];

/** Fields of system-call events. */
export const EVT_TYPE_FIELDS: readonly Field[] = [
  text(
    "evt.dir",
    "'>' for an enter event, '<' for an exit event; present captures hold exit events only",
    direction.extract,
    {
      ...direction.more,
      format: PF.DIR,
      flags: { deprecated: true },
    },
  ),
  text("evt.type", "Name of the event, e.g. openat", eventTypeName, {
    byEventType: constantName,
  }),
  argField(
    "evt.type.is",
    PT.UINT32,
    argRule(true, "dotted"),
    "1 when the event has the given name, else 0: evt.type.is.open",
    (_, name) => {
      const ids = /^[0-9]+$/.test(name) ? [Number(name)] : eventIdsOf(name);
      if (ids.length === 0) throw new FieldArgError(`'${name}' is no event; evt.type.is needs an event name`);
      const hit = new Uint8Array(EVENTS.length);
      for (const id of ids) hit[id] = 1;
      return { extract: (ctx) => hit[ctx.ev.type], byEventType: (id) => hit[id] };
    },
  ),
  text(
    "syscall.type",
    "Name of the system call; missing for events that are none",
    (ctx) => (isSyscall[ctx.ev.type] === 1 ? eventTypeName(ctx) : undefined),
    { byEventType: (id) => (isSyscall[id] === 1 ? constantName(id) : undefined) },
  ),
  text(
    "evt.category",
    "Kind of event: file, net, IPC, memory, process, sleep, system, signal, user, time, wait, other …; reads and writes go by their descriptor",
    (ctx) => categoryOf[ctx.ev.type] ?? ioCategory(ctx),
    { byEventType: (id) => categoryOf[id] ?? VARIES },
  ),
  flagField(
    "evt.is_io",
    EF.READS_FROM_FD | EF.WRITES_TO_FD,
    "True when the event reads from or writes to a descriptor",
  ),
  flagField("evt.is_io_read", EF.READS_FROM_FD, "True when the event reads from a descriptor"),
  flagField("evt.is_io_write", EF.WRITES_TO_FD, "True when the event writes to a descriptor"),
  text("evt.io_dir", "'read' or 'write' for events that move data through a descriptor", io.extract, io.more),
  flagField("evt.is_wait", EF.WAITS, "True when the event makes the thread wait (sleep, poll, select …)"),
];
