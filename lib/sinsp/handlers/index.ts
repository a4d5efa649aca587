// SPDX-License-Identifier: Apache-2.0
// All state handlers, indexed by event type id.
import { EVENT_MAX } from "../../schema/events.ts";
import { CLONE_HANDLERS } from "./clone.ts";
import { CREATE_HANDLERS } from "./create.ts";
import { DESCRIPTOR_HANDLERS } from "./descriptors.ts";
import { EXEC_HANDLERS } from "./exec.ts";
import type { Handler } from "./handler.ts";
import { IO_HANDLERS } from "./io.ts";
import { META_HANDLERS } from "./meta.ts";
import { OPEN_HANDLERS } from "./open.ts";
import { PROCESS_HANDLERS } from "./process.ts";
import { SOCKET_HANDLERS } from "./sockets.ts";

const nothing: Handler = () => {};

/** Handler by event type id; one that does nothing where the event changes nothing. */
export const HANDLERS: readonly Handler[] = (() => {
  const table = new Array<Handler>(EVENT_MAX).fill(nothing);
  const rows = [
    ...CLONE_HANDLERS,
    ...EXEC_HANDLERS,
    ...PROCESS_HANDLERS,
    ...OPEN_HANDLERS,
    ...CREATE_HANDLERS,
    ...DESCRIPTOR_HANDLERS,
    ...SOCKET_HANDLERS,
    ...IO_HANDLERS,
    ...META_HANDLERS,
  ];
  for (const [ids, handler] of rows) {
    for (const id of ids) {
      if (table[id] !== nothing) throw new Error(`Event type ${id} has two state handlers`);
      table[id] = handler;
    }
  }
  return table;
})();
