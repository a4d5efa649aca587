// SPDX-License-Identifier: Apache-2.0
// Event types: typed records and flat arrays indexed by event id.
import { EC, EF, PT } from "./tables/enums.ts";
import { EVENT_ROWS } from "./tables/events.ts";

/** One parameter of an event type. */
export interface ParamInfo {
  readonly name: string;
  /** Wire type, one of PT. */
  readonly type: number;
  /** Print format, one of PF. */
  readonly format: number;
  /** Name of the flag table (FLAG_TABLES), or of the dynamic table when `type` is PT.DYN (DYNAMIC_TABLES). */
  readonly table: string | null;
  /** For PT.FSRELPATH: index of the parameter that holds the directory descriptor; -1 otherwise. */
  readonly dirfd: number;
}

/** One event type of the schema. */
export interface EventInfo {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  /** Category without kind bits, one of EC. */
  readonly category: number;
  /** Kind bit: EC.SYSCALL, EC.TRACEPOINT, EC.PLUGIN, EC.METAEVENT, EC.ITER or 0. */
  readonly kind: number;
  /** EF bits. */
  readonly flags: number;
  /** Index of the parameter that names the descriptor the event works on; -1 when there is none. */
  readonly fdParam: number;
  readonly params: readonly ParamInfo[];
}

/** All event types, indexed by id. */
export const EVENTS: readonly EventInfo[] = EVENT_ROWS.map(([id, key, name, category, kind, flags, fdParam, params]) =>
  Object.freeze({
    id,
    key,
    name,
    category,
    kind,
    flags,
    fdParam,
    params: params.map(([pname, type, format, table, dirfd]) => ({ name: pname, type, format, table, dirfd })),
  }),
);

/** Number of event types; ids are 0 … EVENT_MAX − 1. */
export const EVENT_MAX = EVENTS.length;
/** Version of the schema these tables describe. */
export const SCHEMA_VERSION = "4.5.1";

/** EF bits by event id. */
export const EVENT_FLAGS = Uint16Array.from(EVENTS, (e) => e.flags);
/** Number of parameters by event id. */
export const EVENT_NPARAMS = Uint8Array.from(EVENTS, (e) => e.params.length);
/** Index of the descriptor parameter by event id, -1 none. */
export const EVENT_FD_PARAM = Int8Array.from(EVENTS, (e) => e.fdParam);
/** 1 for events whose parameter lengths are 32 bits wide. */
export const EVENT_LARGE = Uint8Array.from(EVENTS, (e) => (e.flags & EF.LARGE_PAYLOAD ? 1 : 0));
/** 1 for system-call exit events whose first parameter is the return value. */
export const EVENT_HAS_RETURN = Uint8Array.from(EVENTS, (e) =>
  (e.kind & EC.SYSCALL) !== 0 && (e.id & 1) === 1 && e.params.length > 0 && e.key !== "GENERIC_X" ? 1 : 0,
);

/** Bytes of a parameter of each wire type; 0 for types of variable length. */
export const PARAM_SIZE = ((): Uint8Array => {
  const size = new Uint8Array(64);
  for (const t of [PT.INT8, PT.UINT8, PT.FLAGS8, PT.ENUMFLAGS8, PT.SIGTYPE]) size[t] = 1;
  for (const t of [PT.INT16, PT.UINT16, PT.FLAGS16, PT.ENUMFLAGS16, PT.SYSCALLID, PT.PORT]) size[t] = 2;
  const four = [PT.INT32, PT.UINT32, PT.FLAGS32, PT.ENUMFLAGS32, PT.UID, PT.GID, PT.MODE, PT.SIGSET, PT.FD32, PT.PID32];
  for (const t of [...four, PT.IPV4ADDR, PT.BOOL]) size[t] = 4;
  for (const t of [PT.INT64, PT.UINT64, PT.RELTIME, PT.ABSTIME, PT.ERRNO, PT.FD, PT.PID]) size[t] = 8;
  size[PT.IPV6ADDR] = 16;
  return size;
})();

const byName = new Map<string, EventInfo[]>();
for (const e of EVENTS) {
  const list = byName.get(e.name);
  if (list) list.push(e);
  else byName.set(e.name, [e]);
}

/** All event types with the given name (enter and exit, current and old); empty when unknown. */
export function eventsByName(name: string): readonly EventInfo[] {
  return byName.get(name) ?? [];
}
