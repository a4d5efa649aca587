// SPDX-License-Identifier: Apache-2.0
// What rule files are read as: which mistake is told first and where, what is looked at and what is not, in which order
// warnings come.
import { describe, expect, test } from "bun:test";
import { describeAll } from "../../lib/rules/describe.ts";
import { loadRules } from "../../lib/rules/loader.ts";
import type { Issue } from "../../lib/rules/messages.ts";

const BASE = `- rule: R
  desc: d
  condition: evt.type = open and proc.name = a
  output: o
  priority: INFO
  exceptions:
    - {name: e, fields: [proc.name], values: [[x]]}
`;
const item = (text: string) => `${BASE}- rule: R\n  ${text.replaceAll("\n", "\n  ")}\n`;

function load(...contents: string[]) {
  return loadRules(contents.map((content, i) => ({ name: `${i + 1}`, content })));
}

/** `CODE line:column innermost place`. */
function short({ code, place }: Issue): string {
  const { line, column } = place.position();
  return `${code} ${line}:${column} ${place.type}${place.name === "" ? "" : `:${place.name}`}`;
}

function verdict(text: string): { error: string | undefined; warnings: string[] } {
  const { files } = load(text);
  const report = files[0];
  return { error: report?.errors.map(short)[0], warnings: (report?.warnings ?? []).map((w) => w.code) };
}

const RULE = "rule:R";
const errors: readonly (readonly [string, string, string | undefined])[] = [
  // The order in which keys are looked at.
  ["condition before output", "- rule: R\n  condition: {}\n", "LOAD_ERR_YAML_VALIDATE 1:13 value for:condition"],
  [
    "priority before enabled",
    item("condition: evt.type=open\ndesc: d\noutput: o\npriority: x\nenabled: y"),
    "LOAD_ERR_YAML_VALIDATE 11:12 rule priority",
  ],
  [
    "a source that is a mapping is first of all",
    item("append: maybe\nsource: {}"),
    "LOAD_ERR_YAML_VALIDATE 9:10 value for:source",
  ],
  ["items that are null", "- list: l\n  items:\n", "LOAD_ERR_YAML_VALIDATE 2:0 value for:items"],
  // `append: true` looks at source, condition and exceptions only.
  [
    "appending ignores other keys",
    item("append: true\npriority: x\nenabled: maybe\noutput:\ncondition: and proc.pid = 1"),
    undefined,
  ],
  ["appending needs something", item("append: true\noutput: x"), `LOAD_ERR_VALIDATE 7:2 ${RULE}`],
  [
    "appending checks the source",
    item("append: true\nsource: other\ncondition: and proc.pid = 1"),
    `LOAD_ERR_VALIDATE 7:2 ${RULE}`,
  ],
  // `override`
  [
    "a key that is not named",
    item("desc: n\noutput: n\noverride: {desc: replace}"),
    "LOAD_ERR_YAML_VALIDATE 9:10 overrides:output",
  ],
  [
    "a missing rule before a key that is not named",
    "- rule: N\n  desc: n\n  output: n\n  override: {desc: append}\n",
    "LOAD_ERR_VALIDATE 0:2 rule:N",
  ],
  [
    "a key that is named and not there",
    item("desc: n\noverride: {desc: replace, tags: append}"),
    `LOAD_ERR_YAML_VALIDATE 7:2 ${RULE}`,
  ],
  [
    "a wrong condition before a missing tag",
    item("condition: []\noverride: {tags: append, condition: append}"),
    "LOAD_ERR_YAML_VALIDATE 8:13 value for:condition",
  ],
  [
    "a key appended and replaced",
    item("desc: n\noverride: {desc: append, desc: replace}"),
    `LOAD_ERR_YAML_VALIDATE 7:2 ${RULE}`,
  ],
  [
    "another source matters for conditions",
    item("source: x\ncondition: and proc.pid=1\noverride: {condition: append}"),
    `LOAD_ERR_VALIDATE 7:2 ${RULE}`,
  ],
  ["and for nothing else", item("source: x\ntags: [t]\ndesc: n\noverride: {tags: append, desc: replace}"), undefined],
  [
    "keys that cannot be overridden are not looked at",
    item("desc: n\nappend: false\noverride: {desc: replace}"),
    undefined,
  ],
  [
    "a replaced condition is placed relative to the first",
    item("condition: nope.x = 1\noverride: {condition: replace}"),
    "LOAD_ERR_COMPILE_CONDITION 3:15 condition expression",
  ],
  // exceptions
  [
    "an empty field in a list",
    `${BASE.slice(0, -1).replace("[proc.name]", '[""]')}\n`,
    "LOAD_ERR_YAML_VALIDATE 6:25 value for",
  ],
  [
    "a new exception needs values",
    item("append: true\nexceptions: [{name: n, fields: [proc.pid]}]"),
    "LOAD_ERR_VALIDATE 9:15 exception:n",
  ],
  [
    "empty fields add nothing to an exception",
    item("append: true\nexceptions: [{name: e, fields: [], comps: '', values: [[y]]}]"),
    "LOAD_ERR_YAML_VALIDATE 9:44 value for:comps",
  ],
  [
    "empty lists add nothing to an exception",
    item("append: true\nexceptions: [{name: e, fields: [], comps: [], values: [[y]]}]"),
    undefined,
  ],
  [
    "operators may have blanks around them",
    BASE.replace("fields: [proc.name]", 'fields: [proc.name], comps: [" =\\t"]'),
    undefined,
  ],
  [
    "operators of a rule of an unknown source are checked",
    BASE.replace("fields: [proc.name]", "fields: [x.y], comps: [nope]").replace("desc: d", "desc: d\n  source: s"),
    "LOAD_ERR_VALIDATE 7:6 exception:e",
  ],
  [
    "its fields are not",
    BASE.replace("fields: [proc.name]", "fields: [x.y]").replace("desc: d", "desc: d\n  source: s"),
    undefined,
  ],
  [
    "the second field of an exception is placed exactly",
    BASE.replace("fields: [proc.name], values: [[x]]", "fields: [proc.name, proc.pid], values: [[x, y]]"),
    "LOAD_ERR_COMPILE_CONDITION 3:80 condition expression",
  ],
  // numbers and versions
  ["blanks behind a number", item("capture_duration: '5 '\noverride: {capture_duration: replace}"), undefined],
  [
    "blanks before a number",
    item("capture_duration: ' 5'\noverride: {capture_duration: replace}"),
    "LOAD_ERR_YAML_VALIDATE 8:20 value for:capture_duration",
  ],
  ["a newer patch", "- required_engine_version: 0.63.1\n", "LOAD_ERR_VALIDATE 0:2 required_engine_version"],
  // YAML
  [
    "a mapping as key of an exception",
    BASE.replace("{name: e", "{{a: b}: c, name: e"),
    "LOAD_ERR_YAML_PARSE 0:0 rules content",
  ],
  [
    "a list as key of override",
    item("desc: n\noverride: {[a]: b, desc: replace}"),
    "LOAD_ERR_YAML_PARSE 0:0 rules content",
  ],
];

describe("the first mistake", () => {
  for (const [name, text, wanted] of errors) test(name, () => expect(verdict(text).error).toBe(wanted));
});

const warned: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "unknown keys come behind the source",
    BASE.replace("desc: d", "desc: d\n  foo: 1\n  source: s"),
    ["LOAD_UNKNOWN_SOURCE", "LOAD_UNKNOWN_KEY"],
  ],
  ["and not when the item fails", item("foo: 1\nappend: true\noutput: x"), ["LOAD_DEPRECATED_ITEM"]],
  [
    "names of exceptions before their mistakes",
    BASE.replace("values: [[x]]}", "values: [[x]]}\n    - {name: e}"),
    ["LOAD_EXCEPTION_NAME_NOT_UNIQUE"],
  ],
  [
    "values that are missing, and empty ones",
    item("append: true\nexceptions: [{name: e}, {name: e, values: []}]"),
    ["LOAD_DEPRECATED_ITEM", "LOAD_APPEND_NO_VALUES", "LOAD_EXCEPTION_NAME_NOT_UNIQUE"],
  ],
  [
    "%container.info once all items are read",
    BASE.replace("output: o", "output: o %container.info") + "- foo: 1\n",
    ["LOAD_UNKNOWN_ITEM", "LOAD_DEPRECATED_ITEM"],
  ],
  ["exactly a hundred event types are not many", BASE.replace("evt.type = open", "evt.num = 0"), []],
  [
    "<NA> with !=, and in transformers",
    BASE.replace("proc.name = a", "(ka.x != <NA> or tolower(ka.x) = <NA>)").replace(
      "output: o",
      "output: o\n  skip-if-unknown-filter: true",
    ),
    ["LOAD_UNSAFE_NA_CHECK", "LOAD_UNKNOWN_FILTER"],
  ],
  ["deprecated fields on the right are not looked for", BASE.replace("proc.name = a", "proc.name = val(evt.dir)"), []],
];

describe("warnings", () => {
  for (const [name, text, wanted] of warned) test(name, () => expect(verdict(text).warnings).toEqual([...wanted]));
});

describe("skip-if-unknown-filter", () => {
  const skipped = (condition: string, output = "o") =>
    verdict(
      `- rule: R\n  desc: d\n  condition: ${condition}\n  output: "${output}"\n  priority: INFO\n  skip-if-unknown-filter: true\n`,
    );
  for (const condition of [
    "proc.aname[x] = a",
    "proc.name[1] = a",
    "tolower(no.field) = a",
    "proc.name = val(no.field)",
  ]) {
    test(condition, () =>
      expect(skipped(`evt.type = open and ${condition}`).warnings).toEqual(["LOAD_UNKNOWN_FILTER"]),
    );
  }
  for (const output of ["%evt.arg", "%no.field", "%", "% x", "%tolower(proc.pid)"]) {
    const wrong = output === "%";
    test(`output ${output}`, () =>
      expect(skipped("evt.type = open", output)).toEqual(
        wrong
          ? { error: "LOAD_ERR_COMPILE_OUTPUT 3:10 rule output", warnings: [] }
          : { error: undefined, warnings: ["LOAD_UNKNOWN_FILTER"] },
      ));
  }
});

describe("macros", () => {
  const macro = (name: string, condition: string) => `- macro: ${name}\n  condition: ${condition}\n`;
  test("a macro sees what was defined before its last change, also through macros that changed later", () => {
    const text =
      macro("a", "proc.pid=1") +
      macro("b", "proc.pid=2") +
      macro("a", "b") +
      macro("c", "proc.pid=3") +
      macro("b", "c");
    expect(verdict(text).error).toBe("LOAD_ERR_VALIDATE 5:3 condition expression");
  });
  test("a circle is told in the text of the macro that closes it", () => {
    const text =
      macro("a", "proc.pid=1") + macro("b", "proc.pid=2 or a") + macro("a", "proc.pid=3 and proc.pid=4 or b");
    expect(verdict(text).error).toBe("LOAD_ERR_VALIDATE 5:32 condition expression");
  });
});

test("a scalar stands for a list where the operator takes one", () => {
  const text = BASE.replace(
    "fields: [proc.name], values: [[x]]",
    "fields: [proc.name], comps: [in], values: [[\"a,b c, 'd,e'\"]]",
  );
  const [rule] = describeAll(load(text)).rules;
  expect(rule?.details.condition_compiled).toEndWith('not proc.name in (a, "b c", d,e))');
});

test("a message names the text that replaced a condition", () => {
  const { files } = load(BASE, "- rule: R\n  condition: nope.x = 1\n  override: {condition: replace}\n");
  expect(files[1]?.errors[0]?.message).toEndWith("(in the text that replaces it, 2:2)");
});
