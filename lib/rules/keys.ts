// SPDX-License-Identifier: Apache-2.0
// The rule file format as a table: every kind of item with its keys. Reader, unknown-key warnings and schema check use it.

/** What a value must be. "string" takes any scalar that is not null and not empty. */
export type ValueType =
  | "string"
  | "bool"
  | "uint32"
  | "strings"
  | "priority"
  | "exceptions"
  | "overrides"
  | "version"
  | "plugins";

export interface KeySpec {
  type: ValueType;
  /** Must be there in a complete definition. */
  required?: boolean;
  /** Operations allowed under `override`. */
  overrides?: readonly ("append" | "replace")[];
}

export interface ItemSpec {
  keys: Readonly<Record<string, KeySpec>>;
}

const BOTH = ["append", "replace"] as const;
const REPLACE = ["replace"] as const;

/** Kinds of item, by the key that makes an item one. An item that has several of these keys is of the first kind here. */
export const ITEMS = {
  required_engine_version: {
    keys: { required_engine_version: { type: "version" } },
  },
  required_plugin_versions: {
    keys: { required_plugin_versions: { type: "plugins" } },
  },
  list: {
    keys: {
      list: { type: "string", required: true },
      items: { type: "strings", required: true, overrides: BOTH },
      append: { type: "bool" },
      override: { type: "overrides" },
    },
  },
  macro: {
    keys: {
      macro: { type: "string", required: true },
      condition: { type: "string", required: true, overrides: BOTH },
      append: { type: "bool" },
      override: { type: "overrides" },
    },
  },
  rule: {
    keys: {
      rule: { type: "string", required: true },
      condition: { type: "string", required: true, overrides: BOTH },
      output: { type: "string", required: true, overrides: BOTH },
      desc: { type: "string", required: true, overrides: BOTH },
      priority: { type: "priority", required: true, overrides: REPLACE },
      source: { type: "string" },
      enabled: { type: "bool", overrides: REPLACE },
      capture: { type: "bool", overrides: REPLACE },
      capture_duration: { type: "uint32", overrides: REPLACE },
      warn_evttypes: { type: "bool", overrides: REPLACE },
      "skip-if-unknown-filter": { type: "bool", overrides: REPLACE },
      tags: { type: "strings", overrides: BOTH },
      exceptions: { type: "exceptions", overrides: BOTH },
      append: { type: "bool" },
      override: { type: "overrides" },
    },
  },
} as const satisfies Record<string, ItemSpec>;

export type ItemKind = keyof typeof ITEMS;

export const ITEM_KINDS = Object.keys(ITEMS) as readonly ItemKind[];

/** Keys of a rule exception. */
export const EXCEPTION_KEYS = ["name", "fields", "comps", "values"] as const;

/** Keys of an entry of required_plugin_versions and of its alternatives. */
export const PLUGIN_KEYS = ["name", "version", "alternatives"] as const;

/** Spellings of a boolean. */
export const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  [
    ["true", "yes", "on", "y"],
    ["false", "no", "off", "n"],
  ].flatMap((words, i) =>
    words.flatMap((word): [string, boolean][] =>
      [word, word.toUpperCase(), word[0]?.toUpperCase() + word.slice(1)].map((form) => [form, i === 0]),
    ),
  ),
);
