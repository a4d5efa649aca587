// SPDX-License-Identifier: Apache-2.0
// Alerts and places to write them to, for the tests of outputs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Alert, AlertStyle } from "../../lib/outputs/alert.ts";
import type { Message, Output } from "../../lib/outputs/output.ts";

export const JSON_STYLE: AlertStyle = {
  json: true,
  isoTime: true,
  includeOutput: true,
  includeMessage: false,
  includeFields: true,
  includeTags: true,
};
export const TEXT_STYLE: AlertStyle = { ...JSON_STYLE, json: false, isoTime: false };

export function alert(over: Partial<Alert> = {}): Alert {
  return {
    rule: "A rule",
    priority: 4,
    source: "syscall",
    tags: ["a", "b"],
    time: 1795332391730997013n,
    hostname: "guest",
    message: "something happened",
    fields: "",
    ...over,
  };
}

/** Messages whose lines are `PREFIX 0`, `PREFIX 1` … */
export function messages(n: number, prefix = "line", from = 0): Message[] {
  return Array.from({ length: n }, (_, i) => ({ priority: 4, line: `${prefix} ${i + from}` }));
}

/** Runs `use` with a fresh directory and removes that. */
export async function withDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "falco-outputs-"));
  try {
    await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** An output under the control of a test. */
export class FakeOutput implements Output {
  readonly name = "fake";
  readonly lines: string[] = [];
  calls = 0;
  closed = 0;
  abandoned = 0;
  reopened = 0;
  /** What the next calls of `send` do; when empty they succeed. */
  script: (() => Promise<string | null>)[] = [];

  async send(batch: readonly Message[]): Promise<string | null> {
    this.calls++;
    const step = this.script.shift();
    const note = step === undefined ? null : await step();
    for (const m of batch) this.lines.push(m.line);
    return note;
  }
  async reopen(): Promise<void> {
    this.reopened++;
  }
  async close(): Promise<void> {
    this.closed++;
  }
  abandon(): void {
    this.abandoned++;
  }
}
