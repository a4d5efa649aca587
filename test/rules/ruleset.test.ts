// SPDX-License-Identifier: Apache-2.0
// Rulesets: which rules run, which of them match, in which order, on which events.
import { describe, expect, test } from "bun:test";
import { loadRules } from "../../lib/rules/loader.ts";
import { compileRuleset, type RulesetOptions } from "../../lib/rules/ruleset.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EV } from "../../lib/schema/tables/enums.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { type EventSpec, emptyState, MemorySource, processEntry } from "../support/events.ts";

function rule(name: string, condition: string, more = "priority: INFO"): string {
  return `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: "x %proc.name %fd.num"\n  ${more}\n`;
}

const RULES = [
  rule("any", "proc.name = sh", "priority: DEBUG\n  tags: [slow]"),
  rule("open1", "evt.type = openat", "priority: WARNING\n  tags: [b, a, b]"),
  rule("off", "evt.type = openat", "priority: ERROR\n  enabled: false\n  tags: [net]"),
  rule("open2", "evt.type in (open, openat) and proc.name = sh", "priority: NOTICE\n  tags: [net]"),
  rule("entering", 'evt.type = openat and evt.dir = ">"', "priority: INFO"),
  rule("other", "evt.type = openat", "source: elsewhere\n  priority: INFO"),
].join("");

const open: EventSpec = {
  type: "OPENAT_2_X",
  params: { fd: 3, dirfd: -100, name: "/a", flags: 1, mode: 0, dev: 0, ino: 0 },
};
const enter: EventSpec = {
  type: "OPENAT_2_E",
  params: { dirfd: -100, name: "/a", flags: 1, mode: 0 },
  legacyEnter: true,
};
const close: EventSpec = { type: "CLOSE_X", params: { res: 0, fd: 3 } };

function matched(options: RulesetOptions, ...events: EventSpec[]): string[][] {
  const loaded = loadRules([{ name: "r", content: RULES }]);
  expect(loaded.successful).toBe(true);
  return ([true, false] as const)
    .map((interpret) => {
      const ruleset = compileRuleset(loaded, { ...options, interpret });
      const state = emptyState({ processes: [processEntry({ tid: 100, comm: "sh" })] });
      const inspector = new Inspector(new MemorySource([{ state, events }]));
      const result: string[][] = [];
      while (inspector.next() === NEXT.EVENT) {
        const n = ruleset.match(inspector);
        result.push(ruleset.hits.slice(0, n).map((hit) => hit.name));
      }
      return result;
    })
    .reduce((a, b) => {
      expect(a).toEqual(b);
      return b;
    });
}

describe("Ruleset.match()", () => {
  test("all: every match, in file order, rules without event type among the others", () => {
    expect(matched({ matching: "all" }, open, close, open)).toEqual([
      ["any", "open1", "open2"],
      ["any"],
      ["any", "open1", "open2"],
    ]);
  });
  test("first: the first in file order", () => {
    expect(matched({ matching: "first" }, open)).toEqual([["any"]]);
    expect(matched({ matching: "first", minPriority: 5 }, open)).toEqual([["open1"]]);
  });
  test("enter events of old captures are only for rules that name the direction", () => {
    expect(matched({ matching: "all" }, enter, open)).toEqual([["entering"], ["any", "open1", "open2"]]);
  });
  test("selections apply in order, by name with wildcards and by tag", () => {
    const selection = [
      { enable: false, rule: "*" },
      { enable: true, rule: "open*" },
      { enable: false, tag: "a" },
      { enable: true, tag: "net" },
    ];
    expect(matched({ matching: "all", selection }, open)).toEqual([["off", "open2"]]);
    expect(matched({ matching: "all", selection: [{ enable: false, rule: "o.en*" }] }, open)).toEqual([
      ["any", "open1", "open2"],
    ]);
  });
});

describe("compileRuleset()", () => {
  const loaded = loadRules([{ name: "r", content: RULES }]);
  test("describes the rules that run", () => {
    const { rules } = compileRuleset(loaded, { minPriority: 4 });
    expect(rules).toHaveLength(1);
    expect(rules[0]).toMatchObject({
      index: 0,
      name: "open1",
      priority: 4,
      source: "syscall",
      tags: ["a", "b"],
      capture: false,
    });
  });
  test("knows which events are wanted", () => {
    const { eventTypes } = compileRuleset(loaded, { selection: [{ enable: false, rule: "any" }] });
    expect([
      eventTypes[EV.OPENAT_2_X],
      eventTypes[EV.OPEN_X],
      eventTypes[EV.ASYNCEVENT_E],
      eventTypes[EV.CLOSE_X],
    ]).toEqual([1, 1, 1, 0]);
  });
  test("appends to outputs", () => {
    const { rules } = compileRuleset(loaded, { appendOutput: ({ name }) => (name === "any" ? " cpu=%evt.cpu" : "") });
    expect(rules.map((r) => r.output.names)).toEqual([
      ["proc.name", "fd.num", "evt.cpu"],
      ["proc.name", "fd.num"],
      ["proc.name", "fd.num"],
      ["proc.name", "fd.num"],
    ]);
    expect(() => compileRuleset(loaded, { appendOutput: () => " %nope" })).toThrow("'nope' is no field");
  });
});

describe("loading", () => {
  test("5000 rules, and a list that stands in for 10000 items", () => {
    const many = Array.from({ length: 5000 }, (_, i) => rule(`r${i}`, `evt.type = open and proc.pid = ${i}`)).join("");
    expect(loadRules([{ name: "many", content: many }]).compiled.rules).toHaveLength(5000);
    const items = Array.from({ length: 10000 }, (_, i) => `i${i}`).join(", ");
    const content = `- list: l\n  items: [${items}]\n${rule("a", "evt.type = open and proc.name in (l)")}`;
    expect(loadRules([{ name: "list", content }]).successful).toBe(true);
  });
  test("lists do not reach into quoted text", () => {
    const content = `- list: sh\n  items: [bash, zsh]\n${rule("a", `'evt.type = execve and proc.cmdline contains "run sh now" and proc.name in (sh)'`)}`;
    const { compiled, successful } = loadRules([{ name: "l", content }]);
    expect(successful).toBe(true);
    expect(JSON.stringify(compiled.rules[0]?.ast)).toContain("run sh now");
  });
});
