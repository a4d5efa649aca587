// SPDX-License-Identifier: Apache-2.0
// The loop from events to alerts: source → state → rules → outputs, for trace files and live sources alike.
import type { Alert } from "../outputs/alert.ts";
import type { Outputs } from "../outputs/outputs.ts";
import { NEXT } from "../scap/source.ts";
import type { Context, Inspector } from "../sinsp/inspector.ts";
import { checkAbort } from "./abort.ts";
import type { Statistics } from "./statistics.ts";

/** A rule as the loop knows it. */
export interface MatchedRule {
  readonly index: number;
  readonly name: string;
  readonly priority: number;
}

/** What the loop needs of a compiled ruleset. */
export interface Matcher {
  /** Rules that match the event; they are in `hits[0 … n)`. */
  match(ctx: Context): number;
  readonly hits: readonly MatchedRule[];
}

/** Rules in force, and how an alert is made of a match; replaced as a whole by a reload. */
export interface Detection {
  readonly matcher: Matcher;
  alert(rule: MatchedRule, ctx: Context): Alert;
}

export interface EngineOptions {
  detection: Detection;
  outputs: Outputs;
  statistics: Statistics;
  /** Stop after so many events (-n); default: no limit. */
  maxEvents?: number;
  /** Stop after so many seconds of event time (-M), and for live sources of clock time; default: no limit. */
  maxSeconds?: number;
  /** Called whenever the loop comes up for air, at least a few times a second while events flow. */
  onPause?: (inspector: Inspector) => void;
}

/** Why the loop came up. */
const PAUSE = Object.freeze({
  /** Used up what was in memory. */
  IDLE: 0,
  /** Time for timers, signals and outputs. */
  BREATHE: 1,
  /** A queue is full that drains. */
  CROWDED: 2,
  /** The end, or a limit was reached. */
  END: 3,
} as const);

/** ms of events without a break: what signals and outputs may have to wait. */
const BREATH_MS = 20;
/** Events between two looks at the clock, less one: a mask. */
const CLOCK_MASK = 0x7ff;

export class Engine {
  private detection: Detection;
  private outputs: Outputs;
  private readonly statistics: Statistics;
  private stopping = false;
  private eventsLeft: number;
  /** Relative time after which to stop. */
  private endTs = Number.POSITIVE_INFINITY;
  private startedAt = Number.NaN;
  /** Ends a wait for events. */
  private wake: (() => void) | null = null;

  constructor(private readonly options: EngineOptions) {
    this.detection = options.detection;
    this.outputs = options.outputs;
    this.statistics = options.statistics;
    this.eventsLeft = options.maxEvents ?? Number.POSITIVE_INFINITY;
  }

  /** Ends the loop at the next opportunity, after the current event; also when it waits for events. */
  stop(): void {
    this.stopping = true;
    this.wake?.();
  }

  get stopped(): boolean {
    return this.stopping;
  }

  /** Puts other rules, and other outputs, in force from the next event on; the state stays. */
  replace(detection: Detection, outputs = this.outputs): void {
    this.detection = detection;
    this.outputs = outputs;
  }

  /**
   * Runs all events of an inspector through the rules, until its source ends, a limit is reached or `stop` is called.
   * Errors of the source are thrown after all whole events before the damage, AbortError when a live source cannot go
   * on. Alerts may still be queued afterwards.
   */
  async run(inspector: Inspector): Promise<void> {
    this.startedAt = performance.now();
    this.endTs = Number.NaN;
    while (!this.stopping) {
      const pause = this.pump(inspector);
      checkAbort(inspector);
      this.options.onPause?.(inspector);
      this.outputs.drain();
      if (pause === PAUSE.END) {
        // Limits concern the whole run, not one file.
        if (this.eventsLeft <= 0 || this.isLate(inspector)) this.stopping = true;
        return;
      }
      if (pause === PAUSE.CROWDED && inspector.source.kind === "file") await this.outputs.room();
      else if (pause === PAUSE.IDLE) {
        if (!(await this.wait(inspector.more()))) return;
        if (this.isLate(inspector)) this.stopping = true;
      } else await breathe();
    }
  }

  /** The source's answer whether there is more, or false at once when `stop` is called meanwhile. */
  private wait(more: Promise<boolean>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.wake = () => resolve(false);
      more.then(resolve, reject);
    });
  }

  private isLate(inspector: Inspector): boolean {
    const limit = this.options.maxSeconds;
    if (limit === undefined) return false;
    if (inspector.source.kind === "file") return inspector.ev.ts >= this.endTs;
    return performance.now() - this.startedAt >= limit * 1000;
  }

  /** The hot loop: events until there is a reason to come up for air. */
  private pump(inspector: Inspector): number {
    const { matcher } = this.detection;
    const statistics = this.statistics;
    const ev = inspector.ev;
    const breathAt = performance.now() + BREATH_MS;
    if (this.eventsLeft <= 0) return PAUSE.END;
    let events = 0;
    let pause: number = PAUSE.END;
    for (;;) {
      const code = inspector.next();
      if (code !== NEXT.EVENT) {
        if (code === NEXT.SECTION) continue;
        if (code === NEXT.IDLE) pause = PAUSE.IDLE;
        break;
      }
      if (inspector.hidden) continue;
      if (!(ev.ts < this.endTs)) {
        if (!Number.isNaN(this.endTs)) break;
        this.endTs = ev.ts + (this.options.maxSeconds ?? Number.POSITIVE_INFINITY) * 1e9;
      }
      events++;
      const n = matcher.match(inspector);
      if (n !== 0) {
        this.report(inspector, n);
        if (this.outputs.crowded) {
          pause = PAUSE.CROWDED;
          break;
        }
      }
      if (events >= this.eventsLeft) break;
      if ((events & CLOCK_MASK) === 0 && performance.now() >= breathAt) {
        pause = PAUSE.BREATHE;
        break;
      }
    }
    statistics.events += events;
    this.eventsLeft -= events;
    return pause;
  }

  /** Makes alerts of the current event's `n` matches. */
  private report(ctx: Context, n: number): void {
    const { hits } = this.detection.matcher;
    for (let i = 0; i < n; i++) {
      const rule = hits[i] as MatchedRule;
      this.statistics.match(rule);
      this.outputs.emit(this.detection.alert(rule, ctx));
    }
  }
}

/** Lets timers, signals and finished writes have their turn. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
