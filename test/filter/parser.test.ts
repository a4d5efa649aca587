// SPDX-License-Identifier: Apache-2.0
// Parsing of filters: trees, places of errors, limits, printing and what a tree mentions.
import { describe, expect, test } from "bun:test";
import { type Ast, filterFacts, replaceIdentifiers } from "../../lib/filter/ast.ts";
import { describeFilterError, FilterError } from "../../lib/filter/errors.ts";
import { isOperator, parseFilter, parseFilterBytes, RULES_MAX_DEPTH } from "../../lib/filter/parser.ts";
import { printFilter } from "../../lib/filter/print.ts";
import { toBytes } from "../../lib/scap/bytes.ts";

function errorOf(filter: string): FilterError {
  try {
    parseFilter(filter);
  } catch (e) {
    if (e instanceof FilterError) return e;
    throw e;
  }
  throw new Error(`'${filter}' parses`);
}

test("parseFilter() tells line, column and what it found", () => {
  const table: readonly [string, number, number, RegExp][] = [
    ["", 1, 1, /empty/],
    ["proc.name", 1, 10, /expected an operator .*found the end/],
    ["proc.name = a b", 1, 15, /expected 'and', 'or' or the end, found 'b'/],
    ["proc.name = a and\n  (proc.pid = 1", 2, 16, /expected '\)'/],
    ["proc.name in (a b)", 1, 17, /expected '\)'/],
    ['proc.name = "a\\q"', 1, 18, /no escape '\\q'/],
    ["proc.pid > x", 1, 12, /expected a number/],
    ["proc.name = val(1)", 1, 17, /expected a field/],
    ["é = 1", 1, 1, /byte 0xc3/],
    ["proc.name = é and x y", 1, 22, /found 'y'/],
  ];
  for (const [filter, line, col, message] of table) {
    const e = errorOf(filter);
    expect([filter, e.stage, e.line, e.col]).toEqual([filter, "parse", line, col]);
    expect(e.message).toMatch(message);
  }
});

test("describeFilterError() puts the caret under the place, also behind text of several bytes", () => {
  const filter = "proc.name = é and\nproc.pid ~ 1";
  const lines = describeFilterError(toBytes(filter), errorOf(filter)).split("\n");
  expect(lines[0]).toStartWith("filter:2:10: expected an operator");
  expect(lines[1]).toBe("  proc.pid ~ 1");
  expect(lines[2]).toBe("           ^");
  const wide = `proc.name = "ééé" x`;
  const [, line, caret] = describeFilterError(toBytes(wide), errorOf(wide)).split("\n") as [string, string, string];
  expect(line[caret.length - 1]).toBe("x");
});

test("describeFilterError() cuts long lines around the place", () => {
  const filter = `${"proc.pid=1 or ".repeat(1000)}x y${" or proc.pid=1".repeat(1000)}`;
  const [, line, caret] = describeFilterError(filter, errorOf(filter)).split("\n") as [string, string, string];
  expect(line.length).toBeLessThan(130);
  expect(line[caret.length - 1]).toBe("y");
});

test("deep nesting ends in an error, never in a stack overflow", () => {
  for (const [open, close] of [
    ["(", ")"],
    ["not(", ")"],
    ["(proc.pid=1 or ", ")"],
    ["tolower(", ")"],
  ] as const) {
    const filter = `${open.repeat(100_000)}proc.name${close.repeat(100_000)}`;
    for (const maxDepth of [100, RULES_MAX_DEPTH]) {
      expect(() => parseFilter(filter, { maxDepth })).toThrow(/nested too deeply/);
    }
  }
});

test("long lists and chains parse", () => {
  const items = Array.from({ length: 10_000 }, (_, i) => `item${i}`);
  const list = parseFilter(`proc.name in (${items.join(", ")})`);
  expect(list.kind === "compare" && list.right.kind === "list" && list.right.items.length).toBe(10_000);
  const chain = parseFilter(items.map((i) => `proc.name = ${i}`).join(" or "));
  expect(chain.kind === "or" && chain.children.length).toBe(10_000);
});

test("a modifier's word is a plain value when no list follows", () => {
  expect(printFilter(parseFilter("proc.name = oneof and proc.pid = 1"))).toBe("(proc.name = oneof and proc.pid = 1)");
  expect(printFilter(parseFilter("(proc.name = oneof )"))).toBe("proc.name = oneof");
  expect(printFilter(parseFilter("proc.name = oneof list1"))).toBe("proc.name = oneof list1");
});

test("behind 'and(' and 'or(' the parenthesis alone is the operand", () => {
  expect(printFilter(parseFilter("a.b=1 and(a.b=2) or a.b=3"))).toBe("((a.b = 1 and a.b = 2) or a.b = 3)");
  expect(place("a.b=1 or(a.b=2) and a.b=3")).toEqual([1, 17]);
});

/** Where a filter is refused; undefined when it is not. */
function place(filter: string, maxDepth?: number): [number, number] | undefined {
  try {
    parseFilter(filter, maxDepth === undefined ? {} : { maxDepth });
    return undefined;
  } catch (e) {
    if (!(e instanceof FilterError)) throw e;
    return [e.line, e.col];
  }
}

describe("refused at", () => {
  const table: readonly (readonly [string, number])[] = [
    ["proc.name = oneof not x", 19],
    ["proc.name = oneof and_list", 22],
    ["proc.name = oneof 5", 19],
    ["proc.name = a\0b\0'x", 17],
    ["proc.name = 'a\0b'", 13],
    ['join(",", ("a", ("b"))) = x', 17],
    ["tolower(proc.name,) = a", 19],
    ["proc.name = val(proc.exe)x", 26],
    ["not\bproc.name = a", 5],
    ["proc.name in (a,)", 17],
    ['proc.name in ("\\x", a)', 19],
  ];
  for (const [filter, col] of table) {
    test(JSON.stringify(filter), () => expect(place(filter)).toEqual([1, col]));
  }
});

describe("deepest nesting", () => {
  const nested = (n: number, open: string, inner: string) => `${open.repeat(n)}${inner}${")".repeat(n)}`;
  const table: readonly (readonly [string, string, number])[] = [
    ["(", "a.b = 1", 18],
    ["(", "a.b exists", 18],
    ["(", "m", 19],
    ["(", "a.b in (1)", 18],
    ["not(", "a.b = 1", 23],
    ["not(", "m", 23],
    ["(not(", "a.b > 1", 10],
    ["m or(", "m", 47],
    ["m and(", "m", 31],
  ];
  for (const [open, inner, most] of table) {
    test(`${open}${inner}`, () => {
      const close = (n: number) => nested(n, open, inner) + ")".repeat(open === "(not(" ? n : 0);
      expect(place(close(most))).toBeUndefined();
      expect(place(close(most + 1))).toBeDefined();
    });
  }
});

test("a first item with a wrong escape makes a list empty", () => {
  expect(printFilter(parseFilter('proc.name in ("\\xzz")'))).toBe("proc.name in ()");
});

test("printFilter() gives text that parses to the same tree", () => {
  const strip = (ast: Ast): unknown => JSON.parse(JSON.stringify(ast, (key, v) => (key === "pos" ? undefined : v)));
  for (const filter of [
    `proc.name = "a,b" and proc.name in ("", "(x)", 'it''s')`.replace("it''s", "its"),
    `proc.name = "tab\\there\\\\" or fd.name in ("a b", c)`,
    `join("-", (proc.name, 1, "2")) = "x y"`,
    `getopt((proc.args[0]), "c:")[c] exists`,
    `proc.env["A B"] startswith anyof (x, "y z")`,
    `not (a.b = 1 and not c.d exists)`,
    `proc.name = val(proc.pname) and proc.name in names`,
  ]) {
    const ast = parseFilter(filter);
    expect(strip(parseFilter(printFilter(ast)))).toEqual(strip(ast));
  }
});

test("bytes that are not UTF-8 are kept in quoted strings", () => {
  const ast = parseFilterBytes('proc.name="\xff\xfe"');
  expect(ast.kind === "compare" && ast.right.kind === "value" && ast.right.text).toBe("\xff\xfe");
  expect(() => parseFilterBytes("proc.name=\xff")).toThrow(FilterError);
});

test("replaceIdentifiers() puts macros in place and shares what it does not change", () => {
  const macro = parseFilter("fd.name = x");
  const ast = parseFilter("(m or proc.pid = 1) and not m and n");
  const replaced = replaceIdentifiers(ast, (name) => (name === "m" ? macro : null));
  expect(printFilter(replaced)).toBe("((fd.name = x or proc.pid = 1) and not fd.name = x and n)");
  const untouched = parseFilter("proc.pid = 1 and fd.num = 2");
  expect(replaceIdentifiers(untouched, () => macro)).toBe(untouched);
});

test("filterFacts() lists fields, operators, transformers and macros once", () => {
  const facts = filterFacts(
    parseFilter("m and proc.aname[2] = a and tolower(fd.name) startswith oneof (b) and fd.name = val(proc.exe) and m"),
  );
  expect(facts).toEqual({
    fields: ["proc.aname[2]", "fd.name", "proc.exe"],
    operators: ["=", "startswith oneof"],
    transformers: ["tolower"],
    identifiers: ["m"],
  });
});

test("isOperator() knows operators with and without modifiers", () => {
  const yes = ["=", "in", "startswith", "exists", "= oneof", "contains anyof", "regex allof"];
  const no = ["", "foo", "in oneof", "exists anyof", "= all", "startswith  oneof", "< oneof"];
  expect(yes.filter((o) => !isOperator(o))).toEqual([]);
  expect(no.filter(isOperator)).toEqual([]);
});
