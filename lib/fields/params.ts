// SPDX-License-Identifier: Apache-2.0
// Event parameters as text: one renderer per parameter of each event type, chosen once.
import type { EventCursor } from "../scap/cursor.ts";
import { EVENTS, PARAM_SIZE, type ParamInfo } from "../schema/events.ts";
import { PF, PT } from "../schema/tables/enums.ts";
import { DYNAMIC_TABLES } from "../schema/tables/flags.ts";
import { SYSCALL_NAMES } from "../schema/tables/syscalls.ts";
import type { Context } from "../sinsp/inspector.ts";
import { UNKNOWN_DIR } from "../sinsp/path.ts";
import { bufferText } from "./buffer_text.ts";
import { fdText } from "./fd_text.ts";
import { flagBits, flagEnum } from "./flag_text.ts";
import { errnoName, signalName } from "./names.ts";
import { decimal, general, hex32, hex64, octal } from "./number_text.ts";
import { display } from "./settings.ts";
import { fdListText, sockaddrText, tupleText } from "./socket_text.ts";
import { absoluteText } from "./time_text.ts";

/** Renders the `len` bytes of a parameter at `at`; `len` is never 0 and fits the type. */
type Render = (ctx: Context, ev: EventCursor, at: number, len: number) => string;

/** How one parameter is shown. */
export interface ParamRenderer {
  readonly name: string;
  /** The value itself: `3`, `-2`, `4097`. */
  readonly text: Render;
  /** What it stands for: `<f>/etc/passwd`, `ENOENT`; "" when there is nothing to say. Null for types without. */
  readonly resolved: Render | null;
  /** Shown when nothing was captured. */
  readonly empty: string;
  /** Bytes the type needs; 0 for variable length. */
  readonly size: number;
}

const TWO32 = 4294967296;
const AT_FDCWD = -100;
const ABSENT = "<NA>";
/** Types whose absence is shown as NULL. */
const NULLABLE = new Set<number>([PT.BYTEBUF, PT.SOCKTUPLE, PT.FDLIST, PT.CHARBUFARRAY, PT.CHARBUF_PAIR_ARRAY, PT.DYN]);

function signed64(ev: EventCursor, at: number): number {
  return ev.view.getInt32(at + 4, true) * TWO32 + ev.view.getUint32(at, true);
}

/** Text up to the first NUL. */
function cstring(ev: EventCursor, at: number, len: number): string {
  const end = at + len;
  const s = ev.bytes.latin1Slice(at, ev.bytes[end - 1] === 0 ? end - 1 : end);
  const nul = s.indexOf("\0");
  return nul < 0 ? s : s.slice(0, nul);
}

function signedText(ev: EventCursor, at: number): string {
  const v = signed64(ev, at);
  return Number.isSafeInteger(v) ? decimal(v) : String(ev.view.getBigInt64(at, true));
}

/** Reads an integer of up to 32 bits. */
type Read32 = (ev: EventCursor, at: number) => number;
const u8: Read32 = (ev, at) => ev.view.getUint8(at);
const u16: Read32 = (ev, at) => ev.view.getUint16(at, true);
const u32: Read32 = (ev, at) => ev.view.getUint32(at, true);
const i8: Read32 = (ev, at) => ev.view.getInt8(at);
const i16: Read32 = (ev, at) => ev.view.getInt16(at, true);
const i32: Read32 = (ev, at) => ev.view.getInt32(at, true);

function small(read: Read32, format: number): Render {
  if (format === PF.HEX) return (_, ev, at) => hex32(read(ev, at) >>> 0);
  if (format === PF.OCT) return (_, ev, at) => octal(read(ev, at) >>> 0);
  return (_, ev, at) => decimal(read(ev, at));
}

/** Decimals are shown signed whatever the type says: offsets and limits of −1 are recorded in unsigned parameters. */
function wide(format: number): Render {
  if (format === PF.HEX) return (_, ev, at) => hex64(ev.view.getUint32(at + 4, true), ev.view.getUint32(at, true));
  if (format === PF.OCT) return (_, ev, at) => octal(ev.view.getBigUint64(at, true));
  return (_, ev, at) => signedText(ev, at);
}

const fdResolved: Render = (ctx, ev, at) => {
  const fd = signed64(ev, at);
  if (fd >= 0) {
    // Most parameters name the descriptor the event is about.
    const info = fd === ctx.fdNum ? (ctx.fd ?? ctx.thread?.fds?.get(fd)) : ctx.thread?.fds?.get(fd);
    return info == null ? "" : fdText(info);
  }
  return fd === AT_FDCWD ? "AT_FDCWD" : errnoName(-fd);
};

const pidResolved: Render = (ctx, ev, at) => {
  const thread = ctx.getThread(signed64(ev, at));
  return thread === undefined ? "" : thread.comm;
};

const errnoResolved: Render = (_, ev, at) => {
  const v = signed64(ev, at);
  return v < 0 ? errnoName(-v) : "";
};

/** A path that is relative, seen from the thread's working directory. */
const pathResolved: Render = (ctx, ev, at, len) => {
  const path = cstring(ev, at, len);
  if (path === "" || path.charCodeAt(0) === 47 || path === ABSENT) return "";
  return ctx.resolvePath(ctx.thread?.cwd ?? "", path);
};

/** A path that is relative, seen from the directory descriptor in parameter `dirfd`. */
function relativeResolved(dirfd: number): Render {
  return (ctx, ev, at, len) => {
    const path = cstring(ev, at, len);
    if (path === "" || path.charCodeAt(0) === 47 || path === ABSENT) return "";
    const base = directoryOf(ctx, ev.i64(dirfd, AT_FDCWD));
    return base === UNKNOWN_DIR ? path : ctx.resolvePath(base, path);
  };
}

/** Directory behind a descriptor as a base for paths. */
export function directoryOf(ctx: Context, fd: number): string {
  if (fd === AT_FDCWD) return ctx.thread?.cwd ?? "";
  return ctx.thread?.fds?.get(fd)?.name ?? UNKNOWN_DIR;
}

const MAX_SIGSET = 32;

const sigsetText: Render = (_, ev, at) => {
  const bits = ev.view.getUint32(at, true);
  const names: string[] = [];
  for (let bit = 0; bit < MAX_SIGSET; bit++) if ((bits >>> bit) & 1) names.push(signalName(bit + 1));
  return names.join(" ");
};

const reltimeResolved: Render = (_, ev, at) => {
  const v = signed64(ev, at);
  return v === -1 ? "none" : `${general(v / 1e9)}s`;
};

function uidResolved(kind: "user" | "group"): Render {
  return (ctx, ev, at) => {
    const id = ev.view.getUint32(at, true);
    if (id === 0xffffffff) return "<NONE>";
    return ctx[kind](id, ctx.thread?.containerId ?? "")?.name ?? (id === 0 ? "root" : ABSENT);
  };
}

/** A value with its type in the first byte. */
function dynamic(table: string | null, format: number): { text: Render; resolved: Render } {
  const entries = (DYNAMIC_TABLES[table ?? ""] ?? []).map(([type]) => forType(type, format, null, -1));
  const pick = (ev: EventCursor, at: number, len: number): ParamRenderer | undefined => {
    const entry = entries[ev.view.getUint8(at)];
    return entry !== undefined && len - 1 >= entry.size ? entry : undefined;
  };
  return {
    text: (ctx, ev, at, len) => {
      const entry = pick(ev, at, len);
      return entry === undefined ? ABSENT : len === 1 ? entry.empty : entry.text(ctx, ev, at + 1, len - 1);
    },
    resolved: (ctx, ev, at, len) => {
      const entry = pick(ev, at, len);
      return entry == null || entry.resolved === null || len === 1 ? "" : entry.resolved(ctx, ev, at + 1, len - 1);
    },
  };
}

function numeric(type: number): Read32 {
  switch (PARAM_SIZE[type]) {
    case 1:
      return u8;
    case 2:
      return u16;
    default:
      return u32;
  }
}

function renderersOf(type: number, format: number, table: string | null, dirfd: number): [Render, Render | null] {
  switch (type) {
    case PT.INT8:
      return [small(i8, format), null];
    case PT.INT16:
      return [small(i16, format), null];
    case PT.INT32:
      return [small(i32, format), null];
    case PT.INT64:
      return [wide(format), null];
    case PT.UINT8:
      return [small(u8, format), null];
    case PT.UINT16:
      return [small(u16, format), null];
    case PT.UINT32:
      return [small(format === PF.DEC ? i32 : u32, format), null];
    case PT.UINT64:
      return [wide(format), null];
    case PT.ERRNO:
      return [wide(PF.DEC), errnoResolved];
    case PT.FD:
      return [wide(PF.DEC), fdResolved];
    case PT.PID:
      return [wide(PF.DEC), pidResolved];
    case PT.UID:
      return [small(i32, PF.DEC), uidResolved("user")];
    case PT.GID:
      return [small(i32, PF.DEC), uidResolved("group")];
    case PT.CHARBUF:
      return [(_, ev, at, len) => cstring(ev, at, len), null];
    case PT.FSPATH:
      return [(_, ev, at, len) => cstring(ev, at, len), pathResolved];
    case PT.FSRELPATH:
      return [(_, ev, at, len) => cstring(ev, at, len), dirfd < 0 ? pathResolved : relativeResolved(dirfd)];
    case PT.BYTEBUF:
      return [
        (_, ev, at, len) => bufferText(ev.bytes.latin1Slice(at, at + len), display.buffer, display.bufferLimit),
        null,
      ];
    case PT.FLAGS8:
    case PT.FLAGS16:
    case PT.FLAGS32: {
      const read = numeric(type);
      const names = flagBits(table);
      return [small(read, PF.DEC), (_, ev, at) => names(read(ev, at))];
    }
    case PT.ENUMFLAGS8:
    case PT.ENUMFLAGS16:
    case PT.ENUMFLAGS32: {
      const read = numeric(type);
      const names = flagEnum(table);
      return [small(read, PF.DEC), (_, ev, at) => names(read(ev, at))];
    }
    case PT.MODE: {
      const names = flagBits(table);
      return [small(u32, format), (_, ev, at) => names(u32(ev, at))];
    }
    case PT.SYSCALLID:
      return [small(u16, PF.DEC), (_, ev, at) => SYSCALL_NAMES[u16(ev, at)] ?? "<unknown syscall>"];
    case PT.SIGTYPE:
      return [small(u8, PF.DEC), (_, ev, at) => signalName(u8(ev, at))];
    case PT.SIGSET:
      return [sigsetText, null];
    case PT.RELTIME:
      return [wide(PF.DEC), reltimeResolved];
    case PT.ABSTIME:
      return [(_, ev, at) => absoluteText(ev.view.getBigUint64(at, true)), null];
    case PT.SOCKADDR:
      return [(_, ev, at, len) => sockaddrText(ev, at, len), null];
    case PT.SOCKTUPLE:
      return [(_, ev, at, len) => tupleText(ev, at, len), null];
    case PT.FDLIST:
      return [(ctx, ev, at, len) => fdListText(ctx, ev, at, len), null];
    case PT.CHARBUFARRAY:
      return [(_, ev, at, len) => cstringList(ev, at, len).join("."), null];
    case PT.CHARBUF_PAIR_ARRAY:
      return [(_, ev, at, len) => pairs(cstringList(ev, at, len)), null];
    case PT.DYN: {
      const { text, resolved } = dynamic(table, format);
      return [text, resolved];
    }
    default:
      return [() => "(n.a.)", null];
  }
}

function cstringList(ev: EventCursor, at: number, len: number): string[] {
  return ev.bytes
    .latin1Slice(at, at + len)
    .replace(/\0$/, "")
    .split("\0");
}

function pairs(list: readonly string[]): string {
  const out: string[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) out.push(`${list[i]}:${list[i + 1]}`);
  return out.join(",");
}

function forType(type: number, format: number, table: string | null, dirfd: number, name = ""): ParamRenderer {
  const [text, resolved] = renderersOf(type, format, table, dirfd);
  return { name, text, resolved, empty: NULLABLE.has(type) ? "NULL" : ABSENT, size: PARAM_SIZE[type] as number };
}

function renderer(p: ParamInfo): ParamRenderer {
  return forType(p.type, p.format, p.table, p.dirfd, p.name);
}

/** Renderers by event id and parameter. */
export const PARAM_RENDERERS: readonly (readonly ParamRenderer[])[] = EVENTS.map((e) => e.params.map(renderer));

/** `name=` of every parameter by event id; a blank in front of all but the first. */
const PREFIXES: readonly (readonly string[])[] = EVENTS.map((e) =>
  e.params.map((p, i) => `${i === 0 ? "" : " "}${p.name}=`),
);

/** All parameters of the event at `ev`: `fd=3(<f>/etc/passwd) size=80`. */
export function argsText(ctx: Context, ev: EventCursor): string {
  const renderers = PARAM_RENDERERS[ev.type] as readonly ParamRenderer[];
  const prefixes = PREFIXES[ev.type] as readonly string[];
  const n = Math.min(renderers.length, ev.nparams);
  let line = "";
  for (let i = 0; i < n; i++) {
    const r = renderers[i] as ParamRenderer;
    const len = ev.paramLength(i);
    line += prefixes[i];
    if (len === 0 || len < r.size) {
      line += r.empty;
      continue;
    }
    const at = ev.paramOffset(i);
    line += r.text(ctx, ev, at, len);
    if (r.resolved !== null) {
      const resolved = r.resolved(ctx, ev, at, len);
      if (resolved !== "") line += `(${resolved})`;
    }
  }
  return line;
}

/** One parameter as evt.arg has it: what it stands for, else its text; undefined when the event does not have it. */
export function argText(ctx: Context, ev: EventCursor, i: number): string | undefined {
  const r = PARAM_RENDERERS[ev.type]?.[i];
  if (r === undefined || i >= ev.nparams) return undefined;
  const len = ev.paramLength(i);
  if (len === 0 || len < r.size) return r.empty;
  const at = ev.paramOffset(i);
  const resolved = r.resolved === null ? "" : r.resolved(ctx, ev, at, len);
  return resolved === "" ? r.text(ctx, ev, at, len) : resolved;
}

/** One parameter's text without what it stands for; undefined when the event does not have it. */
export function plainArgText(ctx: Context, ev: EventCursor, i: number): string | undefined {
  const r = PARAM_RENDERERS[ev.type]?.[i];
  if (r === undefined || i >= ev.nparams) return undefined;
  const len = ev.paramLength(i);
  return len === 0 || len < r.size ? r.empty : r.text(ctx, ev, ev.paramOffset(i), len);
}
