// SPDX-License-Identifier: Apache-2.0
// Rule files that were made to hurt: they end in an error, not in a crash, a hang or all of the memory.
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRuleFiles } from "../../lib/engine/rule_files.ts";
import { describeAll } from "../../lib/rules/describe.ts";
import { loadRules } from "../../lib/rules/loader.ts";
import { reportText } from "../../lib/rules/report.ts";
import { compileRuleset } from "../../lib/rules/ruleset.ts";

const rule = (condition: string, more = ""): string =>
  `- rule: R\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: INFO\n${more}`;

function load(content: string | Uint8Array) {
  return loadRules([{ name: "f", content }]);
}

function count(n: number, make: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => make(i)).join("");
}

describe("hostile rule files", () => {
  test("macros that double", () => {
    const doubling = count(60, (i) => `- macro: m${i + 1}\n  condition: m${i} or m${i}\n`);
    const { files } = load(`- macro: m0\n  condition: proc.pid = 1\n${doubling}${rule("evt.type = open and m60")}`);
    expect(files[0]?.errors[0]?.message).toContain("parts with its macros; at most 200000 are possible");
    expect(files[0]?.moreErrors).toEqual([]);
  });

  test("macros in macros, as deep as is allowed and deeper", () => {
    const chain = (n: number) =>
      `- macro: m0\n  condition: proc.pid = 1\n${count(n, (i) => `- macro: m${i + 1}\n  condition: proc.pid = ${i} or not m${i}\n`)}${rule(`evt.type = open and m${n}`)}`;
    const deep = load(chain(900));
    expect(deep.successful).toBe(true);
    expect(describeAll(deep).rules).toHaveLength(1);
    expect(compileRuleset(deep).rules).toHaveLength(1);
    expect(load(chain(5000)).files[0]?.errors[0]?.message).toContain("levels deep with its macros");
  }, 60_000);

  test("exceptions that contain themselves, or aliases of aliases", () => {
    const self = rule(
      "evt.type = open",
      "  exceptions:\n    - name: e\n      fields: [proc.name]\n      values: &a [*a]\n",
    );
    expect(load(self).successful).toBe(false);
    const row = (name: string, of: string) =>
      `    - name: ${name}\n      fields: [proc.name]\n      values: &${name} [${Array(3000).fill(of).join(", ")}]\n`;
    const bomb = rule("evt.type = open", `  exceptions:\n${row("a", "x")}${row("b", "*a")}${row("c", "*b")}`);
    expect(reportText(load(bomb).files)).toContain("at most 1000000 values");
  });

  test("lists of lists of many items", () => {
    const items = count(5000, (i) => `i${i},`);
    const outer = count(5000, () => "a,");
    const { files } = load(
      `- list: a\n  items: [${items}]\n- list: b\n  items: [${outer}]\n${rule("evt.type = open and proc.name in (b)")}`,
    );
    expect(files[0]?.errors[0]?.message).toContain("comes to 25000000 items");
    const uses = count(5000, () => "a,");
    const long = load(`- list: a\n  items: [${items}]\n${rule(`evt.type = open and proc.name in (${uses} x)`)}`);
    expect(long.files[0]?.errors[0]?.message).toContain("longer than 16777216 bytes");
  });

  test("a list's name very often in one condition", () => {
    const uses = count(100_000, () => "l,");
    expect(load(`- list: l\n  items: [a]\n${rule(`evt.type = open and proc.name in (${uses}x)`)}`).successful).toBe(
      true,
    );
    const empty = count(100_000, () => "l,");
    expect(load(`- list: l\n  items: []\n${rule(`evt.type = open and proc.name in (${empty}x)`)}`).successful).toBe(
      true,
    );
  });

  test("random bytes and damaged rules", () => {
    let seed = 1;
    const random = (n: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed % n;
    };
    const sound = Buffer.from(
      `- list: l\n  items: [a, "b c"]\n- macro: m\n  condition: proc.name in (l)\n${rule("evt.type = open and m", "  tags: [t]\n  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      comps: [=, in]\n      values: [[a, [b, c]]]\n")}- rule: R\n  enabled: false\n  override: {enabled: replace}\n`,
    );
    for (let round = 0; round < 1500; round++) {
      const bytes = round % 3 === 0 ? Buffer.alloc(40) : Buffer.from(sound);
      const damage = round % 3 === 0 ? bytes.length : 1 + random(4);
      for (let i = 0; i < damage; i++) bytes[random(bytes.length)] = random(256);
      const result = load(bytes);
      expect(typeof reportText(result.files, { warnings: true })).toBe("string");
    }
  });

  /** First error of a file, or "" when there is none. */
  const first = (text: string): string => load(text).files[0]?.errors[0]?.message ?? "";
  const MADE: readonly (readonly [string, () => string, RegExp])[] = [
    [
      "a condition of 1 MB on one line",
      () => rule(`evt.type = open and (${count(60_000, (i) => `proc.name = ${i} or `)}proc.pid = 1)`),
      /^$/,
    ],
    [
      "a word of 1 MB",
      () => rule(`evt.type = open and ${"a".repeat(1_000_000)} x`),
      /^expected 'and', 'or' or the end/,
    ],
    [
      "a list of 100,000 items",
      () =>
        `- list: l\n  items:\n${count(100_000, (i) => `    - i${i}\n`)}${rule("evt.type = open and proc.name in (l)")}`,
      /^$/,
    ],
    ["brackets without end", () => "[".repeat(100_000), /maxDepth/],
    ["dashes without end", () => "- ".repeat(100_000), /maxDepth/],
    ["colons without end", () => ": ".repeat(100_000), /maxDepth/],
    ["blocks in blocks", () => count(3000, (i) => `${"  ".repeat(i)}-\n`), /maxDepth/],
    [
      "aliases of aliases",
      () => `- &a0 [x, x]\n${count(60, (i) => `- &a${i + 1} [*a${i}, *a${i}]\n`)}- list: l\n  items: *a60\n`,
      /^An item must be a mapping/,
    ],
    ["200,000 documents", () => "---\n".repeat(200_000), /^$/],
    ["a quote that never closes", () => `- a: "${"x\n".repeat(200_000)}`, /^Not valid YAML/],
    [
      "brackets that close at the left after 200,000 lines",
      () => `- list: l\n  items: [\n${"a,\n".repeat(200_000)}]\n`,
      /^$/,
    ],
    [
      "an output of 100,000 fields",
      () => rule("evt.type = open").replace("output: o", `output: "${"%proc.name ".repeat(100_000)}"`),
      /^$/,
    ],
    [
      "a transformer 50,000 deep",
      () => rule("evt.type = open").replace("output: o", `output: "%${"tolower(".repeat(50_000)}"`),
      /transformers inside each other/,
    ],
    [
      "100,000 times the same key",
      () => `- rule: R\n${"  desc: d\n".repeat(100_000)}`,
      /^The key 'condition' is missing/,
    ],
    ["NUL bytes", () => "\0".repeat(1_000_000), /null byte/],
  ];
  for (const [name, make, message] of MADE) test(name, () => expect(first(make())).toMatch(message));

  test("thousands of mistakes and warnings are counted, not all kept and shown", () => {
    const { files } = load("- x\n".repeat(10_000));
    expect([files[0]?.moreErrors.length, files[0]?.dropped]).toEqual([1000, 8999]);
    const text = reportText(files);
    expect(text).toContain("(901 more are not shown)\n(8999 more errors and warnings are not kept)");
    expect(text.length).toBeLessThan(50_000);
    const same = "    - {name: e, fields: [proc.name], values: [[x]]}\n".repeat(500);
    const warned = load(rule("evt.type = open", `  exceptions:\n${same}`)).files[0];
    expect([warned?.warnings.length, warned?.dropped]).toEqual([100_000, 24_750]);
  });

  test("a directory with pipes, directories and loops of links", () => {
    const dir = mkdtempSync(join(tmpdir(), "falco-rules-"));
    try {
      expect(Bun.spawnSync(["mkfifo", join(dir, "pipe.yaml")]).exitCode).toBe(0);
      mkdirSync(join(dir, "directory.yaml"));
      symlinkSync(".", join(dir, "self"));
      writeFileSync(join(dir, "rules.yaml"), rule("evt.type = open"));
      const sources = readRuleFiles([dir]);
      expect(sources.map(({ name }) => name)).toEqual([join(dir, "rules.yaml")]);
      expect(loadRules(sources).successful).toBe(true);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
