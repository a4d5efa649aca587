// SPDX-License-Identifier: Apache-2.0
// The capture loop: events from a source through the state to a filter, and those that pass to lines or a file.
import type { EventCursor } from "../../scap/cursor.ts";
import { EVENT_FLAG } from "../../scap/cursor.ts";
import { NEXT } from "../../scap/source.ts";
import { EVENT_MAX, EVENTS } from "../../schema/events.ts";
import { EC } from "../../schema/tables/enums.ts";
import type { Context, Inspector } from "../../sinsp/inspector.ts";

/** Where lines go. */
export interface LineSink {
  /** A byte string without line feed. */
  line(text: string): void;
  flush(): void;
}

/** Where events go. Both methods are called with the cursor on the event, after it was applied to the state. */
export interface EventSink {
  /** An event that passed the filter. Returns false when the capture is to end before it. */
  event(cursor: EventCursor): boolean;
  /** An event that did not pass the filter; keeps it, marked, when the state of the readers needs it. */
  hidden(cursor: EventCursor): void;
  /** A new section of the input begins. */
  section(): void;
}

export interface CaptureOptions {
  /** Decides which events are shown; null = all. */
  matches: ((ctx: Context) => boolean) | null;
  /** Makes an event's line; null = the event gives none. No function = nothing is printed. */
  line: ((ctx: Context) => string | null) | null;
  sink: LineSink;
  /** Takes the events that pass; null = they are not written. */
  events: EventSink | null;
  /** Events to show before the capture ends. */
  limit: number;
  /** Show events that belong to the capture itself too. */
  internal: boolean;
  /** Called between batches with the part of the input that was read (0–1, NaN when unknown). */
  onProgress?: (fraction: number) => void;
  /** Set to true from outside to end the capture. */
  stop: { requested: boolean };
  /** For sources that may be idle: milliseconds of the capture; Infinity = until it ends by itself. */
  duration: number;
}

export interface CaptureCounts {
  /** Events read. */
  read: number;
  /** Events that passed the filter and are no internal ones. */
  shown: number;
  /** Of those, by event id (as recorded). */
  byType: Float64Array;
}

/** Milliseconds of work after which signals and timers get their turn. */
const TURN = 50;

/** 1 for events that carry state of their own (users, containers): a filtered capture keeps them. */
const IS_META = Uint8Array.from(EVENTS, (e) => ((e.kind & EC.METAEVENT) !== 0 ? 1 : 0));

class Capture {
  readonly counts: CaptureCounts = { read: 0, shown: 0, byType: new Float64Array(EVENT_MAX) };

  constructor(
    private readonly inspector: Inspector,
    private readonly options: CaptureOptions,
  ) {}

  /** Takes the events at hand. Returns false when the capture is over. */
  batch(): boolean {
    const { inspector, counts } = this;
    const { matches, line, sink, events, limit, internal } = this.options;
    const ev = inspector.ev;
    const byType = counts.byType;
    for (;;) {
      const code = inspector.next();
      if (code !== NEXT.EVENT) {
        if (code === NEXT.IDLE) return true;
        if (code === NEXT.END) return false;
        events?.section();
        continue;
      }
      counts.read++;
      if (inspector.hidden && (!internal || (ev.flags & EVENT_FLAG.STATE_ONLY) !== 0)) {
        if (events !== null && (IS_META[ev.type] === 1 || (ev.flags & EVENT_FLAG.STATE_ONLY) !== 0)) events.hidden(ev);
        continue;
      }
      if (matches !== null && !matches(inspector)) {
        if (events !== null) events.hidden(ev);
        continue;
      }
      if (counts.shown >= limit) return false;
      if (events !== null && !events.event(ev)) return false;
      counts.shown++;
      (byType[ev.recorded === null ? ev.type : ev.recorded.type] as number)++;
      if (line !== null) {
        const text = line(inspector);
        if (text !== null) sink.line(text);
      }
      if (counts.shown >= limit) return false;
    }
  }
}

/**
 * Runs a capture to its end, to its limit, or until a stop is requested; resolves to what was counted. What was shown
 * before a failure has been flushed when the failure is thrown.
 */
export async function runCapture(
  inspector: Inspector,
  options: CaptureOptions,
  counted?: (counts: CaptureCounts) => void,
): Promise<CaptureCounts> {
  const capture = new Capture(inspector, options);
  counted?.(capture.counts);
  const { stop, sink } = options;
  const live = inspector.source.kind === "live";
  const end = performance.now() + options.duration;
  let turn = performance.now();
  try {
    while (!stop.requested && capture.batch()) {
      if (live) sink.flush();
      options.onProgress?.(inspector.source.progress());
      if (!(await inspector.more())) break;
      const now = performance.now();
      if (now >= end) break;
      if (now - turn < TURN) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
  } finally {
    sink.flush();
  }
  return capture.counts;
}
