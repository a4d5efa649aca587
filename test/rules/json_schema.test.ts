// SPDX-License-Identifier: Apache-2.0
// The JSON schema of rule files: it names every key of every kind of item, and nothing else.
import { expect, test } from "bun:test";
import { ruleSchema } from "../../lib/rules/json_schema.ts";
import { ITEMS } from "../../lib/rules/keys.ts";

interface Mapping {
  additionalProperties: boolean;
  properties: Record<string, Record<string, unknown>>;
  required?: string[];
}

test("the schema has the keys of all items", () => {
  const item = ruleSchema()["items"] as Mapping;
  const keys = new Set(Object.values(ITEMS).flatMap(({ keys: k }) => Object.keys(k)));
  expect(Object.keys(item.properties).sort()).toEqual([...keys].sort());
  expect(item.additionalProperties).toBe(false);
});

test("the schema knows what values may be", () => {
  const { properties: p } = ruleSchema()["items"] as Mapping;
  expect(p["priority"]?.["enum"]).toContain("WARNING");
  expect(p["capture_duration"]).toEqual({ type: "integer", minimum: 0, maximum: 4294967295 });
  const exception = p["exceptions"]?.["items"] as Mapping;
  expect([Object.keys(exception.properties), exception.required]).toEqual([
    ["name", "fields", "comps", "values"],
    ["name"],
  ]);
  const plugin = p["required_plugin_versions"]?.["items"] as Mapping;
  const alternative = plugin.properties["alternatives"]?.["items"] as Mapping;
  expect([Object.keys(plugin.properties), Object.keys(alternative.properties)]).toEqual([
    ["name", "version", "alternatives"],
    ["name", "version"],
  ]);
  const override = p["override"] as unknown as Mapping;
  expect(override.properties["skip-if-unknown-filter"]).toEqual({ enum: ["append", "replace"] });
  expect(override.properties["source"]).toBeUndefined();
});
