// SPDX-License-Identifier: Apache-2.0
// The table of keys as a JSON schema, for editors and other tools that check rule files.
import { EXCEPTION_KEYS, ITEMS, type KeySpec, PLUGIN_KEYS, type ValueType } from "./keys.ts";
import { OVERRIDABLE, PRIORITIES } from "./schema.ts";

type Schema = Record<string, unknown>;

/** A mapping with no keys but these. */
function mapping(properties: Record<string, Schema>, required: readonly string[] = []): Schema {
  return { type: "object", additionalProperties: false, properties, ...(required.length > 0 ? { required } : {}) };
}

function fromKeys(keys: Iterable<string>, schema: (key: string) => Schema): Record<string, Schema> {
  return Object.fromEntries([...keys].map((key) => [key, schema(key)]));
}

const TEXT: Schema = { type: "string" };
const VERSIONS = ["name", "version"];

function plugin(keys: readonly string[]): Schema {
  const alternatives = () => ({ type: "array", items: plugin(VERSIONS) });
  return mapping(
    fromKeys(keys, (key) => (key === "alternatives" ? alternatives() : TEXT)),
    VERSIONS,
  );
}

const VALUES: Readonly<Record<ValueType, () => Schema>> = {
  string: () => TEXT,
  version: () => ({ type: ["string", "integer"] }),
  bool: () => ({ type: "boolean" }),
  uint32: () => ({ type: "integer", minimum: 0, maximum: 0xffffffff }),
  strings: () => ({ type: "array", items: { type: ["string", "number", "boolean"] } }),
  priority: () => ({ enum: [...PRIORITIES] }),
  plugins: () => ({ type: "array", items: plugin(PLUGIN_KEYS) }),
  exceptions: () => ({
    type: "array",
    items: mapping(
      fromKeys(EXCEPTION_KEYS, (key) => (key === "name" ? TEXT : {})),
      ["name"],
    ),
  }),
  overrides: () => ({
    ...mapping(fromKeys(OVERRIDABLE, () => ({ enum: ["append", "replace"] }))),
    minProperties: 1,
  }),
};

/** The schema: a list of items, each of which may have the keys of any kind of item. */
export function ruleSchema(): Schema {
  const properties: Record<string, Schema> = {};
  for (const { keys } of Object.values(ITEMS)) {
    for (const [key, spec] of Object.entries<KeySpec>(keys)) properties[key] = VALUES[spec.type]();
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Falco rules",
    type: "array",
    items: mapping(properties),
  };
}
