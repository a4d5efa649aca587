// SPDX-License-Identifier: Apache-2.0
// Messages of the program about itself: levels, and where they go.
import { PRIORITY, parsePriority } from "../rules/priority.ts";
import { escapeControlsInLines } from "../scap/printable.ts";

export class Log {
  private threshold: number = PRIORITY.INFORMATIONAL;
  private enabled = true;

  constructor(
    /** Takes one or more whole lines. */
    private readonly write: (text: string) => void,
  ) {}

  /** `level` as in log_level; `enabled` as in log_stderr. */
  configure(level: string, enabled: boolean): void {
    this.threshold = parsePriority(level) ?? PRIORITY.INFORMATIONAL;
    this.enabled = enabled;
  }

  error(text: string): void {
    this.at(PRIORITY.ERROR, text);
  }

  warning(text: string): void {
    this.at(PRIORITY.WARNING, text);
  }

  info(text: string): void {
    this.at(PRIORITY.INFORMATIONAL, text);
  }

  debug(text: string): void {
    this.at(PRIORITY.DEBUG, text);
  }

  private at(priority: number, text: string): void {
    if (this.enabled && priority <= this.threshold)
      this.write(`${escapeControlsInLines(text).replace(/^(?=.)/gm, "falco: ")}\n`);
  }
}
