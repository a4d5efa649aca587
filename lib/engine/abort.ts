// SPDX-License-Identifier: Apache-2.0
// The end of a capture that cannot go on, although its source has more.
import type { Inspector } from "../sinsp/inspector.ts";

/** Something happened after which events are no longer true, or no longer come. */
export class AbortError extends Error {
  override readonly name = "AbortError";
}

/** Throws AbortError when an event said that the capture cannot go on. To be called between batches. */
export function checkAbort(inspector: Inspector): void {
  if (inspector.abortReason !== "") throw new AbortError(`the capture cannot go on: ${inspector.abortReason}`);
}
