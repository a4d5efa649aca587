// SPDX-License-Identifier: Apache-2.0
// Comparisons as functions of the extracted value, specialised by operator; costly ones remember their results.
import type { Scalar, Value } from "../fields/field.ts";
import { remembered } from "../scap/memo.ts";
import type { Check } from "./checker.ts";
import { compareValue, foldCase } from "./compare.ts";
import { decideCandidates, decideValue } from "./interpret.ts";
import { scalarsOf } from "./terms.ts";

type TextTest = (text: string) => boolean;

/** `test` with a memory; texts that do not begin with `prefix` fail it without being looked up. */
function remember(test: TextTest, prefix = ""): TextTest {
  const known = remembered(test);
  return prefix === "" ? known : (text) => text.startsWith(prefix) && known(text);
}

/** Test of one value against the constants of a check; `undefined` is never given. */
export function valueTest(check: Check): (value: Scalar) => boolean {
  const texts = textTest(check);
  if (texts === undefined) return (v) => compareValue(v, check);
  return (v) => typeof v === "string" && texts(v);
}

/** Test for checks whose constants are texts or patterns; undefined for others. */
function textTest(check: Check): TextTest | undefined {
  const { op, modifier, constants } = check;
  const matchers: TextTest[] = [];
  for (const c of constants) {
    if (c.kind !== "match") continue;
    if (constants.length === 1 && modifier === null) return remember(c.match, c.prefix);
    matchers.push(c.match);
  }
  if (matchers.length > 0 && modifier !== null) return remember(counted(matchers, modifier));
  const values = scalarsOf(check);
  if (values === undefined || values.length === 0) return undefined;
  const tests: TextTest[] = [];
  for (const v of values) {
    const test = typeof v === "string" ? partTest(op, v) : undefined;
    if (test === undefined) return undefined;
    tests.push(test);
  }
  if (modifier === null) return tests.length === 1 ? tests[0] : undefined;
  const all = counted(tests, modifier);
  return tests.length > 4 ? remember(all) : all;
}

function partTest(op: Check["op"], part: string): TextTest | undefined {
  switch (op) {
    case "contains":
    case "bcontains":
      return (s) => s.includes(part);
    case "icontains": {
      const folded = foldCase(part);
      return (s) => foldCase(s).includes(folded);
    }
    case "startswith":
    case "bstartswith":
      return (s) => s.startsWith(part);
    case "endswith":
      return (s) => s.endsWith(part);
    default:
      return undefined;
  }
}

function counted(tests: readonly TextTest[], modifier: "oneof" | "anyof" | "allof"): TextTest {
  switch (modifier) {
    case "anyof":
      return (s) => tests.some((t) => t(s));
    case "allof":
      return (s) => tests.every((t) => t(s));
    case "oneof":
      return (s) => {
        let hits = 0;
        for (const t of tests) if (t(s) && ++hits > 1) return false;
        return hits === 1;
      };
  }
}

/** Test of a field with several candidates. */
export function candidatesTest(check: Check): (candidates: readonly Scalar[]) => boolean {
  const values = check.modifier === null ? scalarsOf(check) : undefined;
  if (values !== undefined && (check.op === "=" || check.op === "in" || check.op === "intersects")) {
    const set = new Set(values);
    return (candidates) => {
      for (const v of candidates) if (set.has(v)) return true;
      return false;
    };
  }
  if (check.left.multi === "ends" && check.op === "!=") return (candidates) => decideCandidates(check, candidates);
  const test = valueTest(check);
  return (candidates) => {
    for (const v of candidates) if (test(v)) return true;
    return false;
  };
}

/** Test of a list. */
export function listTest(check: Check): (value: Value) => boolean {
  const values = check.modifier === null ? scalarsOf(check) : undefined;
  if (values === undefined || (check.op !== "in" && check.op !== "intersects")) return (v) => decideValue(check, v);
  const set = new Set(values);
  const every = check.op === "in";
  return (value) => {
    if (typeof value !== "object") return set.has(value);
    if (value.length === 0) return false;
    for (const v of value) if (set.has(v) !== every) return !every;
    return every;
  };
}
