// SPDX-License-Identifier: Apache-2.0
// append_output, static_fields and -p: which rules they concern, what they add, and their mistakes.
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../lib/config/config.ts";
import { AppendOutput } from "../../lib/engine/append_output.ts";
import { compileFormat } from "../../lib/format/formatter.ts";
import { loadRules, ruleFields } from "../../lib/rules/loader.ts";
import { toBytes } from "../../lib/scap/bytes.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { emptyState, MemorySource, processEntry } from "../support/events.ts";

const RULE = { name: "A rule", source: "syscall", tags: ["net", "x"] };

function append(entries: unknown[], more: string[] = [], print?: string): AppendOutput {
  const options = [...entries.map((e) => `append_output[]=${JSON.stringify(e)}`), ...more];
  return new AppendOutput(loadConfig({ options, env: {} }), print);
}

/** An event of a process called cat. */
function context(): Inspector {
  const state = emptyState({ processes: [processEntry({ tid: 100, comm: "cat" })] });
  const inspector = new Inspector(new MemorySource([{ state, events: [{ type: "GETCWD_X", params: [0], cpu: 3 }] }]));
  inspector.next();
  return inspector;
}

describe("AppendOutput", () => {
  test("adds text to the rules that match", () => {
    const a = append([
      { extra_output: "cpu=%evt.cpu" },
      { match: { tags: ["net", "x"] }, extra_output: "two" },
      { match: { tags: ["net", "y"] }, extra_output: "three" },
      { match: { rule: "A rule", source: "syscall" }, extra_output: "four" },
      { match: { rule: "Another" }, extra_output: "five" },
      { match: { source: "k8s_audit" }, extra_output: "six" },
    ]);
    expect(a.errors).toEqual([]);
    expect(a.text(RULE)).toBe(" cpu=%evt.cpu two four");
  });

  test("adds fields: as they are, as text, and fixed ones", () => {
    const entry = { extra_fields: ["evt.cpu", { who: "<%proc.name>" }, "proc.aname[5]", "static.stage"] };
    const fields = append([entry], ["static_fields.stage=test"]).fields(RULE);
    const ctx = context();
    expect(fields.map((f) => [f.name, f.json(ctx)])).toEqual([
      ["evt.cpu", "3"],
      ["who", '"<cat>"'],
      ["proc.aname[5]", "null"],
      ["static.stage", '"test"'],
    ]);
  });

  test("adds the suggested fields", () => {
    const suggested = ruleFields.classes.flatMap((c) => c.fields.filter((f) => f.flags.suggested === true));
    const text = suggested.map((f) => ` ${f.name.replaceAll(".", "_")}=%${f.name}`).join("");
    expect(append([{ suggested_output: true }]).text(RULE)).toBe(text);
  });

  test("fixed values are suggested, and fields of conditions and outputs", () => {
    const a = append([{ suggested_output: true }], ["static_fields.stage=täst"]);
    expect(a.text(RULE)).toEndWith(" static_stage=%static.stage");
    const rules = "- {rule: R, desc: d, condition: evt.type=getcwd and static.stage=täst, output: o, priority: INFO}\n";
    const loaded = loadRules([{ name: "r", content: rules }], { sources: new Map([["syscall", a.registry]]) });
    expect(loaded.successful).toBe(true);
    expect(loadRules([{ name: "r", content: rules }]).successful).toBe(false);
    const format = compileFormat("%static.stage", { registry: a.registry });
    expect(format.json(context())).toBe(toBytes('{"static.stage":"täst"}'));
    expect(append([], ["static_fields.a-b=x"]).errors[0]).toContain("'static.a-b' cannot be the name of a field");
  });

  test("takes presets and formats of -p", () => {
    expect(append([], [], "c").text(RULE)).toBe(" container=%container.name (id=%container.id)");
    expect(append([], [], "by %proc.name").text(RULE)).toBe(" by %proc.name");
  });

  test("tells every mistake with its place", () => {
    const a = append([{ extra_output: "%nosuch.field" }, { extra_fields: ["proc.nam", { x: "%" }] }], [], "%evt.");
    expect(a.errors).toHaveLength(4);
    expect(a.errors[0]).toContain("append_output[0].extra_output: format:");
    expect(a.errors[1]).toContain("append_output[1].extra_fields: ");
    expect(a.errors[1]).toContain("proc.name");
    expect(a.errors[3]).toStartWith("-p: ");
  });
});
