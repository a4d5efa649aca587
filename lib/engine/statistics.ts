// SPDX-License-Identifier: Apache-2.0
// What a run has seen: events, matches by priority and rule, and the summary that is printed at the end.
import { PRIORITY_NAMES } from "../rules/priority.ts";

export class Statistics {
  /** Events that came from the source, hidden ones not counted. */
  events = 0;
  /** Alerts, by all rules. */
  matches = 0;
  /** Matches by number of priority. */
  readonly byPriority: number[] = PRIORITY_NAMES.map(() => 0);
  /** Matches by name of rule; a rule that never matched is not in it. Survives a reload of the rules. */
  readonly byRule = new Map<string, number>();

  match(rule: { name: string; priority: number }): void {
    this.matches++;
    this.byPriority[rule.priority] = (this.byPriority[rule.priority] ?? 0) + 1;
    this.byRule.set(rule.name, (this.byRule.get(rule.name) ?? 0) + 1);
  }

  /** The summary as Falco prints it; `order` are the names of all rules in file order. */
  summary(order: readonly string[]): string {
    const lines = [`Events detected: ${this.matches}`, "Rule counts by severity:"];
    this.byPriority.forEach((n, priority) => {
      if (n > 0) lines.push(`   ${shortName(priority)}: ${n}`);
    });
    lines.push("Triggered rules by rule name:");
    for (const name of new Set([...order, ...this.byRule.keys()])) {
      const n = this.byRule.get(name);
      if (n !== undefined) lines.push(`   ${name}: ${n}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

/** Upper-case name of a priority; Informational is INFO here. */
function shortName(priority: number): string {
  const name = PRIORITY_NAMES[priority] ?? String(priority);
  return name === "Informational" ? "INFO" : name.toUpperCase();
}
