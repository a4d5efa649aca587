// SPDX-License-Identifier: Apache-2.0
// Every judged filter of the reference data: verdict, place, event types, warnings and printed form.
import { expect } from "bun:test";
import { builtinFields } from "../../lib/fields/registry.ts";
import { checkFilter } from "../../lib/filter/checker.ts";
import { FilterError } from "../../lib/filter/errors.ts";
import { eventNamesOf, eventTypesOf } from "../../lib/filter/event_types.ts";
import { parseFilterBytes, RULES_MAX_DEPTH } from "../../lib/filter/parser.ts";
import { printFilter, printFilterBriefly, printFilterBytes } from "../../lib/filter/print.ts";
import { toText } from "../../lib/scap/bytes.ts";
import { EVENT_MAX } from "../../lib/schema/events.ts";
import { sharedTest } from "../support/shared.ts";
import { containerPluginFields } from "./plugin_fields.ts";
import { loadVerdicts, type Verdict, verdictBytes } from "./verdicts.ts";

/** Beginnings of the oddities that are done differently; see QUIRKS.md. */
const DIFFERENT = [
  "hexadecimal numbers",
  "decimal point and exponent",
  "an escaped backslash",
  "IPv6 prefix length 0",
  "IPv6 text with",
  "port above 65535",
  "empty port",
];
/** Number of event names, when all can match. */
const ALL_NAMES = 465;

function isDifferent(v: Verdict): boolean {
  return DIFFERENT.some((d) => v.quirk?.startsWith(d) === true);
}

type Outcome = { valid: true } | { valid: false; stage: string; line: number; col: number };

function outcomeOf(run: () => void): Outcome {
  try {
    run();
    return { valid: true };
  } catch (e) {
    if (!(e instanceof FilterError)) throw e;
    return { valid: false, stage: e.stage, line: e.line, col: e.col };
  }
}

function describeVerdict(v: Verdict, what: string, got: unknown, want: unknown): string {
  const text = toText(verdictBytes(v)).slice(0, 100);
  return `${v.id} ${text}: ${what} is ${JSON.stringify(got)}, wanted ${JSON.stringify(want)}`;
}

sharedTest("every filter is judged as the reference judges it", () => {
  const plugin = builtinFields.with(containerPluginFields());
  const wrong: string[] = [];
  const verdicts = loadVerdicts();
  for (const v of verdicts) {
    if (isDifferent(v)) continue;
    const bytes = verdictBytes(v);
    const fields = v.needs === "container-plugin" ? plugin : builtinFields;
    const same = (what: string, got: unknown, want: unknown): void => {
      if (!Bun.deepEquals(got, want)) wrong.push(describeVerdict(v, what, got, want));
    };

    const want: Outcome = v.valid
      ? { valid: true }
      : { valid: false, stage: v.stage ?? "", line: v.line ?? 0, col: v.col ?? 0 };
    same(
      "verdict",
      outcomeOf(() => checkFilter(parseFilterBytes(bytes), fields)),
      want,
    );
    if (v.valid_at_1000 !== undefined) {
      const deep: Outcome = v.valid_at_1000
        ? { valid: true }
        : { valid: false, stage: "parse", line: v.line_at_1000 ?? 0, col: v.col_at_1000 ?? 0 };
      same(
        "verdict with 1000 levels",
        outcomeOf(() => parseFilterBytes(bytes, { maxDepth: RULES_MAX_DEPTH })),
        deep,
      );
    }
    if (!v.valid) continue;
    const ast = parseFilterBytes(bytes);
    if (typeof v.evtcodes === "number" || v.evtcodes === "all") {
      const codes = eventTypesOf(ast).reduce((sum, set) => sum + set, 0);
      same("number of event ids", codes, v.evtcodes === "all" ? EVENT_MAX : v.evtcodes);
      const names = eventNamesOf(ast);
      same("number of event names", names.length, v.evttypes === "all" ? ALL_NAMES : v.evttypes);
      if (v.events !== undefined) same("event names", names, [...v.events].sort());
    }
    const warnings = checkFilter(ast, fields).warnings.map(({ line, col }) => ({ line, col }));
    same("warnings", warnings, v.warnings ?? []);
  }
  expect(wrong).toEqual([]);
  expect(verdicts.length).toBeGreaterThan(3000);
});

sharedTest("a printed filter is what the reference prints, and parses to the same filter", () => {
  const wrong: string[] = [];
  for (const v of loadVerdicts()) {
    if (v.stage === "parse" || isDifferent(v)) continue;
    const ast = parseFilterBytes(verdictBytes(v));
    const printed = printFilterBytes(ast);
    if (v.canon !== undefined && v.canon_lossy !== true && printFilter(ast) !== v.canon) {
      wrong.push(describeVerdict(v, "printed form", printFilter(ast), v.canon));
    }
    const again = printFilterBytes(parseFilterBytes(printed, { maxDepth: RULES_MAX_DEPTH }));
    // Falco's own form; the collection shows a NUL byte as a blank.
    const brief = printFilterBriefly(ast);
    if (v.canon !== undefined && !brief.includes("\\x00") && brief !== v.canon) {
      wrong.push(describeVerdict(v, "brief form", brief, v.canon));
    }
    // Only the doubled "not" of not(not …) is taken together when it is read again.
    if (again !== printed && !printed.includes("not not")) wrong.push(describeVerdict(v, "reprint", again, printed));
  }
  expect(wrong).toEqual([]);
});

sharedTest("what is done differently is really different", () => {
  const differing = new Set<string>();
  for (const v of loadVerdicts()) {
    if (!isDifferent(v)) continue;
    const got = outcomeOf(() => checkFilter(parseFilterBytes(verdictBytes(v)), builtinFields));
    if (got.valid !== v.valid) differing.add(DIFFERENT.find((d) => v.quirk?.startsWith(d) === true) ?? "");
  }
  expect([...differing].sort()).toEqual([...DIFFERENT].sort());
});
