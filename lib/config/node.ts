// SPDX-License-Identifier: Apache-2.0
// Configuration as a tree that remembers where each part was written, from files and from the command line.
import { parseYaml, YamlError, type YamlFile, type YamlNode } from "../rules/yaml.ts";
import type { PlainValue } from "./key.ts";

/** Where something was written, ready to print: "falco.yaml:3:1" or "-o json_output=yes". */
export type Place = string;

export interface ScalarNode {
  kind: "scalar";
  place: Place;
  value: string;
  isNull: boolean;
}
export interface ListNode {
  kind: "list";
  place: Place;
  items: Node[];
}
export interface MapNode {
  kind: "map";
  place: Place;
  /** Values by key, with the key's own place. */
  entries: Map<string, { place: Place; node: Node }>;
}
export type Node = ScalarNode | ListNode | MapNode;

/** Something to say about the configuration. */
export interface Problem {
  place: Place;
  text: string;
}

/** Variables of the environment, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces ${NAME} by the variable, or by nothing when it is not set; $${NAME} stays as ${NAME}. */
export function expandVariables(text: string, env: Environment): string {
  return text.replace(/(\$?)\$\{([^}]*)\}/g, (_, dollar: string, name: string) =>
    dollar === "" ? (env[name.trim()] ?? "") : `\${${name}}`,
  );
}

/** What `convert` needs on its way. */
interface Conversion {
  file: YamlFile;
  env: Environment;
  warnings: Problem[];
  /** Nodes made so far; aliases can make a small file huge. */
  count: number;
}

const MAX_NODES = 200_000;

function convert(node: YamlNode, on: Conversion): Node {
  const place = placeOf(on.file, node.offset);
  if (++on.count > MAX_NODES) throw new YamlError("too many values (through aliases?)", on.file, node.offset);
  if (node.kind === "scalar")
    return { kind: "scalar", place, value: expandVariables(node.value, on.env), isNull: node.isNull };
  if (node.kind === "seq") return { kind: "list", place, items: node.items.map((item) => convert(item, on)) };
  const entries: MapNode["entries"] = new Map();
  for (const [key, value] of node.entries) {
    const at = placeOf(on.file, key.offset);
    if (key.kind !== "scalar") throw new YamlError("a key must be a word", on.file, key.offset);
    if (entries.has(key.value)) {
      on.warnings.push({ place: at, text: `key '${key.value}' stands here twice; the first one counts` });
    } else {
      entries.set(key.value, { place: at, node: convert(value, on) });
    }
  }
  return { kind: "map", place, entries };
}

function placeOf(file: YamlFile, offset: number): Place {
  const { line, column } = file.position(offset);
  return `${file.name}:${line + 1}:${column + 1}`;
}

/**
 * Reads one YAML document whose top is a map; an empty text is an empty map. Throws YamlError. Keys that stand twice
 * become warnings.
 */
export function parseMap(name: string, content: string | Uint8Array, env: Environment, warnings: Problem[]): MapNode {
  const file = parseYaml({ name, content });
  const [top, second] = file.documents;
  if (second !== undefined) throw new YamlError("a second document; only one is wanted", file, second.offset);
  const empty: MapNode = { kind: "map", place: `${name}:1:1`, entries: new Map() };
  if (top === undefined || (top.kind === "scalar" && top.isNull)) return empty;
  if (top.kind !== "map") throw new YamlError("keys with values are wanted at the top", file, top.offset);
  return convert(top, { file, env, warnings, count: 0 }) as MapNode;
}

/** Parses a value given on the command line: a map or list in YAML's flow form, else a plain word. */
export function parseValue(text: string, place: Place, env: Environment): Node {
  if (!/^\s*[[{]/.test(text)) {
    const value = expandVariables(text, env);
    return { kind: "scalar", place, value, isNull: false };
  }
  const file = parseYaml({ name: place, content: text });
  const [top] = file.documents;
  if (top === undefined || file.documents.length !== 1) throw new YamlError("one value is wanted", file, 0);
  return convert(top, { file, env, warnings: [], count: 0 });
}

/** The tree without places. */
export function plain(node: Node): PlainValue {
  if (node.kind === "scalar") return node.isNull ? null : node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { node: value }]) => [key, plain(value)]));
}

/** What a node is, in words for messages. */
export function describeNode(node: Node): string {
  if (node.kind === "list") return "a list";
  if (node.kind === "map") return "a map";
  return node.isNull ? "nothing" : `'${shorten(node.value)}'`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
