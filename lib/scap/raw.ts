// SPDX-License-Identifier: Apache-2.0
// The raw line of an event: header and parameters by their wire types, nothing looked up in any state.
import { EVENTS, PARAM_SIZE, type ParamInfo } from "../schema/events.ts";
import { PF, PT } from "../schema/tables/enums.ts";
import { DYNAMIC_TABLES } from "../schema/tables/flags.ts";
import type { EventCursor } from "./cursor.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AT_FDCWD = -100;

const SIGNED: readonly number[] = [PT.INT8, PT.INT16, PT.INT32, PT.INT64, PT.ERRNO, PT.FD, PT.PID, PT.FD32, PT.PID32];
const TEXTS: readonly number[] = [PT.CHARBUF, PT.FSPATH, PT.FSRELPATH];
/** Bytes of a buffer that are printed. */
const MAX_BYTES = 80;

/** A buffer: in quotes when it is text, else in hexadecimal. */
function buffer(bytes: Buffer, at: number, n: number): string {
  for (let i = at; i < at + n; i++) {
    const b = bytes[i]!;
    if ((b < 32 && b !== 0 && b !== 9 && b !== 10 && b !== 13) || b >= 127) return hexBytes(bytes, at, n);
  }
  return `"${escapeText(bytes.latin1Slice(at, at + n)).replaceAll('"', '\\"')}"`;
}

/** Control characters and the backslash as escapes, so that an event stays one line. The text is a byte string. */
function escapeText(s: string): string {
  let plain = true;
  for (let i = 0; i < s.length && plain; i++) {
    const c = s.charCodeAt(i);
    plain = c >= 32 && c !== 127 && c !== 92;
  }
  if (plain) return s;
  let out = "";
  for (const ch of s) {
    const c = ch.charCodeAt(0);
    if (c === 92) out += "\\\\";
    else if (c === 10) out += "\\n";
    else if (c === 9) out += "\\t";
    else out += c < 32 || c === 127 ? `\\x${c.toString(16).padStart(2, "0")}` : ch;
  }
  return out;
}

function hexBytes(bytes: Buffer, at: number, n: number): string {
  const shown = bytes.toString("hex", at, at + Math.min(n, MAX_BYTES));
  return n > MAX_BYTES ? `${shown}…(${n} bytes)` : shown;
}

function ipv4(bytes: Buffer, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** All eight groups of an IPv6 address, without leading zeros. */
function ipv6(bytes: Buffer, at: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(at + i).toString(16));
  return groups.join(":");
}

function path(bytes: Buffer, at: number, end: number): string {
  const s = bytes.latin1Slice(at, end);
  const nul = s.indexOf("\0");
  return escapeText(nul < 0 ? s : s.slice(0, nul));
}

function socketAddress(bytes: Buffer, at: number, n: number): string {
  const family = bytes[at];
  if (family === AF_INET && n >= 7) return `${ipv4(bytes, at + 1)}:${bytes.readUInt16LE(at + 5)}`;
  if (family === AF_INET6 && n >= 19) return `[${ipv6(bytes, at + 1)}]:${bytes.readUInt16LE(at + 17)}`;
  if (family === AF_UNIX) return `unix:${path(bytes, at + 1, at + n)}`;
  return hexBytes(bytes, at, n);
}

function socketTuple(bytes: Buffer, at: number, n: number): string {
  const family = bytes[at];
  if (family === AF_INET && n >= 13) {
    const from = `${ipv4(bytes, at + 1)}:${bytes.readUInt16LE(at + 5)}`;
    return `${from}->${ipv4(bytes, at + 7)}:${bytes.readUInt16LE(at + 11)}`;
  }
  if (family === AF_INET6 && n >= 37) {
    const from = `[${ipv6(bytes, at + 1)}]:${bytes.readUInt16LE(at + 17)}`;
    return `${from}->[${ipv6(bytes, at + 19)}]:${bytes.readUInt16LE(at + 35)}`;
  }
  if (family === AF_UNIX && n >= 17) {
    const ends = `${bytes.readBigUInt64LE(at + 1).toString(16)}->${bytes.readBigUInt64LE(at + 9).toString(16)}`;
    return `unix:${ends} ${path(bytes, at + 17, at + n)}`;
  }
  return hexBytes(bytes, at, n);
}

function descriptorList(bytes: Buffer, at: number, n: number): string {
  if (n < 2) return hexBytes(bytes, at, n);
  const count = Math.min(bytes.readUInt16LE(at), Math.floor((n - 2) / 10));
  const items: string[] = [];
  for (let i = 0, p = at + 2; i < count; i++, p += 10) {
    items.push(`${bytes.readBigInt64LE(p)}:${bytes.readUInt16LE(p + 8).toString(16)}`);
  }
  return items.join(",");
}

/** Integer of `size` bytes. */
function integer(view: DataView, at: number, size: number, signed: boolean): number | bigint {
  if (size === 1) return signed ? view.getInt8(at) : view.getUint8(at);
  if (size === 2) return signed ? view.getInt16(at, true) : view.getUint16(at, true);
  if (size === 4) return signed ? view.getInt32(at, true) : view.getUint32(at, true);
  return signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
}

function number(view: DataView, at: number, size: number, type: number, format: number): string {
  const v = integer(view, at, size, SIGNED.includes(type));
  if (format === PF.HEX) return v < 0 ? String(v) : `0x${v.toString(16)}`;
  if (format === PF.OCT) return v <= 0 ? String(v) : `0${v.toString(8)}`;
  return type === PT.FD && Number(v) === AT_FDCWD ? "AT_FDCWD" : String(v);
}

/** A value of the given wire type at `bytes[at … at+n)`. */
function value(c: EventCursor, at: number, n: number, type: number, format: number, table: string | null): string {
  const bytes = c.bytes;
  if (TEXTS.includes(type)) return path(bytes, at, at + n);
  switch (type) {
    case PT.SOCKADDR:
      return socketAddress(bytes, at, n);
    case PT.SOCKTUPLE:
      return socketTuple(bytes, at, n);
    case PT.BYTEBUF:
      return buffer(bytes, at, n);
    case PT.FDLIST:
      return descriptorList(bytes, at, n);
    case PT.CHARBUFARRAY:
    case PT.CHARBUF_PAIR_ARRAY:
      return escapeText(
        bytes
          .latin1Slice(at, at + n)
          .replace(/\0$/, "")
          .replaceAll("\0", " "),
      );
    case PT.IPV4ADDR:
      return n >= 4 ? ipv4(bytes, at) : hexBytes(bytes, at, n);
    case PT.IPV6ADDR:
      return n >= 16 ? ipv6(bytes, at) : hexBytes(bytes, at, n);
    case PT.DYN: {
      const row = table === null ? undefined : DYNAMIC_TABLES[table]?.[bytes[at] ?? 0];
      return row === undefined ? hexBytes(bytes, at, n) : value(c, at + 1, n - 1, row[0], row[1], null);
    }
    default: {
      const size = PARAM_SIZE[type] ?? 0;
      return size === 0 || n < size ? hexBytes(bytes, at, n) : number(c.view, at, size, type, format);
    }
  }
}

/** One parameter of the event under the cursor; "<NA>" when it was not captured. */
export function rawParam(c: EventCursor, i: number, info: ParamInfo): string {
  const n = c.paramLength(i);
  return n === 0 ? "<NA>" : value(c, c.paramOffset(i), n, info.type, info.format, info.table);
}

/**
 * The raw line of the event under the cursor as a byte string, without a line feed: number, time in seconds since the
 * epoch, CPU, thread id, direction, type and `name=value` of every parameter.
 */
export function rawLine(c: EventCursor): string {
  const info = EVENTS[c.type]!;
  const time = c.timeExact();
  const seconds = `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, "0")}`;
  const direction = (info.id & 1) === 0 ? ">" : "<";
  let line = `${c.num} ${seconds} ${c.cpu} ${c.tid} ${direction} ${info.name}`;
  const n = Math.min(c.nparams, info.params.length);
  for (let i = 0; i < n; i++) {
    const param = info.params[i]!;
    line += ` ${param.name}=${rawParam(c, i, param)}`;
  }
  return line;
}
