// SPDX-License-Identifier: Apache-2.0
// Fields of the process that made the event.

import type { Context } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";
import { id64, text } from "./define.ts";
import type { Extractor, Field, Value } from "./field.ts";

/** An extractor over the thread; missing when the event has none. */
export function ofThread(get: (t: ThreadInfo, ctx: Context) => Value | undefined): Extractor {
  return (ctx) => {
    const t = ctx.thread;
    return t === null ? undefined : get(t, ctx);
  };
}

export const PROCESS_FIELDS: readonly Field[] = [
  text("proc.name", "Name of the process, as the kernel keeps it (15 characters)", (ctx) => ctx.thread?.comm),
  id64("proc.pid", "Process id", (ctx) => ctx.thread?.pid),
];
