// SPDX-License-Identifier: Apache-2.0
// The bounded way to one output: queue, drain, time limit, and one report per incident. A slow or dead output costs
// its own alerts, by count, and nothing else.
import { type Message, type Output, OutputError } from "./output.ts";
import { within } from "./within.ts";

/** Most alerts a queue holds, whatever the configuration says (`outputs_queue.capacity: 0` means this). */
export const MAX_QUEUED_ALERTS = 32_768;
/** Most characters of alert lines a queue holds; together with the former it bounds the memory of a stuck output. */
export const MAX_QUEUED_CHARS = 8 * 1024 * 1024;
/** The same where the caller waits for room: more than this only costs memory. */
export const PATIENT_ALERTS = 4096;
const PATIENT_CHARS = 1024 * 1024;
/** Most messages, and about the most characters, handed to an output in one call. */
const BATCH = 1024;
const BATCH_CHARS = 128 * 1024;

export interface LaneOptions {
  /** Alerts kept for an output that is slower than the events; 1 … MAX_QUEUED_ALERTS. */
  capacity: number;
  /** ms an output may take for one batch before it counts as stuck. */
  timeoutMs: number;
  /**
   * The caller waits for room while `waitWorthwhile`, as it can with a trace file: then what one event brings is
   * queued whole, even beyond the capacity.
   */
  patient: boolean;
  /** Nothing is sent before this settles (outputs that are to be replaced finish first). */
  ready?: Promise<unknown>;
  /** Where incidents are told: one sentence each. */
  report: (text: string) => void;
  /** ms without a fault after which an incident counts as over; so a flapping output is one incident. Default 1000. */
  calmMs?: number;
}

/** Counters of one output. */
export interface LaneStats {
  name: string;
  sent: number;
  /** Alerts that did not reach the output: queue full, failure, or left over at the end. */
  lost: number;
  /** Alerts still waiting. */
  queued: number;
}

type Trouble = "none" | "failing" | "stuck" | "full" | "gone";

export class Lane {
  private readonly maxChars: number;
  private queue: Message[] = [];
  private head = 0;
  private chars = 0;
  private running: Promise<void> | null = null;
  private sent = 0;
  private lost = 0;
  private trouble: Trouble = "none";
  /** Value of `lost` when the incident began. */
  private lostBefore = 0;
  /** When the last fault was, performance.now(). */
  private lastFault = 0;
  /** Messages the output has at the moment. */
  private inFlight = 0;
  private reopenWanted = false;
  private closed = false;

  constructor(
    readonly output: Output,
    private readonly options: LaneOptions,
  ) {
    this.maxChars = options.patient ? PATIENT_CHARS : MAX_QUEUED_CHARS;
  }

  stats(): LaneStats {
    return { name: this.output.name, sent: this.sent, lost: this.lost, queued: this.queued };
  }

  get queued(): number {
    return this.queue.length - this.head;
  }

  /** True when a push would lose an alert that waiting could save. */
  get waitWorthwhile(): boolean {
    return this.isFull && this.trouble === "none";
  }

  private get isFull(): boolean {
    return this.queued >= this.options.capacity || this.chars >= this.maxChars;
  }

  /** Queues a message, or counts it as lost. Never waits. */
  push(message: Message): void {
    if (this.trouble === "gone") {
      this.lost++;
      return;
    }
    if (this.isFull && !(this.options.patient && this.trouble === "none")) {
      this.begin("full", `is slower than the alerts come, its queue of ${this.queued} is full: alerts for it are lost`);
      this.lost++;
      return;
    }
    this.queue.push(message);
    this.chars += message.line.length;
  }

  /** Starts handing queued messages to the output; returns at once. */
  drain(): void {
    if (this.running !== null || (this.queued === 0 && !this.reopenWanted)) return;
    this.running = this.work().finally(() => {
      this.running = null;
    });
  }

  /** Resolves when everything queued was sent or lost (true), or after `ms` (false). */
  async flush(ms: number): Promise<boolean> {
    this.drain();
    return this.running === null || (await within(this.running, ms));
  }

  /** Resolves when half of the queue is free, or when waiting is of no use. */
  async room(): Promise<void> {
    const { capacity } = this.options;
    const tooFull = (): boolean => this.queued > capacity / 2 || this.chars > this.maxChars / 2;
    while (tooFull() && this.trouble === "none") await Bun.sleep(1);
  }

  reopen(): void {
    this.reopenWanted = true;
    this.drain();
  }

  /** Sends what is queued, within the time limit, and closes the output; what is left is lost and said. */
  async close(): Promise<void> {
    if (!(await this.flush(this.options.timeoutMs))) {
      this.begin("stuck", this.stuckText());
      this.lost += this.inFlight;
      this.discard();
      this.output.abandon();
    }
    this.closed = true;
    if (!(await within(this.output.close(), this.options.timeoutMs))) this.output.abandon();
    if (this.trouble !== "none") this.options.report(`output '${this.output.name}': ${this.lossText()}`);
  }

  private async work(): Promise<void> {
    if (this.options.ready !== undefined) await this.options.ready;
    if (this.reopenWanted) {
      this.reopenWanted = false;
      await this.output.reopen().catch((error: unknown) => this.fail(error, 0));
    }
    while (this.queued > 0 && this.trouble !== "gone") {
      const batch = this.take();
      this.inFlight = batch.length;
      const watchdog = setTimeout(() => this.begin("stuck", this.stuckText()), this.options.timeoutMs);
      try {
        const fault = await this.output.send(batch);
        if (this.closed) return;
        this.sent += batch.length;
        if (fault === null) this.recover();
        else this.begin("failing", fault);
      } catch (error) {
        if (this.closed) return;
        this.fail(error, batch.length);
      } finally {
        clearTimeout(watchdog);
        this.inFlight = 0;
      }
    }
    if (this.trouble === "gone") this.discard();
  }

  /** Counts everything queued as lost. */
  private discard(): void {
    this.lost += this.queued;
    this.queue = [];
    this.head = 0;
    this.chars = 0;
  }

  private take(): Message[] {
    let end = this.head;
    let chars = 0;
    while (end < this.queue.length && end - this.head < BATCH && chars < BATCH_CHARS) {
      chars += (this.queue[end++] as Message).line.length;
    }
    const batch = this.queue.slice(this.head, end);
    this.head = end;
    this.chars -= chars;
    if (this.head >= 4096 || this.head === this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return batch;
  }

  private fail(error: unknown, batch: number): void {
    const known = error instanceof OutputError ? error : new OutputError(this.output.name, String(error));
    this.begin(known.final ? "gone" : "failing", `${known.reason}; alerts for it are lost until that changes`);
    this.sent += known.delivered;
    this.lost += batch - known.delivered;
  }

  private stuckText(): string {
    return `has taken nothing for ${this.options.timeoutMs} ms; alerts for it are lost once its queue is full`;
  }

  /** Reports the start of an incident; what else goes wrong before it is over belongs to the same incident. */
  private begin(trouble: Trouble, text: string): void {
    this.lastFault = performance.now();
    if (this.trouble === "none") {
      this.lostBefore = this.lost;
      this.options.report(`output '${this.output.name}': ${text}`);
    }
    if (this.trouble !== "gone") this.trouble = trouble;
  }

  private recover(): void {
    if (this.trouble === "none" || this.trouble === "gone") return;
    if (this.trouble === "full" && this.queued > 0) return;
    if (performance.now() - this.lastFault < (this.options.calmMs ?? 1000)) return;
    this.options.report(`output '${this.output.name}': works again; ${this.lossText()}`);
    this.trouble = "none";
  }

  /** What the incident has cost. */
  private lossText(): string {
    const n = this.lost - this.lostBefore;
    return n === 1 ? "1 alert was lost" : `${n} alerts were lost`;
  }
}
