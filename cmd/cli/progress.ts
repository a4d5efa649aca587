// SPDX-License-Identifier: Apache-2.0
// A progress bar on stderr.

const WIDTH = 40;
/** Milliseconds between two drawings. */
const PAUSE = 100;

/** Draws how much of the input is read; draws nothing until the first pause has passed. */
export class Progress {
  private next = Date.now() + PAUSE;
  private drawn = false;

  /** `fraction` 0–1; NaN (unknown) draws nothing. */
  show(fraction: number): void {
    const now = Date.now();
    if (now < this.next || Number.isNaN(fraction)) return;
    this.next = now + PAUSE;
    this.drawn = true;
    const full = Math.round(fraction * WIDTH);
    process.stderr.write(`\r[${"#".repeat(full)}${" ".repeat(WIDTH - full)}] ${Math.floor(fraction * 100)}%`);
  }

  /** Takes the bar away. */
  done(): void {
    if (this.drawn) process.stderr.write(`\r${" ".repeat(WIDTH + 8)}\r`);
    this.drawn = false;
  }
}
