// SPDX-License-Identifier: Apache-2.0
// Looks once a second whether the kernel lost events, or none come at all, and takes the actions of falco.yaml.
import type { Alert } from "../outputs/alert.ts";
import { INTERNAL_SOURCE } from "../outputs/alert.ts";
import { TokenBucket } from "../outputs/token_bucket.ts";
import { PRIORITY } from "../rules/priority.ts";
import type { SourceStats } from "../scap/source.ts";

export interface DropOptions {
  /** Part of the events (0–1) that may get lost in a second. */
  threshold: number;
  /** ignore, log, alert, exit. */
  actions: readonly string[];
  /** Actions per second over a long time, and in a row. */
  rate: number;
  maxBurst: number;
  simulate: boolean;
  /** Waits of WAIT_MS without an event after which to tell. */
  maxTimeouts: number;
  hostname: string;
  log: (text: string) => void;
  emit: (alert: Alert) => void;
  /** Ends the run with an error. */
  exit: (reason: string) => void;
}

/** Length in ms of what syscall_event_timeouts counts. */
const WAIT_MS = 30;
/** ms between two looks. */
export const LOOK_MS = 1000;
const BILLION = 1_000_000_000n;

/** Names of the kinds of drops in the alert, which are those of Falco, by our names. */
const KINDS = [
  "clone_fork_exit",
  "execve_exit",
  "connect_exit",
  "open_exit",
  "dir_file_exit",
  "other_interest_exit",
  "close_exit",
  "proc_exit",
] as const;

export class DropMonitor {
  private before: SourceStats | null = null;
  private readonly bucket: TokenBucket;
  private occurrences = 0;
  private actionsTaken = 0;
  private quietLooks = 0;

  constructor(private readonly options: DropOptions) {
    this.bucket = new TokenBucket(options.rate, options.maxBurst);
  }

  /** To be called every LOOK_MS with the source's counters; `now` is ns since the epoch. Returns true after drops. */
  look(stats: SourceStats, now: bigint): boolean {
    const before = this.before;
    this.before = stats;
    if (before === null) return false;
    const events = stats.events - before.events;
    this.lookForSilence(events, now);
    const lost = stats.drops - before.drops;
    const shown = lost === 0 && this.options.simulate ? 1 : lost;
    if (shown <= 0) return false;
    this.occurrences++;
    if (shown / Math.max(events, 1) > this.options.threshold && this.bucket.claim(now))
      this.act(before, stats, shown, now);
    return lost > 0;
  }

  /** Two lines for the end of a run. */
  summary(): string {
    return (
      "Syscall event drop monitoring:\n" +
      `   - event drop detected: ${this.occurrences} occurrences\n` +
      `   - num times actions taken: ${this.actionsTaken}\n`
    );
  }

  private act(before: SourceStats, after: SourceStats, lost: number, now: bigint): void {
    const { actions, log, emit, exit } = this.options;
    if (actions.includes("ignore") || actions.length === 0) return;
    this.actionsTaken++;
    const message = `Falco internal: syscall event drop. ${lost} system calls dropped in last second.`;
    if (actions.includes("log")) log(message);
    if (actions.includes("alert")) {
      const ofKind = (kind: string): number => (after.dropsByCategory[kind] ?? 0) - (before.dropsByCategory[kind] ?? 0);
      const fields: [string, number][] = [
        ["n_evts", after.events - before.events],
        ["n_drops", lost],
        ["n_drops_buffer_total", after.dropsBuffer - before.dropsBuffer],
        ["n_drops_scratch_map", after.dropsMaxSize - before.dropsMaxSize],
        ["n_drops_page_faults", ofKind("page_fault")],
        ["n_drops_bug", after.dropsBug - before.dropsBug],
        ["ebpf_enabled", 1],
      ];
      for (const kind of KINDS) fields.push([`n_drops_buffer_${kind}`, ofKind(kind)]);
      emit(this.internal("Falco internal: syscall event drop", message, fields, now));
    }
    if (actions.includes("exit"))
      exit(`${lost} system calls were lost in one second; syscall_event_drops.actions asks to end then`);
  }

  private lookForSilence(events: number, now: bigint): void {
    this.quietLooks = events > 0 ? 0 : this.quietLooks + 1;
    const waits = Math.floor((this.quietLooks * LOOK_MS) / WAIT_MS);
    if (waits < this.options.maxTimeouts) return;
    this.quietLooks = 0;
    const message = `Falco internal: timeouts notification. ${waits} consecutive timeouts without event.`;
    this.options.log(message);
    const fields: [string, number][] = [["n_consecutive_timeouts", waits]];
    this.options.emit(this.internal("Falco internal: timeouts notification", message, fields, now));
  }

  private internal(rule: string, message: string, fields: readonly [string, number][], now: bigint): Alert {
    return {
      rule,
      priority: PRIORITY.DEBUG,
      source: INTERNAL_SOURCE,
      tags: [],
      time: now,
      hostname: this.options.hostname,
      message,
      fields: JSON.stringify(Object.fromEntries([...fields].sort().map(([name, n]) => [name, String(n)]))),
    };
  }
}

/** Now, in ns since the epoch. */
export function nowNs(): bigint {
  return (BigInt(Date.now()) * BILLION) / 1000n;
}
