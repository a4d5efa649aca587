// SPDX-License-Identifier: Apache-2.0
// All outputs together: takes alerts from the engine, limits their rate, renders each once, and feeds every lane.
import { type Alert, type AlertStyle, renderAlert } from "./alert.ts";
import { Lane, type LaneStats, MAX_QUEUED_ALERTS, PATIENT_ALERTS } from "./lane.ts";
import type { Message, Output } from "./output.ts";
import { TokenBucket } from "./token_bucket.ts";

export interface OutputsOptions {
  style: AlertStyle;
  /** `outputs_queue.capacity`: alerts kept per output; 0 = as many as are sensible, see lane.ts. */
  capacity: number;
  /** `output_timeout` in ms. */
  timeoutMs: number;
  /** `buffered_outputs`: gather alerts before writing. */
  buffered: boolean;
  /** Alerts per second that are let through, 0 = all, and how many may come at once. Seconds of event time. */
  rate: number;
  maxBurst: number;
  /** The caller waits while `crowded`; see LaneOptions. */
  patient: boolean;
  /** Where faults of outputs are told: one sentence each. */
  report: (text: string) => void;
  /** See LaneOptions. */
  ready?: Promise<unknown>;
  calmMs?: number;
}

export interface OutputsStats {
  /** Alerts that were let through to the outputs. */
  alerts: number;
  /** Alerts held back by the rate limit. */
  limited: number;
  lanes: LaneStats[];
}

/** With buffered_outputs: characters gathered before they are written. */
const BUFFER_CHARS = 64 * 1024;
/** With buffered_outputs: ms alerts wait at most. */
const BUFFER_MS = 1000;

export class Outputs {
  private readonly lanes: Lane[];
  private readonly bucket: TokenBucket | null;
  private alerts = 0;
  private limited = 0;
  private gathered = 0;
  private drainedAt = performance.now();

  constructor(
    outputs: readonly Output[],
    private readonly options: OutputsOptions,
  ) {
    const most = options.patient ? PATIENT_ALERTS : MAX_QUEUED_ALERTS;
    const capacity = options.capacity > 0 ? Math.min(options.capacity, most) : most;
    this.lanes = outputs.map((output) => new Lane(output, { ...options, capacity }));
    this.bucket = options.rate > 0 ? new TokenBucket(options.rate, options.maxBurst) : null;
  }

  /** Takes an alert; never waits. What a full queue cannot take is counted as lost. */
  emit(alert: Alert): void {
    if (this.bucket !== null && !this.bucket.claim(alert.time)) {
      this.limited++;
      return;
    }
    this.alerts++;
    const message: Message = { line: flat(renderAlert(alert, this.options.style)), priority: alert.priority };
    this.gathered += message.line.length;
    for (const lane of this.lanes) lane.push(message);
  }

  /** Starts writing what is queued; returns at once. Called whenever the engine leaves its hot loop. */
  drain(): void {
    if (this.gathered === 0) return;
    if (this.options.buffered) {
      const now = performance.now();
      if (this.gathered < BUFFER_CHARS && now - this.drainedAt < BUFFER_MS) return;
      this.drainedAt = now;
    }
    this.gathered = 0;
    for (const lane of this.lanes) lane.drain();
  }

  /** True when some output's queue is full although the output works: the next alert would be lost for no reason. */
  get crowded(): boolean {
    return this.lanes.some((lane) => lane.waitWorthwhile);
  }

  /** Resolves when every working output has room again, at the latest when `output_timeout` calls it stuck. */
  async room(): Promise<void> {
    this.gathered = 0;
    for (const lane of this.lanes) lane.drain();
    await Promise.all(this.lanes.map((lane) => lane.room()));
  }

  /** Lets outputs open their files anew (SIGUSR1). */
  reopen(): void {
    for (const lane of this.lanes) lane.reopen();
  }

  /** Writes what is left, within `output_timeout`, and closes all outputs. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  stats(): OutputsStats {
    return { alerts: this.alerts, limited: this.limited, lanes: this.lanes.map((lane) => lane.stats()) };
  }
}

/**
 * The same string in one piece. A string made by adding up holds all its parts until somebody looks inside; thousands
 * of those in a queue would take ten times the memory of their text.
 */
function flat(text: string): string {
  // The answer must matter, or the compiler leaves the question out. A line never begins with NUL.
  return text.charCodeAt(0) === 0 ? "" : text;
}
