// SPDX-License-Identifier: Apache-2.0
// Times: exact nanoseconds from relative ones, and their text forms.
import type { Int64 } from "../scap/cursor.ts";
import type { Context } from "../sinsp/inspector.ts";
import { nineDigits } from "./number_text.ts";

const GIGA = 1_000_000_000;

/** BigInt → number when that is exact. */
export function canonical(v: bigint): Int64 {
  const n = Number(v);
  return Number.isSafeInteger(n) ? n : v;
}

/** ns since the epoch from a time relative to the capture's base. Makes a BigInt. */
export function exactTime(ctx: Context, relative: number): Int64 {
  return canonical(ctx.baseTime + BigInt(Math.round(relative)));
}

let base: bigint | undefined;
let baseSeconds = 0;
let baseNanos = 0;

/** Seconds and nanoseconds of the moment last given to `split`. Two numbers instead of an object per event. */
export const moment = { seconds: 0, nanos: 0 };

/** Splits a relative time into seconds since the epoch and nanoseconds, into `moment`. */
export function split(ctx: Context, relative: number): void {
  if (ctx.baseTime !== base) {
    base = ctx.baseTime;
    baseSeconds = Number(base / 1_000_000_000n);
    baseNanos = Number(base % 1_000_000_000n);
  }
  splitNanos(baseNanos + relative);
  moment.seconds += baseSeconds;
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
export function clockNanos(ctx: Context, relative: number): string {
  split(ctx, relative);
  return `${clockText(moment.seconds)}.${nineDigits(moment.nanos)}`;
}

/** YYYY-MM-DD HH:MM:SS.nnnnnnnnn, local time. */
export function dateNanos(ctx: Context, relative: number): string {
  split(ctx, relative);
  return `${dateText(moment.seconds)}.${nineDigits(moment.nanos)}`;
}

/** 2026-11-22T07:26:33.300926939+0000. */
export function isoNanos(ctx: Context, relative: number): string {
  split(ctx, relative);
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
