// SPDX-License-Identifier: Apache-2.0
// Walking a capture with the state kept, for comparisons.
import { ScapFormatError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { type Context, Inspector } from "../../lib/sinsp/inspector.ts";

/** Calls `visit` for every event that is shown (or for all, with `all`). Returns the message that ended reading, "" at a clean end. */
export async function walk(path: string, visit: (ctx: Context) => void, all = false): Promise<string> {
  const source = await openCapture(path);
  try {
    const inspector = new Inspector(source);
    do {
      for (;;) {
        const code = inspector.next();
        if (code === NEXT.SECTION) continue;
        if (code !== NEXT.EVENT) break;
        if (all || !inspector.hidden) visit(inspector);
      }
    } while (await inspector.more());
    return "";
  } catch (e) {
    if (e instanceof ScapFormatError) return e.message;
    throw e;
  } finally {
    await source.close();
  }
}
