// SPDX-License-Identifier: Apache-2.0
// Names that evt.type and syscall.type can have, and the event ids and system-call codes behind them.
import { EVENTS } from "../schema/events.ts";
import { EV } from "../schema/tables/enums.ts";
import { EVENT_SYSCALL_ROWS, SYSCALL_NAMES } from "../schema/tables/syscalls.ts";

/** Codes that stand for no call. */
const PLACEHOLDERS = new Set(["unknown", "na_1"]);

const ids = new Map<string, number[]>();
for (const e of EVENTS) {
  const list = ids.get(e.name);
  if (list) list.push(e.id);
  else ids.set(e.name, [e.id]);
}

/** System calls that have an event of their own. */
const ownEvent = new Set<number>();
for (const [id, codes] of EVENT_SYSCALL_ROWS) {
  if (id === EV.GENERIC_E || id === EV.GENERIC_X) continue;
  for (const code of codes) ownEvent.add(code);
}

const genericCodes = new Map<string, number>();
SYSCALL_NAMES.forEach((name, code) => {
  if (!ownEvent.has(code) && !PLACEHOLDERS.has(name)) genericCodes.set(name, code);
});

/** Every value evt.type can have: names of events and of system calls. */
export const EVENT_TYPE_NAMES: ReadonlySet<string> = new Set([
  ...ids.keys(),
  ...SYSCALL_NAMES.filter((name) => !PLACEHOLDERS.has(name)),
]);

/** True when `name` is an event or a system call. */
export function isEventTypeName(name: string): boolean {
  return EVENT_TYPE_NAMES.has(name);
}

/** Event ids (enter and exit, current and old) named `name`; empty when it is no event of its own. */
export function eventIdsOf(name: string): readonly number[] {
  return ids.get(name) ?? [];
}

/** Code of a system call that comes as the generic event (named `syscall`); undefined for others. */
export function genericSyscallCode(name: string): number | undefined {
  return genericCodes.get(name);
}
