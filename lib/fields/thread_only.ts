// SPDX-License-Identifier: Apache-2.0
// Extractors that look at the event's thread and the state but for descriptors: all events of a thread give the same value.
import type { ThreadContext } from "../sinsp/inspector.ts";
import type { Extractor, Value } from "./field.ts";

const extractors = new WeakSet<Extractor>();

/** Marks an extractor; its type says that it sees nothing of the event; it may not look at descriptors. */
export function threadOnly(extract: (ctx: ThreadContext) => Value | undefined): Extractor {
  extractors.add(extract);
  return extract;
}

/** True for what threadOnly() made. */
export function isThreadOnly(extract: Extractor): boolean {
  return extractors.has(extract);
}
