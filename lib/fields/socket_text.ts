// SPDX-License-Identifier: Apache-2.0
// Socket addresses and descriptor lists of events as text.
import type { EventCursor } from "../scap/cursor.ts";
import { formatIpv6, mappedIpv4 } from "../sinsp/address.ts";
import type { Context } from "../sinsp/inspector.ts";
import { ANY6 } from "../sinsp/tuple.ts";
import { fdTypeChar } from "./fd_text.ts";
import { LineWriter } from "./line_writer.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const DOT = 46;
const COLON = 58;
const ARROW = "->";
/** Shown for addresses whose length does not fit their family. */
const INVALID: Readonly<Record<number, string>> = {
  [AF_UNIX]: "INVALID PATH",
  [AF_INET]: "INVALID IPv4",
  [AF_INET6]: "INVALID IPv6",
};

/** `1.2.3.4:80` */
function writeIpv4(out: LineWriter, ev: EventCursor, ip: number, port: number): void {
  const view = ev.view;
  out.dec(view.getUint8(ip));
  out.byte(DOT);
  out.dec(view.getUint8(ip + 1));
  out.byte(DOT);
  out.dec(view.getUint8(ip + 2));
  out.byte(DOT);
  out.dec(view.getUint8(ip + 3));
  out.byte(COLON);
  out.dec(view.getUint16(port, true));
}

/** `2001:db8::1:80`; with `v4`, the IPv4 address inside. */
function writeIpv6(out: LineWriter, ev: EventCursor, at: number, port: number, v4: boolean): void {
  if (v4) {
    writeIpv4(out, ev, at + 12, port);
    return;
  }
  out.str(formatIpv6(ev.bytes.latin1Slice(at, at + 16)));
  out.byte(COLON);
  out.dec(ev.view.getUint16(port, true));
}

/** True for IPv4 addresses inside IPv6 ones, and for the address of no machine in particular. */
function isIpv4Inside(ev: EventCursor, at: number): boolean {
  const ip = ev.bytes.latin1Slice(at, at + 16);
  return ip === ANY6 || mappedIpv4(ip) !== undefined;
}

/** A text parameter ends with a NUL. */
function isTerminated(ev: EventCursor, at: number, len: number): boolean {
  return ev.bytes[at + len - 1] === 0;
}

/** A path that ends at the first NUL. */
function writePath(out: LineWriter, ev: EventCursor, at: number, end: number): void {
  const nul = ev.bytes.indexOf(0, at);
  out.range(ev.bytes, at, nul < 0 || nul > end ? end : nul);
}

function writeKernelAddress(out: LineWriter, ev: EventCursor, at: number): void {
  out.str(ev.view.getBigUint64(at, true).toString(16));
}

/** Writes a socket address of `len` bytes at `at`: `1.2.3.4:80`, a path. */
export function writeSockaddr(out: LineWriter, ev: EventCursor, at: number, len: number): void {
  const family = ev.view.getUint8(at);
  if (family === AF_UNIX && len > 1 && isTerminated(ev, at, len)) writePath(out, ev, at + 1, at + len);
  else if (family === AF_INET && len >= 7) writeIpv4(out, ev, at + 1, at + 5);
  else if (family === AF_INET6 && len >= 19) writeIpv6(out, ev, at + 1, at + 17, false);
  else out.str(INVALID[family] ?? `family ${family}`);
}

/**
 * Writes the two ends of a connection: `1.2.3.4:1000->5.6.7.8:80`; of a unix socket two kernel addresses and a path.
 * An IPv4 connection through an IPv6 socket is shown as one of IPv4.
 */
export function writeTuple(out: LineWriter, ev: EventCursor, at: number, len: number): void {
  const family = ev.view.getUint8(at);
  if (family === AF_UNIX && len > 17 && isTerminated(ev, at, len)) {
    writeKernelAddress(out, ev, at + 1);
    out.str(ARROW);
    writeKernelAddress(out, ev, at + 9);
    out.byte(32);
    writePath(out, ev, at + 17, at + len);
  } else if (family === AF_INET && len >= 13) {
    writeIpv4(out, ev, at + 1, at + 5);
    out.str(ARROW);
    writeIpv4(out, ev, at + 7, at + 11);
  } else if (family === AF_INET6 && len >= 37) {
    const v4 = isIpv4Inside(ev, at + 1) && isIpv4Inside(ev, at + 19);
    writeIpv6(out, ev, at + 1, at + 17, v4);
    out.str(ARROW);
    writeIpv6(out, ev, at + 19, at + 35, v4);
  } else out.str(INVALID[family] ?? `family ${family}`);
}

const scratch = new LineWriter(512);

/** The same as a byte string. */
export function tupleText(ev: EventCursor, at: number, len: number): string {
  writeTuple(scratch, ev, at, len);
  return scratch.take();
}

/** Writes the descriptors of poll: number, type letter and event bits of each, `3:f1 4:u41`. */
export function writeFdList(out: LineWriter, ctx: Context, ev: EventCursor, at: number, len: number): void {
  if (len < 2) return;
  const count = Math.min(ev.view.getUint16(at, true), Math.floor((len - 2) / 10));
  const fds = ctx.thread?.fds;
  for (let i = 0, p = at + 2; i < count; i++, p += 10) {
    const fd = ev.view.getInt32(p, true);
    const info = fds?.get(fd);
    if (i > 0) out.byte(32);
    out.dec(fd);
    out.byte(COLON);
    out.str(info === undefined ? "?" : fdTypeChar(info.type));
    out.str(ev.view.getUint16(p + 8, true).toString(16));
  }
}
