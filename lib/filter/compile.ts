// SPDX-License-Identifier: Apache-2.0
// Compiles one filter: what the event type decides is a table, the rest is a generated function per group of types.
import { EVENT_MAX } from "../schema/events.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { CheckedFilter } from "./checker.ts";
import { CodeWriter } from "./codegen.ts";
import { FALSE, type Term, TermPool, TRUE } from "./terms.ts";

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

/** A function for a condition. */
export function compileTerm(term: Term): Test {
  const writer = new CodeWriter();
  writer.count(term);
  return writer.build(`return ${writer.condition(term)};`) as unknown as Test;
}
