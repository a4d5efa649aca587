// SPDX-License-Identifier: Apache-2.0
// Event parameters as text: one renderer per parameter of each event type, chosen once.
import type { EventCursor } from "../scap/cursor.ts";
import { EVENTS, PARAM_SIZE, type ParamInfo } from "../schema/events.ts";
import { EV, PF, PT } from "../schema/tables/enums.ts";
import { DYNAMIC_TABLES } from "../schema/tables/flags.ts";
import { SYSCALL_NAMES } from "../schema/tables/syscalls.ts";
import type { Context } from "../sinsp/inspector.ts";
import { UNKNOWN_DIR } from "../sinsp/path.ts";
import { writeBuffer } from "./buffer_text.ts";
import { writeFd } from "./fd_text.ts";
import { flagBits, flagEnum } from "./flag_text.ts";
import { LineWriter } from "./line_writer.ts";
import { errnoName, signalName } from "./names.ts";
import { general, octal } from "./number_text.ts";
import { writeFdList, writeSockaddr, writeTuple } from "./socket_text.ts";
import { absoluteText } from "./time_text.ts";

/** Writes the `len` bytes of a parameter at `at` as text; `len` is never 0 and fits the type. */
type Write = (out: LineWriter, ctx: Context, ev: EventCursor, at: number, len: number) => void;

/** What a value at `at` stands for; "" nothing. */
type Name = (ev: EventCursor, at: number) => string;

/** How one parameter is shown. */
interface ParamRenderer {
  /** `name=`; a blank in front of all but the first. */
  readonly prefix: string;
  /** The value itself: `3`, `-2`, `4097`. */
  readonly text: Write;
  /** What it stands for: `<f>/etc/passwd`, `ENOENT`; writes nothing when there is nothing to say. */
  readonly resolved: Write | null;
  /** The same as a string, for types that have it at hand. */
  readonly name: Name | null;
  /** Shown when nothing was captured. */
  readonly empty: string;
  /** What programs of the time of old captures showed then. */
  readonly formerEmpty: string;
  /** Bytes the type needs; 0 for variable length. */
  readonly size: number;
}

const TWO32 = 4294967296;
const AT_FDCWD = -100;
const SLASH = 47;
const OPEN = 40;
const CLOSE = 41;
const ABSENT = "<NA>";
/** Types whose absence is shown as NULL. */
const NULLABLE = new Set<number>([PT.BYTEBUF, PT.SOCKTUPLE, PT.FDLIST, PT.CHARBUFARRAY, PT.CHARBUF_PAIR_ARRAY, PT.DYN]);

function signed64(ev: EventCursor, at: number): number {
  return ev.view.getInt32(at + 4, true) * TWO32 + ev.view.getUint32(at, true);
}

/** Text up to the first NUL. */
function cstring(ev: EventCursor, at: number, len: number): string {
  const nul = ev.bytes.indexOf(0, at);
  return ev.bytes.latin1Slice(at, nul < 0 || nul > at + len ? at + len : nul);
}

const writeText: Write = (out, _, ev, at, len) => {
  const bytes = ev.bytes;
  let end = at;
  const last = at + len;
  while (end < last && bytes[end] !== 0) end++;
  out.range(bytes, at, end);
};

const writeSigned: Write = (out, _, ev, at) => {
  const v = signed64(ev, at);
  if (Number.isSafeInteger(v)) out.dec(v);
  else out.str(String(ev.view.getBigInt64(at, true)));
};

/** Reads an integer of up to 32 bits. */
type Read32 = (ev: EventCursor, at: number) => number;
const u8: Read32 = (ev, at) => ev.view.getUint8(at);
const u16: Read32 = (ev, at) => ev.view.getUint16(at, true);
const u32: Read32 = (ev, at) => ev.view.getUint32(at, true);
const i8: Read32 = (ev, at) => ev.view.getInt8(at);
const i16: Read32 = (ev, at) => ev.view.getInt16(at, true);
const i32: Read32 = (ev, at) => ev.view.getInt32(at, true);

function small(read: Read32, format: number): Write {
  if (format === PF.HEX) return (out, _, ev, at) => out.hex(0, read(ev, at) >>> 0);
  if (format === PF.OCT) return (out, _, ev, at) => out.str(octal(read(ev, at) >>> 0));
  return (out, _, ev, at) => out.dec(read(ev, at));
}

/** Decimals are shown signed whatever the type says: offsets and limits of −1 are recorded in unsigned parameters. */
function wide(format: number): Write {
  if (format === PF.HEX) {
    return (out, _, ev, at) => out.hex(ev.view.getUint32(at + 4, true), ev.view.getUint32(at, true));
  }
  if (format === PF.OCT) return (out, _, ev, at) => out.str(octal(ev.view.getBigUint64(at, true)));
  return writeSigned;
}

const fdResolved: Write = (out, ctx, ev, at) => {
  const fd = signed64(ev, at);
  if (fd >= 0) {
    // Most parameters name the descriptor the event is about.
    const info = fd === ctx.fdNum ? (ctx.fd ?? ctx.thread?.fds?.get(fd)) : ctx.thread?.fds?.get(fd);
    if (info != null) writeFd(out, info);
  } else out.str(fd === AT_FDCWD ? "AT_FDCWD" : errnoName(-fd));
};

const pidResolved: Write = (out, ctx, ev, at) => {
  const thread = ctx.getThread(signed64(ev, at));
  if (thread !== undefined) out.str(thread.comm);
};

const errnoResolved: Write = (out, _, ev, at) => {
  const v = signed64(ev, at);
  if (v < 0) out.str(errnoName(-v));
};

/** True for paths that are to be shown as seen from a directory too. */
function isRelative(ev: EventCursor, at: number, len: number): boolean {
  const first = ev.bytes[at];
  return first !== SLASH && first !== 0 && !(len === 5 && cstring(ev, at, len) === ABSENT);
}

/** A path that is relative, seen from the thread's working directory. */
const pathResolved: Write = (out, ctx, ev, at, len) => {
  if (isRelative(ev, at, len)) out.str(ctx.resolvePath(ctx.thread?.cwd ?? "", cstring(ev, at, len)));
};

/** A path that is relative, seen from the directory descriptor in parameter `dirfd`. */
function relativeResolved(dirfd: number): Write {
  return (out, ctx, ev, at, len) => {
    if (!isRelative(ev, at, len)) return;
    const base = directoryOf(ctx, ev.i64(dirfd, AT_FDCWD));
    const path = cstring(ev, at, len);
    out.str(ctx.resolvePath(base === UNKNOWN_DIR ? "" : base, path));
  };
}

/** Directory behind a descriptor as a base for paths. */
export function directoryOf(ctx: Context, fd: number): string {
  if (fd === AT_FDCWD) return ctx.thread?.cwd ?? "";
  return ctx.thread?.fds?.get(fd)?.name ?? UNKNOWN_DIR;
}

const MAX_SIGSET = 32;

const writeSigset: Write = (out, _, ev, at) => {
  const bits = ev.view.getUint32(at, true);
  const names: string[] = [];
  for (let bit = 0; bit < MAX_SIGSET; bit++) if ((bits >>> bit) & 1) names.push(signalName(bit + 1));
  out.str(names.join(" "));
};

/** True for the length of time that means "no limit". */
function isEndless(ev: EventCursor, at: number): boolean {
  return ev.view.getUint32(at, true) === 0xffffffff && ev.view.getUint32(at + 4, true) === 0xffffffff;
}

const reltimeText: Write = (out, _, ev, at) => {
  if (isEndless(ev, at)) out.str("none");
  else out.str(String(ev.view.getBigUint64(at, true)));
};

const reltimeResolved: Write = (out, _, ev, at) => {
  if (!isEndless(ev, at)) out.str(`${general(Number(ev.view.getBigUint64(at, true)) / 1e9)}s`);
};

const syscallText: Write = (out, _, ev, at) => {
  const code = u16(ev, at);
  if (code < SYSCALL_NAMES.length) out.dec(code);
  else out.str("<unknown syscall>");
};

function idResolved(kind: "user" | "group"): Write {
  return (out, ctx, ev, at) => {
    const id = ev.view.getUint32(at, true);
    if (id === 0xffffffff) out.str("<NONE>");
    else out.str(ctx[kind](id, ctx.thread?.containerId ?? "")?.name || (id === 0 ? "root" : ABSENT));
  };
}

/** A value with its type in the first byte. */
function dynamic(table: string | null, format: number): readonly [Write, Write] {
  const entries = (DYNAMIC_TABLES[table ?? ""] ?? []).map(([type]) => forType(type, format, null, -1, ""));
  const pick = (ev: EventCursor, at: number, len: number): ParamRenderer | undefined => {
    const entry = entries[ev.view.getUint8(at)];
    return entry !== undefined && len - 1 >= entry.size ? entry : undefined;
  };
  return [
    (out, ctx, ev, at, len) => {
      const entry = pick(ev, at, len);
      if (ev.view.getUint8(at) >= entries.length) out.str("INVALID DYNAMIC PARAMETER");
      else if (entry === undefined) out.str(ABSENT);
      // A buffer of no bytes was captured all the same.
      else if (len === 1) out.str(entry.empty === "NULL" ? "" : entry.empty);
      else entry.text(out, ctx, ev, at + 1, len - 1);
    },
    (out, ctx, ev, at, len) => {
      const entry = pick(ev, at, len);
      if (entry !== undefined && entry.resolved !== null && len > 1) entry.resolved(out, ctx, ev, at + 1, len - 1);
    },
  ];
}

function cstrings(ev: EventCursor, at: number, len: number): string[] {
  return ev.bytes
    .latin1Slice(at, at + len)
    .replace(/\0$/, "")
    .split("\0");
}

const writeStrings: Write = (out, _, ev, at, len) => out.str(cstrings(ev, at, len).join("."));

const writePairs: Write = (out, _, ev, at, len) => {
  const list = cstrings(ev, at, len);
  const pairs: string[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) pairs.push(`${list[i]}:${list[i + 1]}`);
  out.str(pairs.join(","));
};

/** How a type is written: members `text`, `resolved` and `name` of its ParamRenderer. */
type Writers = readonly [text: Write, resolved: Write | null, name?: Name];

/** A number and the names of its bits, or of the value. */
function flags(read: Read32, format: number, names: (v: number) => string): Writers {
  const name: Name = (ev, at) => names(read(ev, at));
  return [small(read, format), (out, _, ev, at) => out.str(name(ev, at)), name];
}

function writers(type: number, format: number, table: string | null, dirfd: number): Writers {
  switch (type) {
    case PT.INT8:
      return [small(i8, format), null];
    case PT.INT16:
      return [small(i16, format), null];
    case PT.INT32:
      return [small(i32, format), null];
    case PT.UINT8:
      return [small(u8, format), null];
    case PT.UINT16:
      return [small(u16, format), null];
    case PT.UINT32:
      return [small(format === PF.DEC ? i32 : u32, format), null];
    case PT.INT64:
    case PT.UINT64:
      return [wide(format), null];
    case PT.ERRNO:
      return [writeSigned, errnoResolved];
    case PT.FD:
      return [writeSigned, fdResolved];
    case PT.PID:
      return [writeSigned, pidResolved];
    case PT.UID:
      return [small(i32, PF.DEC), idResolved("user")];
    case PT.GID:
      return [small(i32, PF.DEC), idResolved("group")];
    case PT.CHARBUF:
      return [writeText, null];
    case PT.FSPATH:
      return [writeText, pathResolved];
    case PT.FSRELPATH:
      return [writeText, dirfd < 0 ? pathResolved : relativeResolved(dirfd)];
    case PT.BYTEBUF:
      return [(out, _, ev, at, len) => writeBuffer(out, ev.bytes, at, at + len), null];
    case PT.FLAGS8:
      return flags(u8, PF.DEC, flagBits(table));
    case PT.FLAGS16:
      return flags(u16, PF.DEC, flagBits(table));
    case PT.FLAGS32:
      return flags(u32, PF.DEC, flagBits(table));
    case PT.ENUMFLAGS8:
      return flags(u8, PF.DEC, flagEnum(table));
    case PT.ENUMFLAGS16:
      return flags(u16, PF.DEC, flagEnum(table));
    case PT.ENUMFLAGS32:
      return flags(u32, PF.DEC, flagEnum(table));
    case PT.MODE:
      return flags(u32, format, flagBits(table));
    case PT.SYSCALLID:
      return [syscallText, (out, _, ev, at) => out.str(SYSCALL_NAMES[u16(ev, at)] ?? "")];
    case PT.SIGTYPE:
      return flags(u8, PF.DEC, signalName);
    case PT.SIGSET:
      return [writeSigset, null];
    case PT.RELTIME:
      return [reltimeText, reltimeResolved];
    case PT.ABSTIME:
      return [(out, _, ev, at) => out.str(absoluteText(ev.view.getBigUint64(at, true))), null];
    case PT.SOCKADDR:
      return [(out, _, ev, at, len) => writeSockaddr(out, ev, at, len), null];
    case PT.SOCKTUPLE:
      return [(out, _, ev, at, len) => writeTuple(out, ev, at, len), null];
    case PT.FDLIST:
      return [writeFdList, null];
    case PT.CHARBUFARRAY:
      return [writeStrings, null];
    case PT.CHARBUF_PAIR_ARRAY:
      return [writePairs, null];
    case PT.DYN:
      return dynamic(table, format);
    default:
      return [(out) => out.str("(n.a.)"), null];
  }
}

function forType(type: number, format: number, table: string | null, dirfd: number, prefix: string): ParamRenderer {
  const [text, resolved, name] = writers(type, format, table, dirfd);
  const empty = NULLABLE.has(type) ? "NULL" : ABSENT;
  return {
    prefix,
    text,
    resolved,
    name: name ?? null,
    empty,
    formerEmpty: type === PT.SOCKTUPLE ? "NULL" : "",
    size: PARAM_SIZE[type] ?? 0,
  };
}

/** A parameter as programs of the time of old captures showed it. */
function formerly(id: number, p: ParamInfo, i: number): ParamInfo {
  // Addresses that mmap gives were a number of their own kind before they became a return value.
  if (i === 0 && (id === EV.MMAP_X || id === EV.MMAP2_X)) return { ...p, type: PT.UINT64, format: PF.HEX };
  if (p.name === "loginuid") return { ...p, type: PT.INT32, format: PF.DEC };
  // One name was enough for a value that has two.
  const type = FORMER_TYPE[p.type] ?? p.type;
  return { ...p, type, name: p.name === "vpgid" ? "pgid" : p.name };
}

const FORMER_TYPE: Readonly<Record<number, number>> = {
  [PT.ENUMFLAGS8]: PT.FLAGS8,
  [PT.ENUMFLAGS16]: PT.FLAGS16,
  [PT.ENUMFLAGS32]: PT.FLAGS32,
};

/** Renderers of the parameters of an event, by event id; made when the first event of a type comes. */
function renderersOf(
  view: (id: number, p: ParamInfo, i: number) => ParamInfo,
): (id: number) => readonly ParamRenderer[] {
  const made: (readonly ParamRenderer[] | undefined)[] = new Array(EVENTS.length).fill(undefined);
  const make = (id: number): readonly ParamRenderer[] => {
    const list = (EVENTS[id]?.params ?? []).map((param, i) => {
      const p = view(id, param, i);
      return forType(p.type, p.format, p.table, p.dirfd, `${i === 0 ? "" : " "}${p.name}=`);
    });
    made[id] = list;
    return list;
  };
  return (id) => made[id] ?? make(id);
}

const renderers = renderersOf((_, p) => p);
const formerRenderers = renderersOf(formerly);

/** Writes all parameters of the context's event: `fd=3(<f>/etc/passwd) size=80`. */
export function writeArgs(out: LineWriter, ctx: Context): void {
  const ev = ctx.ev;
  const recorded = ctx.recordedForm === true;
  const list = recorded ? formerRenderers(ev.type) : renderers(ev.type);
  const n = Math.min(list.length, ev.nparams);
  for (let i = 0; i < n; i++) {
    const r = list[i] as ParamRenderer;
    const at = ev.paramOffset(i);
    const len = ev.paramLength(i);
    out.str(r.prefix);
    if (len === 0 || len < r.size) {
      out.str(recorded ? r.formerEmpty : r.empty);
      continue;
    }
    r.text(out, ctx, ev, at, len);
    if (r.resolved === null) continue;
    const open = out.at;
    out.byte(OPEN);
    r.resolved(out, ctx, ev, at, len);
    if (out.at === open + 1) out.at = open;
    else out.byte(CLOSE);
  }
}

const scratch = new LineWriter(4096);

/** The same as a byte string. */
export function argsText(ctx: Context): string {
  writeArgs(scratch, ctx);
  return scratch.take();
}

/** One parameter as evt.arg has it: what it stands for, else its text; undefined when the event does not have it. */
export function argText(ctx: Context, i: number): string | undefined {
  const ev = ctx.ev;
  const r = renderers(ev.type)[i];
  if (r === undefined || i >= ev.nparams) return undefined;
  const len = ev.paramLength(i);
  if (len === 0 || len < r.size) return r.empty;
  const at = ev.paramOffset(i);
  const name = r.name === null ? "" : r.name(ev, at);
  if (name !== "") return name;
  if (r.resolved !== null) {
    r.resolved(scratch, ctx, ev, at, len);
    if (scratch.at > 0) return scratch.take();
  }
  r.text(scratch, ctx, ev, at, len);
  return scratch.take();
}

/** One parameter's text without what it stands for; undefined when the event does not have it. */
export function plainArgText(ctx: Context, i: number): string | undefined {
  const ev = ctx.ev;
  const r = renderers(ev.type)[i];
  if (r === undefined || i >= ev.nparams) return undefined;
  const len = ev.paramLength(i);
  if (len === 0 || len < r.size) return r.empty;
  r.text(scratch, ctx, ev, ev.paramOffset(i), len);
  return scratch.take();
}
