// SPDX-License-Identifier: Apache-2.0
// The oracle rules: description and validation result as the reference printed them.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { describeAll, type ExtraOutput } from "../../lib/rules/describe.ts";
import { loadRules } from "../../lib/rules/loader.ts";
import { reportJson } from "../../lib/rules/report.ts";
import { sharedPath, sharedTest } from "../support/shared.ts";

const name = "rules_oracle.yaml";
const golden = (file: string): string => readFileSync(sharedPath("golden", file), "utf8");

/** Lists whose order means nothing are sorted. */
const SETS = new Set([
  "condition_fields",
  "condition_operators",
  "events",
  "exception_fields",
  "exception_names",
  "exception_operators",
  "lists",
  "macros",
]);

function normal(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const list = value.map((v) => normal(v));
    return SETS.has(key) && list.every((v) => typeof v === "string") ? [...new Set(list as string[])].sort() : list;
  }
  // The reference loses quotes that a condition needs to be parsed again; ours are there.
  if (key === "condition_compiled") return (value as string).replaceAll('"', "");
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, normal(v, k)]));
}

/** What the oracle's configuration appends. */
function extra(tags: readonly string[]): ExtraOutput | undefined {
  if (!tags.includes("appended")) return undefined;
  return { text: " cpu=%evt.cpu", formatted: { my_uid: "%user.uid" }, fields: ["%proc.sid", "%user.uid"] };
}

sharedTest("describes the oracle rules as the reference does", () => {
  const loaded = loadRules([{ name, content: golden(name) }]);
  const description = normal(describeAll(loaded, (rule) => extra(rule.definition.tags)));
  expect(description).toEqual(normal(JSON.parse(golden("rules_describe.json"))) as object);
});

interface Issue {
  code: string;
  deprecated_field?: string;
  context: { locations: { item_name: string; item_type: string; position: object }[] };
}

sharedTest("validates the oracle rules as the reference does", () => {
  const [result] = reportJson(loadRules([{ name, content: golden(name) }]).files).falco_load_results;
  const [wanted] = (JSON.parse(golden("rules_validate.json")) as { falco_load_results: Record<string, unknown>[] })
    .falco_load_results;
  const places = (issues: unknown) =>
    (issues as Issue[]).map(({ code, deprecated_field, context }) => ({
      code,
      deprecated_field,
      places: context.locations,
    }));
  expect(places(result?.["warnings"])).toEqual(places(wanted?.["warnings"]));
  for (const key of ["errors", "name", "schema_valid", "schema_warnings", "successful"]) {
    expect(result?.[key] as unknown).toEqual(wanted?.[key] as unknown);
  }
});
