// SPDX-License-Identifier: Apache-2.0
// Makes the values of built events, for tests of fields and formats.
import { bindField } from "../../lib/fields/registry.ts";
import { fieldJson, fieldText } from "../../lib/fields/values.ts";
import type { InitialState } from "../../lib/scap/source.ts";
import { NEXT } from "../../lib/scap/source.ts";
import type { Context } from "../../lib/sinsp/inspector.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { type EventSpec, emptyState, MemorySource, processEntry } from "../support/events.ts";

/** State with one process: thread 100, named "proc", in /home/u. */
export function oneProcess(given: Partial<InitialState> = {}): InitialState {
  return emptyState({ processes: [processEntry({ tid: 100, cwd: "/home/u/", args: ["-a", "b"] })], ...given });
}

/** Calls `look` with the last of the events applied. */
export function atLast<T>(events: readonly EventSpec[], look: (ctx: Context) => T, state = oneProcess()): T {
  const inspector = new Inspector(new MemorySource([{ state, events }]));
  for (let i = 0; i < events.length; i++) {
    if (inspector.next() !== NEXT.EVENT) throw new Error("an event did not come");
  }
  return look(inspector);
}

/** Printed form of a field at the last event. */
export function textOf(field: string, events: readonly EventSpec[], state?: InitialState): string | undefined {
  return atLast(events, (ctx) => fieldText(bindField(field), ctx), state);
}

/** JSON form of a field at the last event. */
export function jsonOf(field: string, events: readonly EventSpec[], state?: InitialState): string | undefined {
  return atLast(events, (ctx) => fieldJson(bindField(field), ctx), state);
}
