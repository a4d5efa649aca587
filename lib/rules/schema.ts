// SPDX-License-Identifier: Apache-2.0
// Compares a rule file with the table of keys: a formal check that never changes whether the file loads.
import { EXCEPTION_KEYS, ITEMS, type KeySpec, PLUGIN_KEYS } from "./keys.ts";
import { mapGet, type YamlMap, type YamlNode } from "./yaml.ts";

/** Spellings of priorities in the schema, which is narrower than the reader. */
export const PRIORITIES: ReadonlySet<string> = new Set([
  "EMERGENCY",
  "ALERT",
  "CRITICAL",
  "ERROR",
  "WARNING",
  "NOTICE",
  "INFO",
  "INFORMATIONAL",
  "DEBUG",
]);

/** Keys of all kinds of item together: the schema knows one kind only. */
const KEYS: ReadonlyMap<string, KeySpec> = new Map(
  Object.values(ITEMS).flatMap((item) => Object.entries<KeySpec>(item.keys)),
);
/** Keys that can be overridden. */
export const OVERRIDABLE: ReadonlySet<string> = new Set(
  [...KEYS].filter(([, spec]) => spec.overrides).map(([key]) => key),
);

const MAX_INTEGER = 2n ** 63n;

function isInteger(text: string): boolean {
  return /^\s*[+-]?\d{1,30}$/.test(text) && BigInt(text.trim().replace("+", "")) < MAX_INTEGER;
}

/** What is wrong with a document, as `path: message`; empty when it fits. */
export function checkSchema(document: YamlNode): string[] {
  const problems: string[] = [];
  if (document.kind !== "seq") return ["/: must be a list of items"];
  document.items.forEach((item, i) => {
    checkItem(item, `/${i}`, problems);
  });
  return problems;
}

/** Reports keys that are not allowed or come twice; false when the node is no mapping. */
function checkMap(
  node: YamlNode,
  path: string,
  allowed: { has(key: string): boolean },
  problems: string[],
): node is YamlMap {
  if (node.kind !== "map") {
    problems.push(`${path}: must be a mapping`);
    return false;
  }
  const seen = new Set<string>();
  for (const [keyNode] of node.entries) {
    const key = keyNode.kind === "scalar" ? keyNode.value : "";
    if (seen.has(key)) problems.push(`${path}: the key '${key}' comes twice`);
    else if (!allowed.has(key)) problems.push(`${path}: the key '${key}' is not allowed`);
    seen.add(key);
  }
  return true;
}

function checkItem(item: YamlNode, path: string, problems: string[]): void {
  if (!checkMap(item, path, KEYS, problems)) return;
  for (const [keyNode, value] of item.entries) {
    const key = keyNode.kind === "scalar" ? keyNode.value : "";
    const spec = KEYS.get(key);
    if (spec) checkValue(value, spec, `${path}/${key}`, problems);
  }
}

function checkValue(value: YamlNode, { type }: KeySpec, path: string, problems: string[]): void {
  const text = value.kind === "scalar" && !value.isNull ? value.value : undefined;
  switch (type) {
    case "bool":
      if (text !== "true" && text !== "false") problems.push(`${path}: must be true or false`);
      break;
    case "uint32":
      if (text === undefined || !isInteger(text)) problems.push(`${path}: must be an integer`);
      break;
    case "priority":
      if (text === undefined || !PRIORITIES.has(text)) {
        problems.push(`${path}: must be one of ${[...PRIORITIES].join(", ")}`);
      }
      break;
    case "strings":
      if (value.kind !== "seq") problems.push(`${path}: must be a list`);
      break;
    case "exceptions":
      checkEach(value, path, problems, (node, at) => {
        if (checkMap(node, at, new Set<string>(EXCEPTION_KEYS), problems)) requireKeys(node, ["name"], at, problems);
      });
      break;
    case "plugins":
      checkEach(value, path, problems, (node, at) => checkPlugin(node, at, PLUGIN_KEYS, problems));
      break;
    case "overrides":
      checkOverrides(value, path, problems);
      break;
  }
}

function checkEach(
  value: YamlNode,
  path: string,
  problems: string[],
  check: (node: YamlNode, path: string) => void,
): void {
  if (value.kind !== "seq") {
    problems.push(`${path}: must be a list`);
    return;
  }
  value.items.forEach((item, i) => {
    check(item, `${path}/${i}`);
  });
}

function requireKeys(node: YamlMap, keys: readonly string[], path: string, problems: string[]): void {
  for (const key of keys) if (!mapGet(node, key)) problems.push(`${path}: the key '${key}' is missing`);
}

function checkPlugin(node: YamlNode, path: string, keys: readonly string[], problems: string[]): void {
  if (!checkMap(node, path, new Set(keys), problems)) return;
  requireKeys(node, ["name", "version"], path, problems);
  const alternatives = mapGet(node, "alternatives");
  if (!alternatives) return;
  checkEach(alternatives, `${path}/alternatives`, problems, (alternative, at) => {
    checkPlugin(alternative, at, ["name", "version"], problems);
  });
}

function checkOverrides(value: YamlNode, path: string, problems: string[]): void {
  if (!checkMap(value, path, OVERRIDABLE, problems)) return;
  if (value.entries.length === 0) problems.push(`${path}: must not be empty`);
  for (const [key, operation] of value.entries) {
    const text = operation.kind === "scalar" ? operation.value : "";
    if (text !== "append" && text !== "replace") {
      problems.push(`${path}/${key.kind === "scalar" ? key.value : ""}: must be append or replace`);
    }
  }
}
