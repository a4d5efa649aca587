// SPDX-License-Identifier: Apache-2.0
// The ways to evaluate a filter, which all must agree: interpreter, compiled function, rulesets of both kinds.
import { type CheckedFilter, checkFilter, type FieldProvider } from "../../lib/filter/checker.ts";
import { compileFilter } from "../../lib/filter/compile.ts";
import { interpretFilter } from "../../lib/filter/interpret.ts";
import { parseFilter } from "../../lib/filter/parser.ts";
import { compileRuleset, interpretRuleset, type Ruleset } from "../../lib/filter/ruleset.ts";
import { EVENT_MAX } from "../../lib/schema/events.ts";
import type { Context } from "../../lib/sinsp/inspector.ts";

export type Evaluator = (filter: CheckedFilter) => (ctx: Context) => boolean;

function inRuleset(make: (entries: { checked: CheckedFilter; types: Uint8Array }[]) => Ruleset): Evaluator {
  return (checked) => {
    const set = make([{ checked, types: new Uint8Array(EVENT_MAX).fill(1) }]);
    return (ctx) => {
      const out: number[] = [];
      const first = set.first(ctx);
      if (set.all(ctx, out) !== out.length || (first === 0) !== (out.length === 1)) {
        throw new Error(`first says ${first}, all says ${out.join()}`);
      }
      return first === 0;
    };
  };
}

export const EVALUATORS: Readonly<Record<string, Evaluator>> = {
  interpreter: interpretFilter,
  compiler: compileFilter,
  "interpreted ruleset": inRuleset(interpretRuleset),
  "compiled ruleset": inRuleset(compileRuleset),
};

export function checkText(filter: string, provider: FieldProvider): CheckedFilter {
  return checkFilter(parseFilter(filter), provider);
}
