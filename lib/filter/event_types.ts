// SPDX-License-Identifier: Apache-2.0
// Which event types and system calls a filter can match, told from its syntax tree alone.
import { eventIdsOf } from "../fields/evt_names.ts";
import { EVENT_MAX, EVENTS } from "../schema/events.ts";
import { EV } from "../schema/tables/enums.ts";
import { EVENT_SYSCALL_ROWS, SYSCALL_NAMES } from "../schema/tables/syscalls.ts";
import type { Ast, CompareNode, LeftNode } from "./ast.ts";

const SC_MAX = SYSCALL_NAMES.length;

/** Sets of event ids and of system-call codes, as masks. */
interface Sets {
  readonly events: Uint8Array;
  readonly calls: Uint8Array;
}

const ALL: Sets = { events: new Uint8Array(EVENT_MAX).fill(1), calls: new Uint8Array(SC_MAX).fill(1) };
const NONE: Sets = { events: new Uint8Array(EVENT_MAX), calls: new Uint8Array(SC_MAX) };

const callsOfEvent = new Map<number, readonly number[]>(EVENT_SYSCALL_ROWS);
const eventsOfCall: number[][] = SYSCALL_NAMES.map(() => []);
for (const [id, calls] of EVENT_SYSCALL_ROWS) for (const c of calls) eventsOfCall[c]?.push(id);
const codeOfCall = new Map<string, number>(SYSCALL_NAMES.map((name, code) => [name, code]));

function isGeneric(id: number): boolean {
  return id === EV.GENERIC_E || id === EV.GENERIC_X;
}

/** Mask by event id of the types that can make the filter true; macros that are not replaced count as "any". */
export function eventTypesOf(ast: Ast): Uint8Array {
  return analyse(ast, false).events;
}

/** Mask by system-call code (PPM_SC) of the calls that can make the filter true. */
export function syscallsOf(ast: Ast): Uint8Array {
  return analyse(ast, false).calls;
}

/**
 * Names of the events and system calls that can make the filter true, sorted; calls without an event of their own
 * appear by their own name. `withAsync` adds the asynchronous events, which every rule receives.
 */
export function eventNamesOf(ast: Ast, withAsync = false): string[] {
  const { events, calls } = analyse(ast, false);
  const names = new Set<string>();
  if (withAsync) names.add(EVENTS[EV.ASYNCEVENT_E]?.name ?? "asyncevent");
  for (const e of EVENTS) if (events[e.id] === 1 && !isGeneric(e.id)) names.add(e.name);
  calls.forEach((set, code) => {
    if (set !== 1) return;
    for (const id of eventsOfCall[code] as number[]) {
      names.add(isGeneric(id) ? (SYSCALL_NAMES[code] as string) : (EVENTS[id]?.name ?? ""));
    }
  });
  return [...names].sort();
}

/** `negated` carries `not` down to the leaves (De Morgan). */
function analyse(ast: Ast, negated: boolean): Sets {
  switch (ast.kind) {
    case "not":
      return analyse(ast.child, !negated);
    case "and":
    case "or": {
      const union = (ast.kind === "or") !== negated;
      return ast.children.map((c) => analyse(c, negated)).reduce((a, b) => combine(a, b, union));
    }
    case "exists":
      return negated && isNamed(ast.left, TYPE_FIELDS) ? NONE : ALL;
    case "compare":
      if (isNamed(ast.left, TYPE_FIELDS)) return ofTypes(ast, negated);
      if (isNamed(ast.left, NUM_FIELD)) return ofNumber(ast, negated);
      return ALL;
    default:
      return ALL;
  }
}

const TYPE_FIELDS = new Set(["evt.type", "syscall.type"]);
const NUM_FIELD = new Set(["evt.num"]);

function isNamed(node: LeftNode, names: ReadonlySet<string>): boolean {
  return node.kind === "field" && names.has(node.name);
}

function combine(a: Sets, b: Sets, union: boolean): Sets {
  if (a === b) return a;
  const absorbing = union ? ALL : NONE;
  const neutral = union ? NONE : ALL;
  if (a === absorbing || b === neutral) return a;
  if (b === absorbing || a === neutral) return b;
  return { events: merge(a.events, b.events, union), calls: merge(a.calls, b.calls, union) };
}

function merge(x: Uint8Array, y: Uint8Array, union: boolean): Uint8Array {
  const result = x.slice();
  for (let i = 0; i < result.length; i++) {
    const v = y[i] as number;
    if (union) result[i] = (result[i] as number) | v;
    else result[i] = (result[i] as number) & v;
  }
  return result;
}

function complement(s: Sets): Sets {
  return { events: s.events.map((v) => 1 - v), calls: s.calls.map((v) => 1 - v) };
}

/** Constants of a comparison; undefined when they are only known at run time. */
function constantTexts(node: CompareNode): readonly string[] | undefined {
  if (node.modifier !== null) return undefined;
  if (node.right.kind === "value") return [node.right.text];
  return node.right.kind === "list" ? node.right.items : undefined;
}

function ofTypes(node: CompareNode, negated: boolean): Sets {
  const names = constantTexts(node);
  const { op } = node;
  if (names === undefined || (op !== "=" && op !== "==" && op !== "!=" && op !== "in")) return ALL;
  const events = new Uint8Array(EVENT_MAX);
  const calls = new Uint8Array(SC_MAX);
  for (const name of new Set(names)) addName(name, events, calls);
  return (op === "!=") === negated ? { events, calls } : complement({ events, calls });
}

function addName(name: string, events: Uint8Array, calls: Uint8Array): void {
  const ids = eventIdsOf(name).filter((id) => !isGeneric(id));
  for (const id of ids) {
    events[id] = 1;
    for (const c of callsOfEvent.get(id) ?? []) calls[c] = 1;
  }
  const code = codeOfCall.get(name);
  if (ids.length > 0 || code === undefined) return;
  // A system call without an event of its own name comes as the generic event.
  events[EV.GENERIC_E] = 1;
  events[EV.GENERIC_X] = 1;
  if (eventsOfCall[code]?.some(isGeneric)) calls[code] = 1;
}

const LARGEST = (1n << 64n) - 1n;

/** An unsigned number as C reads it: a negative one counts from the end. */
function unsigned(text: string): bigint | undefined {
  const m = /^[\t-\r ]*([+-]?)([0-9]+)$/.exec(text);
  if (m === null) return undefined;
  const digits = (m[2] as string).replace(/^0+(?=.)/, "");
  const v = digits.length > 20 ? LARGEST + 1n : BigInt(digits);
  if (v > LARGEST) return LARGEST;
  return m[1] === "-" ? BigInt.asUintN(64, -v) : v;
}

/** Event numbers start at 1, so some comparisons are never or always true. */
function ofNumber(node: CompareNode, negated: boolean): Sets {
  const texts = constantTexts(node);
  if (texts === undefined || (node.right.kind === "list" && node.right.bare)) return ALL;
  const n = texts.map(unsigned);
  if (n.includes(undefined)) return ALL;
  const zeroes = n.every((v) => v === 0n);
  let always = false;
  let never = false;
  switch (node.op) {
    case "=":
    case "==":
    case "in":
      never = zeroes;
      break;
    case "!=":
      always = zeroes;
      break;
    case "<":
      never = (n[0] as bigint) <= 1n;
      break;
    case "<=":
      never = zeroes;
      break;
    case ">":
      always = zeroes;
      break;
    case ">=":
      always = (n[0] as bigint) <= 1n;
      break;
    default:
      return ALL;
  }
  return (negated ? always : never) ? NONE : ALL;
}
