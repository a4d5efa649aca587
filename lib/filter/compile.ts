// SPDX-License-Identifier: Apache-2.0
// Compiles one filter: what the event type decides is a table, the rest is a generated function per group of types.
import { isThreadOnly } from "../fields/thread_only.ts";
import { EVENT_MAX } from "../schema/events.ts";
import type { Context, ThreadCondition, ThreadContext } from "../sinsp/inspector.ts";
import type { CheckedFilter } from "./checker.ts";
import { CodeWriter } from "./codegen.ts";
import { FALSE, readsOnly, type Term, TermPool, TRUE } from "./terms.ts";

type Test = (ctx: Context) => boolean;

const UNKNOWN = 0;
const NEVER = 1;
const ALWAYS = 2;
const DEPENDS = 3;

/** A function that evaluates the filter on the event of a context. Types are prepared when first seen. */
export function compileFilter(filter: CheckedFilter): Test {
  const pool = new TermPool();
  const root = pool.of(filter.root);
  const decided = new Uint8Array(EVENT_MAX);
  const tests: Test[] = new Array<Test>(EVENT_MAX).fill(() => false);
  const compiled = new Map<Term, Test>();

  const prepare = (type: number): number => {
    const rest = pool.folder(type)(root);
    if (rest === TRUE || rest === FALSE) return rest === TRUE ? ALWAYS : NEVER;
    let test = compiled.get(rest);
    if (test === undefined) {
      test = compileTerm(rest);
      compiled.set(rest, test);
    }
    tests[type] = test;
    return DEPENDS;
  };

  return (ctx) => {
    const { type } = ctx.ev;
    let d = decided[type] as number;
    if (d === UNKNOWN) {
      d = prepare(type);
      decided[type] = d;
    }
    return d === DEPENDS ? (tests[type] as Test)(ctx) : d === ALWAYS;
  };
}

/** Finds the condition on threads alone that the filter comes to for most event types; null when there is none. */
export function threadPart(filter: CheckedFilter): ThreadCondition | null {
  const pool = new TermPool();
  const root = pool.of(filter.root);
  const typesOf = new Map<Term, number[]>();
  for (let type = 0; type < EVENT_MAX; type++) {
    const rest = pool.folder(type)(root);
    const types = typesOf.get(rest);
    if (types === undefined) typesOf.set(rest, [type]);
    else types.push(type);
  }
  let best: Term | null = null;
  for (const [term, types] of typesOf) {
    const more = best === null || types.length > (typesOf.get(best) as number[]).length;
    if (more && term !== TRUE && term !== FALSE && readsOnly(term, isThreadOnly)) best = term;
  }
  if (best === null) return null;
  const mask = new Uint8Array(EVENT_MAX);
  for (const type of typesOf.get(best) as number[]) mask[type] = 1;
  // It reads nothing else.
  return { types: mask, matches: compileTerm(best) as (ctx: ThreadContext) => boolean };
}

/** A function for a condition. */
export function compileTerm(term: Term): Test {
  const writer = new CodeWriter();
  writer.count(term);
  return writer.build(`return ${writer.condition(term)};`) as unknown as Test;
}
