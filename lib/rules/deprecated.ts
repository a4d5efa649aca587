// SPDX-License-Identifier: Apache-2.0
// Fields that have lost their meaning and what to say to those who still use them.

/** Deprecated fields, in the order in which they are reported. */
export const DEPRECATED_FIELDS: readonly string[] = [
  "evt.dir",
  "evt.latency",
  "evt.latency.s",
  "evt.latency.ns",
  "evt.latency.human",
  "evt.wait_latency",
];

/** What to do about a deprecated field in a condition or output. */
export function deprecationMessage(field: string, where: "condition" | "output"): string {
  if (field !== "evt.dir") {
    return `'${field}' in the ${where} is deprecated: events are recorded when a call ends, so that it is always 0`;
  }
  if (where === "output") return "'evt.dir' in the output is deprecated: it is always '<'";
  return "'evt.dir' in the condition is deprecated: 'evt.dir = <' is always true and 'evt.dir = >' never; leave it out";
}
