// SPDX-License-Identifier: Apache-2.0
// Times: exact nanoseconds from relative ones, and their text forms.
import type { EventCursor, Int64 } from "../scap/cursor.ts";
import type { ThreadContext } from "../sinsp/inspector.ts";
import { nineDigits } from "./number_text.ts";

const GIGA = 1_000_000_000;

/** BigInt → number when that is exact. */
export function canonical(v: bigint): Int64 {
  const n = Number(v);
  return Number.isSafeInteger(n) ? n : v;
}

/** ns since the epoch from a time relative to the capture's base. Makes a BigInt. */
export function exactTime(ctx: ThreadContext, relative: number): Int64 {
  return canonical(ctx.baseTime + BigInt(Math.round(relative)));
}

/** Seconds and nanoseconds of the moment last split. Two numbers instead of an object per event. */
export const moment = { seconds: 0, nanos: 0 };

/**
 * Splits the time of an event into seconds since the epoch and nanoseconds, into `moment`. The 64-bit time is divided by
 * 10^9 in pieces that doubles hold exactly: 2^32 = 4·10^9 + 294967·1000 + 296.
 */
export function split(ev: EventCursor): void {
  const high = ev.view.getUint32(ev.offset + 4, true);
  const low = ev.view.getUint32(ev.offset, true);
  const thousands = high * 294967;
  const whole = Math.floor(thousands / 1e6);
  const rest = (thousands - whole * 1e6) * 1000 + high * 296 + low;
  const more = Math.floor(rest / GIGA);
  moment.seconds = 4 * high + whole + more;
  moment.nanos = rest - more * GIGA;
}

/** Splits whole nanoseconds into `moment`. */
export function splitNanos(total: number): void {
  let seconds = Math.floor(total / GIGA);
  let nanos = total - seconds * GIGA;
  if (nanos < 0) {
    // The quotient was rounded up to a whole number.
    seconds--;
    nanos += GIGA;
  }
  moment.seconds = seconds;
  moment.nanos = nanos;
}

function pad(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

/** A text of a whole second, remembered for the last one asked for. */
function perSecond(make: (d: Date) => string): (seconds: number) => string {
  let last = Number.NaN;
  let text = "";
  return (seconds) => {
    if (seconds !== last) {
      text = make(new Date(seconds * 1000));
      last = seconds;
    }
    return text;
  };
}

/** HH:MM:SS, local time. */
export const clockText = perSecond((d) => `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`);

/** YYYY-MM-DD HH:MM:SS, local time. */
export const dateText = perSecond(
  (d) =>
    `${String(d.getFullYear()).padStart(4, "0")}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ` +
    `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`,
);

/** YYYY-MM-DDTHH:MM:SS, UTC; "" for times no date has. */
const isoSecond = perSecond((d) => (Number.isNaN(d.getTime()) ? "" : d.toISOString().slice(0, -5)));

/** HH:MM:SS.nnnnnnnnn, local time. */
export function clockNanos(ev: EventCursor): string {
  split(ev);
  return `${clockText(moment.seconds)}.${nineDigits(moment.nanos)}`;
}

/** YYYY-MM-DD HH:MM:SS.nnnnnnnnn, local time. */
export function dateNanos(ev: EventCursor): string {
  split(ev);
  return `${dateText(moment.seconds)}.${nineDigits(moment.nanos)}`;
}

/** 2026-11-22T07:26:33.300926939+0000. */
export function isoNanos(ev: EventCursor): string {
  split(ev);
  return `${isoSecond(moment.seconds)}.${nineDigits(moment.nanos)}+0000`;
}

/** Seconds and nine digits of a length of time: "-" in front of a negative one. */
export function secondsNanos(ns: number): string {
  if (ns < 0) return `-${secondsNanos(-ns)}`;
  splitNanos(ns);
  return `${moment.seconds}.${nineDigits(moment.nanos)}`;
}

/** YYYY-MM-DD HH:MM:SS.nnnnnnnnn, local time, from ns since the epoch. */
export function absoluteText(ns: bigint): string {
  return `${dateText(Number(ns / 1_000_000_000n))}.${nineDigits(Number(ns % 1_000_000_000n))}`;
}
