// SPDX-License-Identifier: Apache-2.0
// Rulesets: order of matches, event types, large rulesets and conditions, and agreement with the interpreter.
import { expect, test } from "bun:test";
import { compileFilter } from "../../lib/filter/compile.ts";
import { eventTypesOf } from "../../lib/filter/event_types.ts";
import { interpretFilter } from "../../lib/filter/interpret.ts";
import { compileRuleset, interpretRuleset, type RulesetEntry } from "../../lib/filter/ruleset.ts";
import { TermPool } from "../../lib/filter/terms.ts";
import { EVENT_MAX, eventsByName } from "../../lib/schema/events.ts";
import type { Context } from "../../lib/sinsp/inspector.ts";
import { checkText } from "./evaluators.ts";
import { fakeContext, fakeFields, type Values } from "./stand_in_fields.ts";

/** Time limit of tests with large filters, ms. */
const SLOW = 120_000;

function entry(filter: string): RulesetEntry {
  const checked = checkText(filter, fakeFields);
  return { checked, types: eventTypesOf(checked.ast) };
}

function matches(entries: readonly RulesetEntry[], ctx: Context): number[] {
  const out: number[] = [];
  const set = compileRuleset(entries);
  expect(set.all(ctx, out)).toBe(out.length);
  expect(set.first(ctx)).toBe(out[0] ?? -1);
  return out;
}

test("all() gives matches in order, first() the first of them", () => {
  const entries = [
    "t.text = b and t.int = 1",
    "evt.type = open and t.text = a",
    "evt.type = close and t.text = a",
    "evt.type = open and t.int = 1",
    "t.text = a and t.int = 1",
    "evt.type exists",
  ].map(entry);
  const ctx = fakeContext({ "t.text": "a", "t.int": 1 });
  expect(matches(entries, ctx)).toEqual([1, 3, 4, 5]);
  expect(matches(entries, fakeContext({ "t.text": "a", "t.int": 1 }, "close"))).toEqual([2, 4, 5]);
  expect(matches(entries, fakeContext({}, "read"))).toEqual([5]);
});

test("all() appends and leaves what was in the list", () => {
  const set = compileRuleset(["t.int = 1", "t.int = 1"].map(entry));
  const out = [7];
  expect(set.all(fakeContext({ "t.int": 1 }), out)).toBe(2);
  expect(out).toEqual([7, 0, 1]);
});

test("candidates() leaves out what the event type decides", () => {
  const close = eventsByName("close").at(-1)?.id ?? 0;
  const set = compileRuleset(["evt.type = open and t.int = 1", "t.int = 2", "not evt.type = close"].map(entry));
  expect(set.candidates(close)).toBe(1);
  expect(set.candidates(eventsByName("open").at(-1)?.id ?? 0)).toBe(3);
});

test("a filter is only asked at the event types it is given for", () => {
  const types = new Uint8Array(EVENT_MAX);
  const { checked } = entry("t.int = 1");
  types[eventsByName("close").at(-1)?.id ?? 0] = 1;
  const entries = [{ checked, types }];
  expect(matches(entries, fakeContext({ "t.int": 1 }, "close"))).toEqual([0]);
  expect(matches(entries, fakeContext({ "t.int": 1 }, "open"))).toEqual([]);
});

test("values and results of one event are not taken for those of the next", () => {
  const filters = [
    "t.text startswith a and t.int > 1",
    "t.text startswith a and t.text endswith z",
    "t.text startswith a",
  ];
  const set = compileRuleset(filters.map(entry));
  const all = (values: Values): number[] => {
    const out: number[] = [];
    set.all(fakeContext(values), out);
    return out;
  };
  expect(all({ "t.text": "az", "t.int": 2 })).toEqual([0, 1, 2]);
  expect(all({ "t.text": "b", "t.int": 2 })).toEqual([]);
  expect(all({})).toEqual([]);
  expect(all({ "t.text": "ab", "t.int": 1 })).toEqual([2]);
});

test(
  "thousands of filters are split into functions and still answer rightly",
  () => {
    const entries: RulesetEntry[] = [];
    for (let i = 0; i < 3000; i++) {
      entries.push(
        entry(`evt.type = open and t.text startswith a${i % 7} and (t.int = ${i} or t.other in (x${i}, y${i}))`),
      );
    }
    const ctx = fakeContext({ "t.text": "a3", "t.int": 1004, "t.other": "y17" });
    const reference: number[] = [];
    interpretRuleset(entries).all(ctx, reference);
    expect(reference).toEqual([17, 1004]);
    expect(matches(entries, fakeContext({ "t.text": "a3", "t.int": 1005, "t.other": "none" }))).toEqual([]);
    expect(matches(entries, ctx)).toEqual([17, 1004]);
  },
  SLOW,
);

test(
  "chains of ten thousand comparisons compile and answer",
  () => {
    const numbers = Array.from({ length: 10_000 }, (_, i) => i);
    const table: readonly [string, Values, boolean][] = [
      [numbers.map((i) => `t.int=${i}`).join(" or "), { "t.int": 9_999 }, true],
      [numbers.map((i) => `t.int=${i}`).join(" or "), { "t.int": 10_000 }, false],
      [numbers.map((i) => `t.int!=${i}`).join(" and "), { "t.int": 10_000 }, true],
      [numbers.map((i) => `t.int!=${i}`).join(" and "), { "t.int": 5 }, false],
      [numbers.map((i) => `t.text contains x${i}`).join(" or "), { "t.text": "x9998" }, true],
      [numbers.map((i) => `t.text contains x${i}`).join(" or "), { "t.text": "y" }, false],
      [numbers.map((i) => `not t.text contains x${i}.`).join(" and "), { "t.text": "y" }, true],
      [`t.text in (${numbers.map((i) => `i${i}`).join()})`, { "t.text": "i9999" }, true],
      [`t.path pmatch (${numbers.map((i) => `/a${i}/b`).join()})`, { "t.path": "/a77/b/c" }, true],
    ];
    for (const [filter, values, expected] of table) {
      const checked = checkText(filter, fakeFields);
      const ctx = fakeContext(values);
      expect(interpretFilter(checked)(ctx)).toBe(expected);
      expect(compileFilter(checked)(ctx)).toBe(expected);
      expect(matches([{ checked, types: eventTypesOf(checked.ast) }], ctx)).toEqual(expected ? [0] : []);
    }
  },
  SLOW,
);

test(
  "filters that share thousands of conditions are not nested thousands deep",
  () => {
    const long = Array.from({ length: 3000 }, (_, i) => `not t.text contains x${i}.`).join(" and ");
    const stairs = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: i + 1 }, (_, n) => `not t.text endswith y${n}.`).join(" and "),
    );
    const entries = [`${long} and t.int = 1`, `${long} and t.int = 2`, ...stairs].map(entry);
    const ctx = fakeContext({ "t.text": "z", "t.int": 2 });
    const reference: number[] = [];
    interpretRuleset(entries).all(ctx, reference);
    expect(matches(entries, ctx)).toEqual(reference);
    expect(reference.length).toBe(301);
    expect(matches(entries, fakeContext({ "t.text": "x2999.", "t.int": 2 }))[0]).toBe(2);
  },
  SLOW,
);

test("equal conditions are one term, in any order and with repetitions", () => {
  const pool = new TermPool();
  const term = (filter: string) => pool.of(checkText(filter, fakeFields).root);
  expect(term("t.int = 1 and t.text = a")).toBe(term("t.text = a and (t.int = 1 and t.text = a)"));
  expect(term("not not t.int = 1")).toBe(term("t.int = 1"));
  expect(term("t.int = 1 or t.int = 2 or t.int = 3").kind).toBe("check");
});

test("constants never become code", () => {
  const value = `'"\`;process.exit(1)\\u2028*/`;
  const quoted = `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const checked = checkText(`t.text = ${quoted} or t.text contains ${quoted} or t.text glob ${quoted}`, fakeFields);
  expect(compileFilter(checked)(fakeContext({ "t.text": value }))).toBe(true);
  expect(compileFilter(checked)(fakeContext({ "t.text": "x" }))).toBe(false);
});

/** Small deterministic generator of random numbers. */
function random(seed: number): (n: number) => number {
  let s = seed;
  return (n) => {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((s / 0x80000000) * n);
  };
}

const LEAVES = [
  "t.text = a",
  "t.text != a",
  "t.text = b",
  "t.text in (a, c)",
  "t.text startswith a",
  "t.text contains anyof (b, c)",
  "t.text exists",
  "t.int = 1",
  "t.int < 2",
  "t.int != 2",
  "t.int = val(t.int2)",
  "t.list in (x, y)",
  "t.list intersects (x)",
  "t.any = p",
  "t.any != p",
  "t.ends = 0.0.0.1",
  "t.ends != 0.0.0.1",
  "t.ends exists",
  "evt.type = open",
  "evt.type in (open, close)",
  "evt.type != close",
  "len(t.text) > 0",
  "t.text regex 'a|b'",
  "t.text glob 'a*'",
] as const;

function randomFilter(pick: (n: number) => number, depth: number): string {
  if (depth === 0 || pick(4) === 0) return LEAVES[pick(LEAVES.length)] as string;
  if (pick(4) === 0) return `not (${randomFilter(pick, depth - 1)})`;
  const word = pick(2) === 0 ? " and " : " or ";
  const parts = Array.from({ length: 2 + pick(3) }, () => randomFilter(pick, depth - 1));
  return `(${parts.join(word)})`;
}

function randomContext(pick: (n: number) => number): Context {
  const values: Record<string, Values[string]> = {};
  if (pick(3) > 0) values["t.text"] = ["", "a", "b", "c", "abc"][pick(5)];
  if (pick(3) > 0) values["t.int"] = pick(3);
  if (pick(3) > 0) values["t.int2"] = pick(3);
  if (pick(3) > 0) values["t.list"] = [[], ["x"], ["x", "z"], ["y", "x"]][pick(4)];
  if (pick(3) > 0) values["t.any"] = [[], ["p"], ["q", "p"]][pick(3)];
  if (pick(3) > 0) values["t.ends"] = [[], [1], [2], [1, 2]][pick(4)];
  return fakeContext(values, ["open", "close", "read", "syscall"][pick(4)]);
}

test(
  "compiled filters and rulesets agree with the interpreter on random filters and events",
  () => {
    const pick = random(42);
    for (let round = 0; round < 20; round++) {
      const filters = Array.from({ length: 40 }, () => randomFilter(pick, 4));
      const entries = filters.map(entry);
      const compiled = compileRuleset(entries);
      const single = entries.map((e) => compileFilter(e.checked));
      const reference = entries.map((e) => interpretFilter(e.checked));
      for (let n = 0; n < 60; n++) {
        const ctx = randomContext(pick);
        const expected = reference.flatMap((f, i) => (f(ctx) ? [i] : []));
        expect(single.flatMap((f, i) => (f(ctx) ? [i] : []))).toEqual(expected);
        const out: number[] = [];
        compiled.all(ctx, out);
        // The event types told from the tree must not take a match away.
        expect(out).toEqual(expected);
        expect(compiled.first(ctx)).toBe(expected[0] ?? -1);
      }
    }
  },
  SLOW,
);
