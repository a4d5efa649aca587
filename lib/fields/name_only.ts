// SPDX-License-Identifier: Apache-2.0
// Extractors that the name and kind of the event's descriptor decide, and the memory for what follows from such values.
import { FD_TYPE } from "../scap/source.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { Extractor } from "./field.ts";

const extractors = new WeakSet<Extractor>();

/** Marks an extractor: events whose descriptors have one `nameKind` and one fd.name give the same value. */
export function nameOnly<E extends Extractor>(extract: E): E {
  extractors.add(extract);
  return extract;
}

/** True for what nameOnly() marked. */
export function isNameOnly(extract: Extractor): boolean {
  return extractors.has(extract);
}

/** Kind of a descriptor that a call failed to get. */
const FAILED = 0;
const NONE = -1;

/** What the descriptor of an event is, for files and what could have been one; −1 when it is nothing with a lasting name. */
function nameKind(ctx: Context): number {
  const fd = ctx.fd;
  if (fd === null) return FAILED;
  return fd.isSocket() || fd.type === FD_TYPE.UNKNOWN ? NONE : fd.type;
}

/** Results remembered per kind. */
const MAX_REMEMBERED = 4096;
/** Longer names are hardly seen twice. */
const MAX_LENGTH = 256;

/** A memory for one condition that reads fields of nameOnly() alone; `nameOf` is fd.name. */
export function nameMemory(nameOf: Extractor): (ctx: Context, decide: (ctx: Context) => boolean) => boolean {
  const kinds: (Map<string, boolean> | undefined)[] = [];
  return (ctx, decide) => {
    const kind = nameKind(ctx);
    const name = kind === NONE ? undefined : nameOf(ctx);
    if (typeof name !== "string" || name.length > MAX_LENGTH) return decide(ctx);
    let known = kinds[kind];
    const before = known?.get(name);
    if (before !== undefined) return before;
    if (known === undefined || known.size >= MAX_REMEMBERED) {
      known = new Map();
      kinds[kind] = known;
    }
    const result = decide(ctx);
    known.set(name, result);
    return result;
  };
}
