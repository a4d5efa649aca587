// SPDX-License-Identifier: Apache-2.0
// A progress bar on a terminal: one line that is drawn over itself and taken away at the end.
import { escapeControls } from "../scap/printable.ts";

/** Cells of the bar. */
const WIDTH = 30;
/** Least ms between two drawings. */
const INTERVAL_MS = 100;
/** Nothing is drawn for work that is done sooner. */
const PATIENCE_MS = 300;

export class ProgressBar {
  private readonly startedAt = performance.now();
  private drawnAt = this.startedAt + PATIENCE_MS - INTERVAL_MS;
  private shown = false;

  constructor(
    /** Writes to the terminal. */
    private readonly write: (text: string) => void,
    /** Columns of the terminal: a longer line would leave pieces of itself behind. */
    private readonly columns: () => number = () => process.stderr.columns || 80,
  ) {}

  /** `fraction` of the work is done, 0–1 (NaN: unknown); `events` so far. Draws now and then. */
  update(label: string, fraction: number, events: number): void {
    const now = performance.now();
    if (now - this.drawnAt < INTERVAL_MS) return;
    this.drawnAt = now;
    const rate = events / ((now - this.startedAt) / 1000);
    const line = progressLine(escapeControls(label), fraction, events, rate);
    this.write(`\r\x1b[K${[...line].slice(0, this.columns() - 1).join("")}`);
    this.shown = true;
  }

  /** Takes the bar away, so that something else can be written; the next update draws it again. */
  clear(): void {
    if (this.shown) this.write("\r\x1b[K");
    this.shown = false;
  }
}

/** `trace.scap [███░░░]  50 %  1.2 M events  3.1 M/s` without colour. */
export function progressLine(label: string, fraction: number, events: number, rate: number): string {
  const counts = `${short(events)} events  ${short(rate)}/s`;
  if (!Number.isFinite(fraction)) return `${label}  ${counts}`;
  const part = Math.min(1, Math.max(0, fraction));
  const cells = Math.round(part * WIDTH);
  const percent = String(Math.floor(part * 100)).padStart(3);
  return `${label} [${"█".repeat(cells)}${"░".repeat(WIDTH - cells)}] ${percent} %  ${counts}`;
}

function short(n: number): string {
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  return n >= 1e4 ? `${(n / 1e3).toFixed(0)} k` : n.toFixed(0);
}
