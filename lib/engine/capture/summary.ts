// SPDX-License-Identifier: Apache-2.0
// What a capture saw, by event.
import { EVENTS } from "../../schema/events.ts";
import type { CaptureCounts } from "./run.ts";

export interface SummaryRow {
  /** ">" enter, "<" exit. */
  dir: string;
  name: string;
  calls: number;
}

/** Events that were shown, most frequent first. */
export function summaryRows(counts: CaptureCounts): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const { id, name } of EVENTS) {
    const calls = counts.byType[id] as number;
    if (calls > 0) rows.push({ dir: id % 2 === 0 ? ">" : "<", name, calls });
  }
  return rows.sort((a, b) => b.calls - a.calls);
}

const RULE = "-".repeat(22);

/** The rows as a table for people. */
export function summaryText(counts: CaptureCounts): string {
  const rows = summaryRows(counts).map((r) => `${r.dir} ${r.name.padEnd(15)} ${r.calls}`);
  return `${[RULE, "Event           #Calls", RULE, ...rows].join("\n")}\n`;
}
