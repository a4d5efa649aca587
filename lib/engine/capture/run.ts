// SPDX-License-Identifier: Apache-2.0
// The capture loop: events from a source through the state to a filter, and those that pass to lines or a file.
import type { LineWriter } from "../../fields/line_writer.ts";
import type { EventCursor } from "../../scap/cursor.ts";
import { EVENT_FLAG } from "../../scap/cursor.ts";
import { NEXT } from "../../scap/source.ts";
import { EVENT_MAX } from "../../schema/events.ts";
import type { Context, Inspector } from "../../sinsp/inspector.ts";
import { checkAbort } from "../abort.ts";

/** Where lines go: they gather in `out` until `flush` takes them away. */
export interface LineSink {
  readonly out: LineWriter;
  /** Bytes in `out` at which flush() is called. */
  readonly enough: number;
  /** Writes what is in `out` and empties it. */
  flush(): void;
}

/** Writes an event's line without line feed; false, with nothing written, when the event gives none. */
export type Line = (ctx: Context, out: LineWriter) => boolean;

/** Where events go. Events are given with the cursor on them, after they were applied to the state. */
export interface EventSink {
  /** An event that passed the filter. Returns false when the capture is to end before it. */
  event(cursor: EventCursor): boolean;
  /** An event that the filter holds back. */
  filtered(cursor: EventCursor): void;
  /** An event that is not for showing: of the capture itself, or marked as such. */
  internal(cursor: EventCursor): void;
  /** A new section of the input begins. */
  section(): void;
  /** True when turn() is to be awaited before the next event. */
  readonly waiting: boolean;
  /** Called between batches; waits until the sink can take more. */
  turn(): Promise<void>;
}

/** A request to end, which may come at any time. */
export class Stop {
  requested = false;
  private resolve: () => void = () => {};
  /** Resolves when the end is requested. */
  readonly asked = new Promise<void>((resolve) => {
    this.resolve = resolve;
  });

  request(): void {
    this.requested = true;
    this.resolve();
  }
}

export interface CaptureOptions {
  /** Decides which events are shown; null = all. */
  matches: ((ctx: Context) => boolean) | null;
  /** Null = nothing is printed. */
  line: Line | null;
  sink: LineSink;
  /** Takes the events that pass; null = they are not written. */
  events: EventSink | null;
  /** Events to show before the capture ends. */
  limit: number;
  /** Show events that belong to the capture itself too. */
  internal: boolean;
  /** Called between batches with the part of the input that was read (0–1, NaN when unknown). */
  onProgress?: (fraction: number) => void;
  /** Ends the capture from outside. */
  stop: Stop;
  /** For sources that may be idle: milliseconds of the capture; Infinity = until it ends by itself. */
  duration: number;
}

export interface CaptureCounts {
  /** Events read; those that were passed over because nobody wants their types are added at the end of a batch. */
  read: number;
  /** Events that passed the filter and are no internal ones. */
  shown: number;
  /** Of those, by event id (as recorded). */
  byType: Float64Array;
}

/** Milliseconds of work after which signals and timers get their turn. */
const TURN = 50;
/** Milliseconds between two looks at what a live source lost. */
const LOOK = 1000;
const LINE_FEED = 10;

/** Why a batch stopped. */
const BATCH = Object.freeze({
  /** The capture is over. */
  OVER: 0,
  /** What was in memory is used up. */
  IDLE: 1,
  /** The sink has to catch up. */
  PAUSE: 2,
} as const);

class Capture {
  readonly counts: CaptureCounts = { read: 0, shown: 0, byType: new Float64Array(EVENT_MAX) };
  private passedOver = 0;

  constructor(
    private readonly inspector: Inspector,
    private readonly options: CaptureOptions,
  ) {}

  /** Takes the events at hand; says why it stopped. */
  batch(): number {
    const why = this.take();
    const passedOver = this.inspector.passedOver;
    this.counts.read += passedOver - this.passedOver;
    this.passedOver = passedOver;
    return why;
  }

  private take(): number {
    const { inspector, counts } = this;
    const { matches, line, sink, events, limit, internal } = this.options;
    const ev = inspector.ev;
    const byType = counts.byType;
    const { out, enough } = sink;
    for (;;) {
      const code = inspector.next();
      if (code !== NEXT.EVENT) {
        if (code === NEXT.IDLE) return BATCH.IDLE;
        if (code === NEXT.END) return BATCH.OVER;
        events?.section();
        continue;
      }
      counts.read++;
      if (inspector.hidden && (!internal || (ev.flags & EVENT_FLAG.STATE_ONLY) !== 0)) {
        if (events !== null) events.internal(ev);
        continue;
      }
      if (matches !== null && !matches(inspector)) {
        if (events !== null) events.filtered(ev);
        continue;
      }
      if (events !== null && !events.event(ev)) return BATCH.OVER;
      counts.shown++;
      (byType[ev.recordedType < 0 ? ev.type : ev.recordedType] as number)++;
      if (line?.(inspector, out)) {
        out.byte(LINE_FEED);
        if (out.at >= enough) sink.flush();
      }
      if (counts.shown >= limit) return BATCH.OVER;
      if (events?.waiting) return BATCH.PAUSE;
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
  const deadline = performance.now() + options.duration;
  let turn = performance.now();
  let looked = turn;
  let lost = 0;
  try {
    while (!stop.requested) {
      const end = capture.batch();
      checkAbort(inspector);
      if (end === BATCH.OVER) break;
      if (live) sink.flush();
      if (options.events !== null) await options.events.turn();
      options.onProgress?.(inspector.source.progress());
      if (end === BATCH.PAUSE) continue;
      // A source may wait for long: for a writer at the other end of a pipe, for example.
      if (!(await Promise.race([inspector.more(), stop.asked]))) break;
      const now = performance.now();
      if (now >= deadline) break;
      if (live && now - looked >= LOOK) {
        looked = now;
        const { drops } = inspector.source.stats();
        // What is known of processes may be wrong after a loss: it is compared with /proc.
        if (drops > lost) inspector.afterLoss();
        lost = drops;
      }
      if (now - turn < TURN) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
  } finally {
    sink.flush();
  }
  return capture.counts;
}
