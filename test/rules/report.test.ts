// SPDX-License-Identifier: Apache-2.0
// Reports: every mistake of every file, with place and offending lines, as text and as JSON.
import { describe, expect, test } from "bun:test";
import { loadRules } from "../../lib/rules/loader.ts";
import { reportJson, reportText } from "../../lib/rules/report.ts";

const RULE = "  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n";

function load(...contents: string[]) {
  return loadRules(contents.map((content, i) => ({ name: `${i + 1}.yaml`, content })));
}

describe("reportText()", () => {
  test("a sound file is one line", () => {
    expect(reportText(load(`- rule: A\n${RULE}`).files)).toBe("1.yaml: Ok");
  });

  test("shows line, column, names and a caret", () => {
    const { files } = load(
      "- rule: A\n  desc: d\n  condition: evt.type = open and proc.nam = x\n  output: o\n  priority: INFO\n",
    );
    expect(reportText(files)).toBe(
      [
        "1.yaml: Invalid",
        "1 Error:",
        "In rule 'A', rule condition, condition expression: (1.yaml:3:34)",
        "------",
        "evt.type = open and proc.nam = x",
        "                    ^",
        "------",
        "LOAD_ERR_COMPILE_CONDITION (Error compiling condition): no field named 'proc.nam'; did you mean 'proc.name'?",
      ].join("\n"),
    );
  });

  test("shows the mistakes of all items and all files", () => {
    const { files } = load(
      `- rule: A\n  desc: d\n- rule: B\n${RULE}  foo: 1\n- list: l\n  items: x\n- rule: C\n  desc: d\n  condition: (\n  output: "%nope"\n  priority: INFO\n`,
      "- [",
      `- rule: D\n${RULE}  enabled: 5\n`,
    );
    expect(files.map((f) => [f.errors.length, f.moreErrors.length])).toEqual([
      [1, 3],
      [1, 0],
      [1, 2],
    ]);
    const text = reportText(files);
    expect(text).toContain("4 Errors:");
    expect(text).toContain("(1.yaml:10:10)");
    expect(text).toContain("(2.yaml:");
    expect(text).toContain("(3.yaml:6:12)");
    // The error of C holds for the third file too, but is said once.
    expect(text.match(/'nope' is no field/g)).toHaveLength(1);
    expect(text).toContain("(2 shown above with an earlier file)");
  });

  test("does not report what follows from a mistake that is reported", () => {
    const { files } = load(
      `- macro: m\n  condition: (\n- macro: n\n  condition: m and proc.pid = 1\n- rule: A\n  desc: d\n  condition: evt.type = open and n\n  output: o\n  priority: INFO\n- rule: X\n  desc: d\n- rule: X\n  enabled: false\n`,
    );
    const all = [...(files[0]?.errors ?? []), ...(files[0]?.moreErrors ?? [])];
    expect(
      all.map((e) =>
        e.place
          .chain()
          .map((p) => p.name)
          .join("/"),
      ),
    ).toEqual(["/X", "/m//"]);
  });

  test("a long line is cut around the caret", () => {
    const { files } = load(
      `- rule: A\n  desc: d\n  condition: ${"proc.pid = 1 or ".repeat(200)}proc.x = 1\n  output: o\n  priority: INFO\n`,
    );
    const lines = reportText(files).split("\n");
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThan(200);
    const caret = lines.findIndex((l) => /^ *\^$/.test(l));
    expect((lines[caret - 1] as string).slice((lines[caret] as string).length - 1)).toStartWith("proc.x = 1");
  });

  test("a file that cannot be read", () => {
    const { files, successful } = loadRules([{ name: "gone.yaml", error: "no such file" }]);
    expect(successful).toBe(false);
    expect(reportText(files)).toContain("LOAD_ERR_FILE_READ (File read error): no such file");
  });
});

describe("reportJson()", () => {
  test("has the reference's shape", () => {
    const { files } = load(`- rule: A\n${RULE}  foo: 1\n`);
    expect(reportJson(files)).toEqual({
      falco_load_results: [
        {
          errors: [],
          name: "1.yaml",
          schema_valid: false,
          schema_warnings: ["/0: the key 'foo' is not allowed"],
          successful: true,
          warnings: [
            {
              code: "LOAD_UNKNOWN_KEY",
              codedesc: "An item has a key that it does not know. The key is ignored.",
              context: {
                locations: [
                  {
                    item_name: "",
                    item_type: "rules content",
                    position: { column: 0, line: 0, name: "1.yaml", offset: 0 },
                  },
                  { item_name: "A", item_type: "rule", position: { column: 2, line: 0, name: "1.yaml", offset: 2 } },
                ],
                snippet: "- rule: A\n  ^\n",
              },
              message: "Unknown key 'foo'; it will be ignored",
            },
          ],
        },
      ],
    });
  });

  test("keeps further errors apart from the first", () => {
    const { files } = load("- rule: A\n- rule: B\n");
    const [result] = reportJson(files).falco_load_results;
    expect(result?.["errors"]).toHaveLength(1);
    expect(result?.["more_errors"]).toHaveLength(1);
  });
});
