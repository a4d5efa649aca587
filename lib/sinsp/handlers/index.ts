// SPDX-License-Identifier: Apache-2.0
// All state handlers, indexed by event type id.
import { EVENT_MAX } from "../../schema/events.ts";
import { CLONE_HANDLERS } from "./clone.ts";
import { CREATE_HANDLERS } from "./create.ts";
import { DESCRIPTOR_HANDLERS } from "./descriptors.ts";
import { EXEC_HANDLERS } from "./exec.ts";
import { FIGURE_HANDLERS } from "./figures.ts";
import type { Handler, HandlerRow } from "./handler.ts";
import { IO_HANDLERS } from "./io.ts";
import { META_HANDLERS } from "./meta.ts";
import { OPEN_HANDLERS } from "./open.ts";
import { PROCESS_HANDLERS } from "./process.ts";
import { SOCKET_HANDLERS } from "./sockets.ts";

const nothing: Handler = () => {};

/** Handler by event type id; one that does nothing where the event changes nothing. */
function handlerTable(rows: readonly HandlerRow[]): readonly Handler[] {
  const table = new Array<Handler>(EVENT_MAX).fill(nothing);
  for (const [ids, handler] of rows) {
    for (const id of ids) {
      if (table[id] !== nothing) throw new Error(`Event type ${id} has two state handlers`);
      table[id] = handler;
    }
  }
  return table;
}

/** These change descriptors, and nothing else of threads, processes, users and containers. */
const DESCRIPTOR_ROWS: readonly HandlerRow[] = [
  ...OPEN_HANDLERS,
  ...CREATE_HANDLERS,
  ...DESCRIPTOR_HANDLERS,
  ...SOCKET_HANDLERS,
  ...IO_HANDLERS,
];

const CORE_ROWS: readonly HandlerRow[] = [
  ...CLONE_HANDLERS,
  ...EXEC_HANDLERS,
  ...PROCESS_HANDLERS,
  ...DESCRIPTOR_ROWS,
  ...META_HANDLERS,
];

/** Handlers of a state with the figures of threads, and without. */
export const HANDLERS = handlerTable([...CORE_ROWS, ...FIGURE_HANDLERS]);
export const HANDLERS_WITHOUT_FIGURES = handlerTable(CORE_ROWS);

/** 1 for the event types that have a handler, by event id. */
export function handledTypes(handlers: readonly Handler[]): Uint8Array {
  return Uint8Array.from(handlers, (h) => (h === nothing ? 0 : 1));
}

/** 1 for the event types that change descriptors at most, by event id. */
export function descriptorTypes(handlers: readonly Handler[]): Uint8Array {
  const own = new Set<Handler>([nothing, ...DESCRIPTOR_ROWS.map(([, handler]) => handler)]);
  return Uint8Array.from(handlers, (h) => (own.has(h) ? 1 : 0));
}
