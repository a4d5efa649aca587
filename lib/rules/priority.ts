// SPDX-License-Identifier: Apache-2.0
// Priorities of rules and alerts: syslog's eight levels by number, 0 the most severe.

/** Names by number, as alerts show them. */
export const PRIORITY_NAMES: readonly string[] = Object.freeze([
  "Emergency",
  "Alert",
  "Critical",
  "Error",
  "Warning",
  "Notice",
  "Informational",
  "Debug",
]);

export const PRIORITY = Object.freeze({
  EMERGENCY: 0,
  ALERT: 1,
  CRITICAL: 2,
  ERROR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFORMATIONAL: 6,
  DEBUG: 7,
} as const);

const BY_NAME: ReadonlyMap<string, number> = new Map([
  ...PRIORITY_NAMES.map((name, i): [string, number] => [name.toLowerCase(), i]),
  ["info", PRIORITY.INFORMATIONAL],
]);

/** Number of a priority's name in any letter case ("info" included); undefined when there is none of that name. */
export function parsePriority(name: string): number | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** Name of a priority's number. */
export function priorityName(priority: number): string {
  return PRIORITY_NAMES[priority] ?? String(priority);
}
