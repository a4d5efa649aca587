// SPDX-License-Identifier: Apache-2.0
// What filters and rulesets cost per event: `bun test/bench/filter.ts [CAPTURE [RULES [ROUNDS]]]`. User CPU of walking the
// capture with each filter, the best of several rounds taken in turn, and what it adds to walking alone.
import { existsSync, readFileSync } from "node:fs";
import { builtinFields } from "../../lib/fields/registry.ts";
import { checkFilter } from "../../lib/filter/checker.ts";
import { compileFilter } from "../../lib/filter/compile.ts";
import { interpretFilter } from "../../lib/filter/interpret.ts";
import { parseFilter } from "../../lib/filter/parser.ts";
import { compileRuleset, interpretRuleset, type Ruleset } from "../../lib/filter/ruleset.ts";
import { loadRules } from "../../lib/rules/loader.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { type Context, Inspector } from "../../lib/sinsp/inspector.ts";
import { sharedPath } from "../support/shared.ts";

type Test = (ctx: Context) => boolean;

interface Result {
  events: number;
  hits: number;
  /** User CPU time, ns per event. */
  cost: number;
}

/** A walk of its own for each test, so that the call of the test stays monomorphic. */
function walker(test: Test): (path: string) => Promise<Result> {
  const make = new Function("test", "EVENT", "SECTION", "count", WALK) as (
    test: Test,
    event: number,
    section: number,
  ) => (inspector: Inspector) => Promise<[events: number, hits: number]>;
  const walk = make(test, NEXT.EVENT, NEXT.SECTION);
  return async (path) => {
    const inspector = new Inspector(await openCapture(path));
    const before = process.cpuUsage();
    const [events, hits] = await walk(inspector);
    return { events, hits, cost: (process.cpuUsage(before).user * 1000) / events };
  };
}

const WALK = `
return async function (inspector) {
  let events = 0, hits = 0;
  do {
    for (;;) {
      const code = inspector.next();
      if (code === SECTION) continue;
      if (code !== EVENT) break;
      events++;
      if (test(inspector)) hits++;
    }
  } while (await inspector.more());
  return [events, hits];
};`;

function rulesetTest(set: Ruleset): Test {
  return (ctx) => set.first(ctx) >= 0;
}

async function main(): Promise<void> {
  const [capture = sharedPath("golden/mixed.scap.gz"), rules = sharedPath("golden/rules_oracle.yaml"), rounds = "6"] =
    process.argv.slice(2);
  if (!existsSync(capture) || !existsSync(rules)) throw new Error(`no capture '${capture}' or no rules '${rules}'`);
  const { compiled } = loadRules([{ name: rules, content: readFileSync(rules, "utf8") }]);
  const entries = [...compiled.rules.values()].map(({ checked, types }) => ({ checked, types }));
  const checked = (filter: string) => checkFilter(parseFilter(filter), builtinFields);
  const tests: Record<string, Test> = { none: () => false };
  for (const filter of ["evt.type=execve", "proc.name=zzz", "fd.name contains passwd", "proc.aname=init"]) {
    tests[filter] = compileFilter(checked(filter));
  }
  tests["proc.name=zzz, interpreted"] = interpretFilter(checked("proc.name=zzz"));
  tests[`${entries.length} rules`] = rulesetTest(compileRuleset(entries));
  tests[`${entries.length} rules, interpreted`] = rulesetTest(interpretRuleset(entries));

  const walks = Object.entries(tests).map(([name, test]) => ({ name, walk: walker(test), best: Infinity, hits: 0 }));
  for (let round = 0; round < Number(rounds); round++) {
    for (const w of walks) {
      const { cost, hits } = await w.walk(capture);
      w.best = Math.min(w.best, cost);
      w.hits = hits;
    }
  }
  const alone = walks[0]?.best ?? 0;
  for (const { name, best, hits } of walks) {
    const added = (best - alone).toFixed(0).padStart(6);
    console.log(
      `${name.padEnd(28)} ${best.toFixed(0).padStart(6)} ns/event ${added} added ${String(hits).padStart(8)} hits`,
    );
  }
}

await main();
