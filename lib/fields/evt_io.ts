// SPDX-License-Identifier: Apache-2.0
// What came of an event: result, errors, bytes moved.
import { FD_TYPE } from "../scap/source.ts";
import { EVENT_HAS_RETURN, EVENTS, PARAM_SIZE } from "../schema/events.ts";
import { EC, EF, EV, PF, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import { bool, field, text, u32, u64 } from "./define.ts";
import type { Extractor, Field } from "./field.ts";
import { errnoName } from "./names.ts";

/** Bytes of the return value by event id; 0 for events without. User and group ids come in four bytes. */
const RETURN_SIZE = Uint8Array.from(EVENTS, (e) =>
  EVENT_HAS_RETURN[e.id] === 1 ? (PARAM_SIZE[e.params[0]?.type ?? PT.NONE] as number) : 0,
);

/** Return value; undefined for events without. */
export function returnValue(ctx: Context): number | undefined {
  switch (RETURN_SIZE[ctx.ev.type]) {
    case 8:
      return ctx.ev.paramLength(0) === 8 ? ctx.ev.i64(0) : undefined;
    case 4:
      return ctx.ev.paramLength(0) === 4 ? ctx.ev.u32(0) : undefined;
    default:
      return undefined;
  }
}

/** The same with all 64 bits: addresses are return values too. */
const rawResult: Extractor = (ctx) => {
  const v = returnValue(ctx);
  return v === undefined || Number.isSafeInteger(v) ? v : ctx.ev.i64Exact(0);
};

const CATEGORY = Uint8Array.from(EVENTS, (e) => e.category & 255);
const FLAGS = Uint16Array.from(EVENTS, (e) => e.flags);

function isFile(ctx: Context): boolean {
  const type = ctx.fd?.type;
  return type === FD_TYPE.FILE || type === FD_TYPE.FILE_V2 || type === FD_TYPE.DIRECTORY;
}

function isNet(ctx: Context): boolean {
  return ctx.fd !== null && (ctx.fd.isIp() || ctx.fd.type === FD_TYPE.UNIX_SOCK);
}

const byIds = (...ids: number[]): Uint8Array => {
  const set = new Uint8Array(EVENTS.length);
  for (const id of ids) set[id] = 1;
  return set;
};
const OPENS = byIds(EV.OPEN_X, EV.CREAT_X, EV.OPENAT_X, EV.OPENAT_2_X, EV.OPENAT2_X, EV.OPEN_BY_HANDLE_AT_X);
const CONNECTS = byIds(EV.ACCEPT_X, EV.ACCEPT4_X, EV.ACCEPT_5_X, EV.ACCEPT4_5_X, EV.ACCEPT4_6_X, EV.CONNECT_X);

/** What an event may fail on; one event can be more than one of these (mmap of a file). */
const KINDS = {
  file: (ctx: Context): boolean => (ctx.fd === null ? OPENS[ctx.ev.type] === 1 : isFile(ctx)),
  net: (ctx: Context): boolean => (ctx.fd === null ? CONNECTS[ctx.ev.type] === 1 : isNet(ctx)),
  memory: (ctx: Context): boolean => CATEGORY[ctx.ev.type] === EC.MEMORY,
  other: (ctx: Context): boolean => !KINDS.file(ctx) && !KINDS.net(ctx) && (ctx.fd !== null || !KINDS.memory(ctx)),
};

/** 1 when the event failed, 0 when not; missing without return value. */
function errorCount(kind?: keyof typeof KINDS): Extractor {
  return (ctx) => {
    const v = returnValue(ctx);
    if (v === undefined || (kind !== undefined && !KINDS[kind](ctx))) return undefined;
    return v < 0 ? 1 : 0;
  };
}

/** Bytes moved by reads and writes, where the event's category and descriptor are as wanted. */
function bytesMoved(category: number | null, fd: ((ctx: Context) => boolean) | null): Extractor {
  return (ctx) => {
    const c = CATEGORY[ctx.ev.type] as number;
    if ((c & EC.IO_BASE) === 0 || ctx.fd === null || (ctx.ev.type & 1) === 0) return undefined;
    if (category !== null && c !== category) return undefined;
    if (fd !== null && !fd(ctx)) return undefined;
    const v = returnValue(ctx);
    return v !== undefined && v >= 0 ? v : undefined;
  };
}

const TABLE_ONLY = { flags: { hidden: true } };
const isRegular = (ctx: Context): boolean => ctx.fd?.type === FD_TYPE.FILE || ctx.fd?.type === FD_TYPE.FILE_V2;
const isIp = (ctx: Context): boolean => ctx.fd?.isIp() === true;

export const EVT_IO_FIELDS: readonly Field[] = [
  u64("evt.buflen", "Bytes that an event moved through a descriptor", bytesMoved(null, null)),
  text(
    "evt.res",
    "SUCCESS, or the name of the error, e.g. ENOENT (its number where it has none); missing for events without return value",
    (ctx) => {
      const v = returnValue(ctx);
      if (v === undefined) return undefined;
      return v >= 0 ? "SUCCESS" : errnoName(-v) || String(v);
    },
    { format: PF.DEC },
  ),
  field("evt.rawres", PT.INT64, "Return value as a number; negative numbers are errors", rawResult, {
    format: PF.DEC,
  }),
  bool("evt.failed", "True when the system call failed; missing for events without return value", (ctx) => {
    const v = returnValue(ctx);
    return v === undefined ? undefined : v < 0;
  }),
  bool(
    "evt.is_syslog",
    "True for writes to /dev/log",
    (ctx) =>
      ((FLAGS[ctx.ev.type] as number) & EF.WRITES_TO_FD) !== 0 && ctx.fd !== null && ctx.fd.name.includes("/dev/log"),
  ),
  u32("evt.count", "1 for every event, for counting", () => 1, { byEventType: () => 1 }),
  u32("evt.count.error", "1 when the event failed, else 0", errorCount()),
  u32("evt.count.error.file", "As evt.count.error, for events on files only", errorCount("file")),
  u32("evt.count.error.net", "As evt.count.error, for events on sockets only", errorCount("net")),
  u32("evt.count.error.memory", "As evt.count.error, for memory events only", errorCount("memory")),
  u32(
    "evt.count.error.other",
    "As evt.count.error, for events that are on neither files, sockets nor memory",
    errorCount("other"),
  ),
  u32(
    "evt.count.exit",
    "1 for exit events, for counting; missing for others",
    (ctx) => (ctx.ev.type & 1 ? 1 : undefined),
    {
      byEventType: (id) => (id & 1 ? 1 : undefined),
    },
  ),
  u32(
    "evt.count.procinfo",
    "1 for the process statistics of a main thread, else 0",
    (ctx) => (ctx.ev.type === EV.PROCINFO_E && ctx.thread !== null && ctx.thread.tid === ctx.thread.pid ? 1 : 0),
    TABLE_ONLY,
  ),
  u32(
    "evt.count.threadinfo",
    "1 for the process statistics of any thread, else 0",
    (ctx) => (ctx.ev.type === EV.PROCINFO_E ? 1 : 0),
    {
      ...TABLE_ONLY,
      byEventType: (id) => (id === EV.PROCINFO_E ? 1 : 0),
    },
  ),
  u64("evt.buflen.in", "evt.buflen of reads", bytesMoved(EC.IO_READ, null), TABLE_ONLY),
  u64("evt.buflen.out", "evt.buflen of writes", bytesMoved(EC.IO_WRITE, null), TABLE_ONLY),
  u64("evt.buflen.file", "evt.buflen on files", bytesMoved(null, isRegular), TABLE_ONLY),
  u64("evt.buflen.file.in", "evt.buflen of reads from files", bytesMoved(EC.IO_READ, isRegular), TABLE_ONLY),
  u64("evt.buflen.file.out", "evt.buflen of writes to files", bytesMoved(EC.IO_WRITE, isRegular), TABLE_ONLY),
  u64("evt.buflen.net", "evt.buflen on network sockets", bytesMoved(null, isIp), TABLE_ONLY),
  u64("evt.buflen.net.in", "evt.buflen of reads from network sockets", bytesMoved(EC.IO_READ, isIp), TABLE_ONLY),
  u64("evt.buflen.net.out", "evt.buflen of writes to network sockets", bytesMoved(EC.IO_WRITE, isIp), TABLE_ONLY),
];
