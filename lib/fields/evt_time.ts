// SPDX-License-Identifier: Apache-2.0
// When an event happened: absolute, relative, since the previous event, since its enter event.
import type { Int64 } from "../scap/cursor.ts";
import { EVENT_FLAGS } from "../schema/events.ts";
import { EF, PF, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import { duration, type FieldOptions, field, text, u64 } from "./define.ts";
import type { Extractor, Field } from "./field.ts";
import type { LineWriter } from "./line_writer.ts";
import { display } from "./settings.ts";
import {
  canonical,
  clockNanos,
  clockText,
  dateNanos,
  dateText,
  isoNanos,
  moment,
  secondsNanos,
  split,
  splitNanos,
} from "./time_text.ts";

const DOT = 46;
const PADDED = PF["10_PADDED_DEC"];

/** Time of the event in ns since the epoch, exact. */
function absolute(ctx: Context): Int64 {
  return canonical(ctx.ev.timeExact());
}

/** The same, written without a BigInt. */
function writeAbsolute(ctx: Context, out: LineWriter): boolean {
  split(ctx.ev);
  if (moment.seconds > 0) {
    out.dec(moment.seconds);
    out.nanos(moment.nanos);
  } else out.dec(moment.nanos);
  return true;
}

/** Text in lines, ns since the epoch in JSON. */
const TIME: FieldOptions = { json: absolute, writeJson: writeAbsolute };

/** HH:MM:SS.nnnnnnnnn, the text of almost every line. */
function writeClock(ctx: Context, out: LineWriter): boolean {
  split(ctx.ev);
  out.str(clockText(moment.seconds));
  out.byte(DOT);
  out.nanos(moment.nanos);
  return true;
}

/** ns since the previous delivered event; 0 at the first, negative where events are out of order. */
function sincePrevious(ctx: Context): number {
  return Number.isNaN(ctx.prevTs) ? 0 : ctx.ev.ts - ctx.prevTs;
}

/** The same as an unsigned number of 64 bits, in which a step back is a very long time. */
function unsignedPrevious(ctx: Context): Int64 {
  const ns = sincePrevious(ctx);
  return ns >= 0 ? ns : BigInt.asUintN(64, BigInt(ns));
}

/** ns since the first event of the capture; 0 for what comes before it. */
function sinceFirst(ctx: Context): number {
  return Number.isNaN(ctx.firstTs) ? 0 : ctx.ev.ts - ctx.firstTs;
}

/** ns since the enter event; 0 where there was none. */
function latency(ctx: Context): number {
  return Number.isNaN(ctx.enterTs) ? 0 : ctx.ev.ts - ctx.enterTs;
}

/** Whole seconds, or the nanoseconds within the second, of a length of time. */
function part(of: (ctx: Context) => number, which: "seconds" | "nanos"): Extractor {
  return (ctx) => {
    splitNanos(of(ctx));
    return moment[which];
  };
}

function previousPart(which: "seconds" | "nanos"): Extractor {
  return (ctx) => {
    const ns = unsignedPrevious(ctx);
    if (typeof ns === "bigint") return Number(which === "seconds" ? ns / 1_000_000_000n : ns % 1_000_000_000n);
    splitNanos(ns);
    return moment[which];
  };
}

function absolutePart(which: "seconds" | "nanos"): Extractor {
  return (ctx) => {
    split(ctx.ev);
    return moment[which];
  };
}

/** Relative time from the first event, as the event line of -t r shows it. */
function outputTime(ctx: Context): string {
  switch (display.time) {
    case "h":
      return clockNanos(ctx.ev);
    case "a":
      split(ctx.ev);
      return `${moment.seconds}.${moment.nanos}`;
    case "r":
      return secondsNanos(sinceFirst(ctx));
    case "d":
      return secondsNanos(latency(ctx));
    case "D":
      return secondsNanos(sincePrevious(ctx));
  }
}

const UNITS: readonly (readonly [ns: number, unit: string])[] = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "us"],
];

/** 826ns, 3.15us, 11us, 2.40s: two decimals below ten, cut and not rounded. */
function human(ns: number): string {
  for (const [size, unit] of UNITS) {
    if (ns < size) continue;
    const whole = Math.floor(ns / size);
    return whole < 10
      ? `${whole}.${String(Math.floor((ns % size) / (size / 100))).padStart(2, "0")}${unit}`
      : `${whole}${unit}`;
  }
  return `${ns}ns`;
}

const WAITS = Uint8Array.from(EVENT_FLAGS, (flags, id) =>
  id & 1 && ((flags | (EVENT_FLAGS[id - 1] as number)) & EF.WAITS) !== 0 ? 1 : 0,
);

/** Fields of every event source. */
export const EVT_TIME_FIELDS: readonly Field[] = [
  text("evt.time", "Local time with nanoseconds, HH:MM:SS.nnnnnnnnn", (ctx) => clockNanos(ctx.ev), {
    ...TIME,
    write: writeClock,
  }),
  text(
    "evt.time.s",
    "Local time without nanoseconds, HH:MM:SS",
    (ctx) => {
      split(ctx.ev);
      return clockText(moment.seconds);
    },
    TIME,
  ),
  text("evt.time.iso8601", "UTC time as in ISO 8601, with nanoseconds", (ctx) => isoNanos(ctx.ev), TIME),
  text("evt.datetime", "Local date and time with nanoseconds", (ctx) => dateNanos(ctx.ev), TIME),
  text(
    "evt.datetime.s",
    "Local date and time without nanoseconds",
    (ctx) => {
      split(ctx.ev);
      return dateText(moment.seconds);
    },
    TIME,
  ),
  field("evt.rawtime", PT.ABSTIME, "Nanoseconds since the epoch", absolute, { format: PF.DEC }),
  field("evt.rawtime.s", PT.ABSTIME, "Whole seconds since the epoch", absolutePart("seconds"), { format: PF.DEC }),
  field("evt.rawtime.ns", PT.ABSTIME, "Nanoseconds within the second", absolutePart("nanos"), { format: PADDED }),
  duration("evt.reltime", "Nanoseconds since the first event of the capture", sinceFirst, { format: PADDED }),
  duration("evt.reltime.s", "Whole seconds since the first event of the capture", part(sinceFirst, "seconds")),
  duration(
    "evt.reltime.ns",
    "Nanoseconds within the second, counted from the first event of the capture",
    part(sinceFirst, "nanos"),
    { format: PADDED },
  ),
];

const OLD: FieldOptions = { flags: { deprecated: true } };

/** Fields of system-call events. */
export const EVT_LATENCY_FIELDS: readonly Field[] = [
  duration(
    "evt.latency",
    "Nanoseconds from the enter event to this exit event; 0 in captures without enter events",
    latency,
    OLD,
  ),
  duration("evt.latency.s", "Whole seconds of evt.latency", part(latency, "seconds"), OLD),
  duration("evt.latency.ns", "Nanoseconds within the second of evt.latency", part(latency, "nanos"), {
    ...OLD,
    format: PADDED,
  }),
  u64(
    "evt.latency.quantized",
    "Tenths of a power of ten of evt.latency, for histograms; 0 without latency",
    (ctx) => {
      const ns = latency(ctx);
      return ns > 0 ? Math.floor(Math.log10(ns) * 10) : 0;
    },
    { flags: { deprecated: true, hidden: true } },
  ),
  text("evt.latency.human", "evt.latency with a fitting unit, e.g. 12.30us", (ctx) => human(latency(ctx)), OLD),
  duration("evt.deltatime", "Nanoseconds since the previous event", unsignedPrevious, { json: sincePrevious }),
  duration("evt.deltatime.s", "Whole seconds of evt.deltatime", previousPart("seconds")),
  duration("evt.deltatime.ns", "Nanoseconds within the second of evt.deltatime", previousPart("nanos"), {
    format: PADDED,
  }),
  text("evt.outputtime", "Time of the event in the form chosen with -t", outputTime, {
    ...TIME,
    write: (ctx, out) => {
      if (display.time === "h") return writeClock(ctx, out);
      out.str(outputTime(ctx));
      return true;
    },
    flags: { printOnly: true },
  }),
  duration(
    "evt.wait_latency",
    "evt.latency of exit events of calls that wait (sleep, poll, select …); missing for others",
    (ctx) => (WAITS[ctx.ev.type] === 1 ? latency(ctx) : undefined),
    OLD,
  ),
];
