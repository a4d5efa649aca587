// SPDX-License-Identifier: Apache-2.0
// Socket addresses and descriptor lists of events as text.

import type { EventCursor } from "../scap/cursor.ts";
import { formatIp, formatIpv4, formatIpv6, mappedIpv4 } from "../sinsp/address.ts";
import type { Context } from "../sinsp/inspector.ts";
import { fdTypeChar } from "./fd_text.ts";
import { decimal } from "./number_text.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** An address as text; an IPv4 address inside an IPv6 one as the IPv4 address. */
function plainIp(ip: string): string {
  const v4 = mappedIpv4(ip);
  return v4 === undefined ? formatIpv6(ip) : formatIpv4(v4);
}

function v4(ev: EventCursor, at: number): string {
  return formatIp(ev.view.getUint32(at, false));
}

function v6(ev: EventCursor, at: number): string {
  return plainIp(ev.bytes.latin1Slice(at, at + 16));
}

function path(ev: EventCursor, at: number, end: number): string {
  const s = ev.bytes.latin1Slice(at, end);
  const nul = s.indexOf("\0");
  return nul < 0 ? s : s.slice(0, nul);
}

/** A socket address of `len` bytes at `at`: `1.2.3.4:80`, a path. */
export function sockaddrText(ev: EventCursor, at: number, len: number): string {
  switch (ev.view.getUint8(at)) {
    case AF_UNIX:
      return len > 1 ? path(ev, at + 1, at + len) : "INVALID PATH";
    case AF_INET:
      return len === 7 ? `${v4(ev, at + 1)}:${ev.view.getUint16(at + 5, true)}` : "INVALID IPv4";
    case AF_INET6:
      return len === 19 ? `${v6(ev, at + 1)}:${ev.view.getUint16(at + 17, true)}` : "INVALID IPv6";
    default:
      return `family ${ev.view.getUint8(at)}`;
  }
}

/** The two ends of a connection: `1.2.3.4:1000->5.6.7.8:80`; for unix sockets two kernel addresses and a path. */
export function tupleText(ev: EventCursor, at: number, len: number): string {
  const view = ev.view;
  switch (view.getUint8(at)) {
    case AF_UNIX:
      if (len < 17) return "INVALID PATH";
      return `${kernelAddress(ev, at + 1)}->${kernelAddress(ev, at + 9)} ${path(ev, at + 17, at + len)}`;
    case AF_INET:
      if (len !== 13) return "INVALID IPv4";
      return `${v4(ev, at + 1)}:${decimal(view.getUint16(at + 5, true))}->${v4(ev, at + 7)}:${decimal(view.getUint16(at + 11, true))}`;
    case AF_INET6:
      if (len !== 37) return "INVALID IPv6";
      return `${v6(ev, at + 1)}:${decimal(view.getUint16(at + 17, true))}->${v6(ev, at + 19)}:${decimal(view.getUint16(at + 35, true))}`;
    default:
      return "INVALID SOCKTUPLE";
  }
}

function kernelAddress(ev: EventCursor, at: number): string {
  return ev.view.getBigUint64(at, true).toString(16);
}

/** Descriptors of poll: number, type letter and event bits of each, `3:f1 4:u41`. */
export function fdListText(ctx: Context, ev: EventCursor, at: number, len: number): string {
  if (len < 2) return "";
  const count = Math.min(ev.view.getUint16(at, true), Math.floor((len - 2) / 10));
  const fds = ctx.thread?.fds;
  let text = "";
  for (let i = 0, p = at + 2; i < count; i++, p += 10) {
    const fd = ev.view.getInt32(p, true);
    const info = fds?.get(fd);
    text += `${i === 0 ? "" : " "}${fd}:${info === undefined ? "?" : fdTypeChar(info.type)}${ev.view.getUint16(p + 8, true).toString(16)}`;
  }
  return text;
}
