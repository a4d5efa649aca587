// SPDX-License-Identifier: Apache-2.0
// The YAML reader: nodes with places, and errors that say where.
import { describe, expect, test } from "bun:test";
import { mapGet, parseYaml, YamlError, type YamlMap, type YamlNode } from "../../lib/rules/yaml.ts";

function parse(content: string | Uint8Array) {
  return parseYaml({ name: "t.yaml", content });
}

function first(text: string): YamlNode {
  return parse(text).documents[0] as YamlNode;
}

/** Line and column (from 0) of the value of a key in the first item. */
function place(text: string, key: string): [number, number] {
  const file = parse(text);
  const item = (file.documents[0] as { items: YamlNode[] }).items[0] as YamlMap;
  const { line, column } = file.position((mapGet(item, key) as YamlNode).offset);
  return [line, column];
}

describe("parseYaml() places", () => {
  const cases: readonly (readonly [string, string, readonly [number, number]])[] = [
    ["plain", "- a: 1\n  b: text\n", [1, 5]],
    ["quoted", "- a: 1\n  b: 'text'\n", [1, 5]],
    ["literal block", "- a: 1\n  b: |\n    text\n", [1, 5]],
    ["folded block with comment", "- a: 1 # x > y\n  b: >-2 # c | d\n      text\n", [1, 5]],
    ["list", "- a: 1\n  b: [x]\n", [1, 5]],
    ["tag", "- a: 1\n  b: !!str 5\n", [1, 5]],
    ["anchor", "- a: 1\n  b: &x 5\n", [1, 5]],
    ["missing value: the next token", "- a: 1\n  b:\n  c: 2\n", [2, 2]],
    ["columns count bytes", "- ä: 1\n  b: 2\n", [1, 5]],
    ["behind wide characters", "- {ä: 1, b: 2}\n", [0, 13]],
    ["CRLF", "- a: 1\r\n  b: 2\r\n", [1, 5]],
  ];
  for (const [name, text, wanted] of cases) {
    test(name, () => expect(place(text, "b")).toEqual([...wanted]));
  }
});

describe("parseYaml() values", () => {
  test("keeps every scalar as text and knows what is null", () => {
    const node = first("[1.50, yes, ~, null, '', \"~\", !!str ]") as { items: { value: string; isNull: boolean }[] };
    expect(node.items.map((i) => [i.value, i.isNull])).toEqual([
      ["1.50", false],
      ["yes", false],
      ["~", true],
      ["null", true],
      ["", false],
      ["~", false],
      ["", false],
    ]);
  });
  test("the first of several equal keys counts", () => {
    expect(mapGet(first("{a: 1, a: 2}") as YamlMap, "a")).toMatchObject({ value: "1" });
  });
  test("an alias is its anchor's node", () => {
    const node = first("[&x [a], *x]") as { items: YamlNode[] };
    expect(node.items[1]).toBe(node.items[0] as YamlNode);
  });
  test("reads all documents", () => {
    expect(parse("---\n---\na\n---\n- b\n").documents.map((d) => d.kind)).toEqual(["scalar", "scalar", "seq"]);
  });
  test("understands byte order marks", () => {
    for (const encoding of ["utf16le", "utf8"] as const) {
      const text = "\ufeff- é";
      expect(parse(Buffer.from(text, encoding)).documents).toHaveLength(1);
      expect(parse(Buffer.from(text, encoding)).text).toBe("- é");
    }
    expect(parse(Buffer.from("\ufeff- a", "utf16le").swap16()).text).toBe("- a");
  });
});

describe("parseYaml() errors", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["- a: b: c", "t.yaml:1:7: bad indentation of a mapping entry"],
    ["- a: [1\n", "t.yaml:2:1: deficient indentation"],
    ["- a\n- *x\n", 't.yaml:2:3: alias "*x" has no anchor before it'],
    ["- a\rb", "t.yaml:1:4: a carriage return that is not followed by a line feed"],
    [`${"[".repeat(200)}`, "t.yaml:1:100: nesting exceeded maxDepth (100)"],
  ];
  for (const [text, message] of cases) {
    test(JSON.stringify(text.slice(0, 20)), () => {
      expect(() => parse(text)).toThrow(YamlError);
      expect(() => parse(text)).toThrow(message);
    });
  }
});

describe("YAML that is common although it is not quite right", () => {
  /** Values without their places. */
  function values(node: YamlNode): unknown {
    if (node.kind === "seq") return node.items.map(values);
    if (node.kind === "map") return Object.fromEntries(node.entries.map(([k, v]) => [values(k) as string, values(v)]));
    return node.isNull ? null : node.value;
  }
  const all = (text: string) => parse(text).documents.map(values);

  test("brackets that close further left than they opened", () => {
    const text = "- items: [\n  a, # [\n b's,\n  'c\n  d',\n]\n  b: |\n   [\n- {\n  k: v }\n";
    expect(all(text)).toEqual([[{ items: ["a", "b's", "c d"], b: "[\n" }, { k: "v" }]]);
    expect(place(text, "b")).toEqual([6, 5]);
    expect(place(text, "items")).toEqual([0, 9]);
  });

  test("quotes whose lines stand too far left", () => {
    const text = '- a: "x\ny\n\n  z"\n  b: c\n';
    expect(all(text)).toEqual([[{ a: "x y\nz", b: "c" }]]);
    expect(place(text, "b")).toEqual([4, 5]);
  });

  test("an escaped apostrophe in double quotes", () => {
    const text = "- a: \"it\\'s\"\n  b: 'x'\n";
    expect(all(text)).toEqual([[{ a: "it's", b: "x" }]]);
    expect(place(text, "b")).toEqual([1, 5]);
  });

  test("a document that begins further left than the one before", () => {
    const text = "  - a: b\n    c: [\n  d]\n- e: f\n";
    expect(all(text)).toEqual([[{ a: "b", c: ["d"] }], [{ e: "f" }]]);
    const second = parse(text).documents[1] as YamlNode;
    expect(parse(text).position(second.offset)).toEqual({ line: 3, column: 0, offset: 23 });
  });

  test("what is wrong elsewhere is still told at its place", () => {
    for (const [text, line] of [
      ["- a: [\n]\n- b: c: d\n", 2],
      ["- a: [\n- b\n", 1],
      ["- a: b\n c: d\n", 1],
      [" - a\n\t- b\n", 1],
    ] as const) {
      let error: unknown;
      try {
        parse(text);
      } catch (e) {
        error = e;
      }
      expect(error).toBeInstanceOf(YamlError);
      const { file, at } = error as YamlError;
      expect([text, file.position(at).line]).toEqual([text, line]);
    }
  });

  test("many documents without separators end in an error", () => {
    const text = `${Array.from({ length: 40 }, (_, i) => `${" ".repeat(40 - i)}- a\n`).join("")}`;
    expect(() => parse(text)).toThrow("too many documents");
  });

  test("a text that would grow without end is not mended", () => {
    expect(() => parse(`${" ".repeat(5000)}- [\n${"a,\n".repeat(5000)}]`)).toThrow(YamlError);
  });
});
