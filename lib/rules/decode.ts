// SPDX-License-Identifier: Apache-2.0
// Single values of rule files: what must be there, what must be a scalar, numbers.
import { type ErrorCode, type Place, RuleError } from "./messages.ts";
import { mapGet, type YamlMap, type YamlNode } from "./yaml.ts";

/** Ends the reading of an item. */
export function fail(code: ErrorCode, message: string, place: Place): never {
  throw new RuleError(code, message, place);
}

/** What a value is, for messages. */
export function kindOf(node: YamlNode): string {
  if (node.kind === "seq") return "a list";
  if (node.kind === "map") return "a mapping";
  return node.isNull ? "nothing" : "a scalar";
}

/** A value that must be there and not be null. */
export function requireValue(map: YamlMap, key: string, item: Place): YamlNode {
  const node = mapGet(map, key);
  if (!node) fail("LOAD_ERR_YAML_VALIDATE", `The key '${key}' is missing`, item);
  if (node.kind === "scalar" && node.isNull) {
    fail("LOAD_ERR_YAML_VALIDATE", `The key '${key}' is empty; it needs a value`, item);
  }
  return node;
}

/** Text of a scalar that is neither null nor empty. `place` is that of the value. */
export function scalarText(node: YamlNode, place: Place): string {
  if (node.kind !== "scalar" || node.isNull) {
    fail("LOAD_ERR_YAML_VALIDATE", `The value must be a scalar, found ${kindOf(node)}`, place);
  }
  if (node.value === "") fail("LOAD_ERR_YAML_VALIDATE", "The value must not be empty", place);
  return node.value;
}

/** An unsigned number of at most 32 bits, decimal, hexadecimal (0x) or octal (0); blanks may follow. */
export function parseUint32(text: string): number | undefined {
  const digits = /^\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)[\t-\r ]*$/.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return value <= 0xffffffff ? value : undefined;
}
