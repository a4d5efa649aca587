// SPDX-License-Identifier: Apache-2.0
// Settings on the command line: KEY=VALUE with dots, [index], [] to append, and backslash to take a character as it is.
import { YamlError } from "../rules/yaml.ts";
import { type Environment, type MapNode, type Node, type Problem, parseValue } from "./node.ts";

/** A step into the tree: a key of a map, an entry of a list, or behind its end. */
type Step = { key: string } | { index: number } | "append";

/** Thrown for text that is not a setting; the message has no place. */
class OptionError extends Error {}

/** Largest index that may be written. */
const MAX_INDEX = 9999;

/** Splits "a.b[0].c=value" at the first "=" outside brackets that no backslash escapes. */
function parse(text: string): { steps: Step[]; value: string } {
  const steps: Step[] = [];
  let key = "";
  let keyOpen = true;
  const take = (): void => {
    if (!keyOpen) return;
    if (key === "") throw new OptionError("a key is missing");
    steps.push({ key });
    key = "";
    keyOpen = false;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === "=") {
      take();
      return { steps, value: text.slice(i + 1) };
    }
    if (c === ".") {
      take();
      keyOpen = true;
    } else if (c === "[") {
      take();
      const end = text.indexOf("]", i);
      if (end < 0) throw new OptionError("'[' without ']'");
      steps.push(bracket(text.slice(i + 1, end)));
      i = end;
    } else {
      if (!keyOpen) throw new OptionError(`'.', '[' or '=' is wanted after ']', not '${c}'`);
      if (c === "\\" && i + 1 < text.length) i++;
      key += text[i];
    }
  }
  throw new OptionError("KEY=VALUE is wanted");
}

function bracket(inside: string): Step {
  if (inside === "") return "append";
  if (!/^\d+$/.test(inside)) throw new OptionError(`a number is wanted between the brackets, not '${inside}'`);
  const index = Number(inside);
  if (index > MAX_INDEX) throw new OptionError(`the index ${inside} is too large`);
  return { index };
}

/** The node as a map, or as a list; made new when it is null or not there. */
function asMap(node: Node | undefined, place: string, path: string): MapNode {
  if (node?.kind === "map") return node;
  if (node === undefined || (node.kind === "scalar" && node.isNull)) return { kind: "map", place, entries: new Map() };
  throw new OptionError(`'${path}' is ${node.kind === "list" ? "a list" : "a single value"} and has no keys`);
}

function asList(node: Node | undefined, place: string, path: string): Extract<Node, { kind: "list" }> {
  if (node?.kind === "list") return node;
  if (node === undefined || (node.kind === "scalar" && node.isNull)) return { kind: "list", place, items: [] };
  throw new OptionError(`'${path}' is no list`);
}

/** The tree with `value` at the end of the steps. */
function put(node: Node | undefined, steps: readonly Step[], value: Node, place: string, path: string): Node {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (typeof step === "object" && "key" in step) {
    const map = asMap(node, place, path);
    const old = map.entries.get(step.key);
    const inner = put(old?.node, rest, value, place, path === "" ? step.key : `${path}.${step.key}`);
    map.entries.set(step.key, { place, node: inner });
    return map;
  }
  const list = asList(node, place, path);
  const index = step === "append" ? list.items.length : step.index;
  if (index > list.items.length) {
    throw new OptionError(`'${path}' has ${list.items.length} entries, so there is no place for [${index}]`);
  }
  list.items[index] = put(list.items[index], rest, value, place, `${path}[${index}]`);
  return list;
}

/** Applies one setting to the tree; returns what is wrong with it, or null. */
export function applyOption(root: MapNode, text: string, env: Environment): Problem | null {
  const place = `-o ${text}`;
  try {
    const { steps, value } = parse(text);
    put(root, steps, parseValue(value, place, env), place, "");
    return null;
  } catch (error) {
    if (error instanceof OptionError) return { place, text: error.message };
    if (error instanceof YamlError) return { place, text: `the value is not YAML: ${error.reason}` };
    throw error;
  }
}
