// SPDX-License-Identifier: Apache-2.0
// How a recorded event becomes one of the current schema: the converter's rules joined into one plan per (type, number of parameters).
import { EVENT_FLAGS, EVENT_MAX, EVENT_NPARAMS, EVENTS, PARAM_SIZE } from "./events.ts";
import { CONVERTER_ROWS, type ConverterRow } from "./tables/converter.ts";
import { EF, PT } from "./tables/enums.ts";

/** Where a parameter of the resulting event comes from. */
export const FROM = Object.freeze({
  /** Parameter `index` of the recorded event. */
  OLD: 0,
  /** Parameter `index` of the thread's kept enter event, when that is of type `enterType`. */
  ENTER: 1,
  /** `size` bytes of `fill`. */
  FIXED: 2,
  /** The container event's JSON text. */
  CONTAINER_JSON: 3,
} as const);

/** One parameter of the resulting event. */
export interface ParamSource {
  readonly from: number;
  readonly index: number;
  readonly enterType: number;
  /** What stands in when the source is missing: `size` bytes of value `fill`. */
  readonly size: number;
  readonly fill: number;
}

/** What is to be done with an event. */
export const ACTION = Object.freeze({
  /** It goes on (converted, when the plan says so). */
  PASS: 0,
  /** It is an enter event that exit events draw from: kept for its thread, shown only as recorded. */
  KEEP: 1,
  /** Both. */
  KEEP_AND_PASS: 2,
  /** It is an enter event of no further use: shown only as recorded. */
  ENTER_ONLY: 3,
  /** It belongs to no system call and says nothing: passed over. */
  DROP: 4,
} as const);

export interface ConversionPlan {
  readonly action: number;
  /** Resulting event type. */
  readonly type: number;
  /** Parameters of the result; null: it is as recorded. */
  readonly params: readonly ParamSource[] | null;
  /** All parameters are bytes of recorded events, or constants. */
  readonly placeable: boolean;
}

/** Most rules applied to one event one after the other; the table's longest chain is far shorter. */
const MAX_STEPS = 32;
/** `AS_IS` value of types that pass whatever their number of parameters. */
export const ANY_COUNT = 0xff;
/** `AS_IS` value of types that never pass as recorded. */
const NEVER = 0xfe;

const rowKey = (type: number, nparams: number): number => type * 64 + nparams;
let rows: Map<number, ConverterRow> | null = null;

/** The converter's rule for events of `type` with `nparams` parameters. */
function rowFor(type: number, nparams: number): ConverterRow | undefined {
  // Made when the first old event comes.
  rows ??= new Map(CONVERTER_ROWS.map((row) => [rowKey(row[0], row[1]), row]));
  return rows.get(rowKey(type, nparams));
}

function fallback(type: number, index: number, form: string): { size: number; fill: number } {
  if (form !== "default") return { size: 0, fill: 0 };
  const wire = EVENTS[type]?.params[index]?.type ?? PT.NONE;
  return { size: PARAM_SIZE[wire] ?? 0, fill: wire === PT.UID || wire === PT.GID ? 0xff : 0 };
}

/** Applies a rule: `params` are the parameters before, `from` the type before. */
function applyRow(row: ConverterRow, params: readonly ParamSource[]): ParamSource[] {
  const [fromType, , action, to, sources] = row;
  const result = action === "add_params" ? [...params] : [];
  for (const [from, index, form] of sources) {
    const stand = fallback(to, result.length, from === "default" ? "default" : form);
    if (from === "old") {
      const old = params[index];
      result.push(old ?? { from: FROM.FIXED, index: 0, enterType: -1, ...stand });
    } else if (from === "enter") result.push({ from: FROM.ENTER, index, enterType: fromType - 1, ...stand });
    else if (from === "callback") result.push({ from: FROM.CONTAINER_JSON, index: 0, enterType: -1, ...stand });
    else result.push({ from: FROM.FIXED, index: 0, enterType: -1, ...stand });
  }
  return result;
}

function makePlan(recordedType: number, nparams: number): ConversionPlan {
  let type = recordedType;
  let changed = false;
  let params: ParamSource[] = [];
  for (let i = 0; i < nparams; i++) params.push({ from: FROM.OLD, index: i, enterType: -1, size: 0, fill: 0 });
  const plan = (action: number): ConversionPlan => ({
    action,
    type,
    params: changed ? params : null,
    placeable: params.every((p) => p.from !== FROM.CONTAINER_JSON),
  });
  for (let step = 0; step < MAX_STEPS; step++) {
    const flags = EVENT_FLAGS[type] ?? 0;
    const enter = (type & 1) === 0;
    if (flags & EF.UNUSED) return plan(enter ? ACTION.ENTER_ONLY : ACTION.DROP);
    if (!(flags & EF.CONVERTER_MANAGED)) return plan(flags & EF.OLD_VERSION && enter ? ACTION.ENTER_ONLY : ACTION.PASS);
    const count = EVENT_NPARAMS[type] ?? 0;
    if (!enter && !(flags & EF.OLD_VERSION) && params.length >= count) return plan(ACTION.PASS);
    const row = rowFor(type, params.length);
    // A count of parameters that no version had: what is there is still readable.
    if (row === undefined) return plan(enter ? ACTION.ENTER_ONLY : ACTION.PASS);
    const action = row[2];
    if (action === "pass") return plan(ACTION.PASS);
    if (action === "store") return plan(ACTION.KEEP);
    if (action === "store_and_pass") return plan(ACTION.KEEP_AND_PASS);
    params = applyRow(row, params);
    type = row[3];
    changed = true;
  }
  throw new Error(`the rules for event ${recordedType} with ${nparams} parameters do not come to an end`);
}

/** By event type, the types that one rule makes of it. */
let nextTypes: Map<number, Set<number>> | null = null;

/** All types that an event recorded as `type` can become, itself first. */
function typesAfter(type: number): ReadonlySet<number> {
  if (nextTypes === null) {
    nextTypes = new Map();
    for (const [from, , action, to] of CONVERTER_ROWS) {
      if (action !== "change_type" && action !== "add_params") continue;
      const known = nextTypes.get(from);
      if (known === undefined) nextTypes.set(from, new Set([to]));
      else known.add(to);
    }
  }
  const types = new Set([type]);
  // A set goes on with what is added to it meanwhile.
  for (const t of types) for (const next of nextTypes.get(t) ?? []) types.add(next);
  return types;
}

/** What a reader does with the events of a type that only some others want. */
export const DEMAND = Object.freeze({
  /** Delivers them: they are wanted. */
  WANTED: 0,
  /** Passes them over. */
  UNWANTED: 1,
  /** Passes them over and forgets what their thread's former enter event said. */
  UNWANTED_ENTER: 2,
  /** Keeps them for the exit events that are completed from them, and passes them over. */
  KEPT: 3,
} as const);

/**
 * By recorded event type, a DEMAND. `wanted` is 1 for the types, of the current schema or as recorded, that somebody
 * wants to see.
 */
export function demandFor(wanted: Uint8Array): Uint8Array {
  const demand = new Uint8Array(EVENT_MAX);
  const isWanted = (types: ReadonlySet<number>): boolean => [...types].some((t) => wanted[t] === 1);
  const kept = new Set<number>();
  for (const [from, , action] of CONVERTER_ROWS) if (action === "store" || action === "store_and_pass") kept.add(from);
  for (let type = 0; type < EVENT_MAX; type++) {
    // What the converter drops is not counted, which only it can tell.
    const after = typesAfter(type);
    if ((EVENT_FLAGS[type] ?? 0) & EF.UNUSED || isWanted(after)) continue;
    const isKept = (type & 1) === 0 && [...after].some((t) => kept.has(t));
    if (!isKept) demand[type] = DEMAND.UNWANTED;
    else demand[type] = [...after].some((t) => isWanted(typesAfter(t + 1))) ? DEMAND.KEPT : DEMAND.UNWANTED_ENTER;
  }
  return demand;
}

const PLANS: (ConversionPlan | undefined)[] = new Array(EVENT_MAX * 64);

/** The plan for an event of `type` recorded with `nparams` (0–63) parameters. */
export function conversionPlan(type: number, nparams: number): ConversionPlan {
  const key = rowKey(type, nparams);
  const known = PLANS[key];
  if (known !== undefined) return known;
  const plan = Object.freeze(makePlan(type, nparams));
  PLANS[key] = plan;
  return plan;
}

/** By event type: the number of parameters with which an event passes as it is; ANY_COUNT: it always does. */
export const AS_IS = Uint8Array.from(EVENTS, (e) => {
  const enter = (e.id & 1) === 0;
  if (e.flags & EF.UNUSED) return NEVER;
  if (!(e.flags & EF.CONVERTER_MANAGED)) return e.flags & EF.OLD_VERSION && enter ? NEVER : ANY_COUNT;
  return enter || e.flags & EF.OLD_VERSION ? NEVER : e.params.length;
});
for (const [type, nparams, action] of CONVERTER_ROWS) if (action === "pass") AS_IS[type] = nparams;
