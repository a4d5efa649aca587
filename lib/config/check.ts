// SPDX-License-Identifier: Apache-2.0
// Checks a configuration tree against the table of keys and turns it into values; all mistakes are collected.
import { nearest } from "../schema/nearest.ts";
import type { ConfigRecord, FieldList, KeySpec, RecordKey, RecordValue, TypeMap } from "./key.ts";
import { describeNode, type MapNode, type Node, type Place, type Problem, plain } from "./node.ts";
import { ALIASES, RETIRED, SPECS } from "./schema.ts";

/** A key's value and where it was given. */
export interface Setting {
  value: TypeMap[keyof TypeMap];
  place: Place;
}

export interface Checked {
  /** Keys that were given, by name. */
  settings: Map<string, Setting>;
  errors: Problem[];
  warnings: Problem[];
}

/** Names that have further keys below them: "engine", "engine.kmod" … */
function prefixesOf(keys: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const key of keys) {
    for (let dot = key.indexOf("."); dot >= 0; dot = key.indexOf(".", dot + 1)) found.add(key.slice(0, dot));
  }
  return found;
}

/** Names that may stand directly below `prefix` ("" is the top). */
function childrenOf(prefix: string, keys: Iterable<string>): string[] {
  const start = prefix === "" ? "" : `${prefix}.`;
  const names = [...keys].filter((k) => k.startsWith(start)).map((k) => k.slice(start.length).split(".")[0] as string);
  return [...new Set(names)];
}

const PREFIXES = prefixesOf(SPECS.keys());
const TRUE = /^(y|yes|true|on)$/i;
const FALSE = /^(n|no|false|off)$/i;

/** A value is not what the key wants. */
class Wrong extends Error {
  constructor(
    readonly place: Place,
    message: string,
  ) {
    super(message);
  }
}

function wrong(node: Node, wanted: string): never {
  throw new Wrong(node.place, `wants ${wanted}, not ${describeNode(node)}`);
}

function toBoolean(node: Node): boolean {
  if (node.kind === "scalar" && TRUE.test(node.value)) return true;
  if (node.kind === "scalar" && FALSE.test(node.value)) return false;
  return wrong(node, "true or false");
}

function toText(node: Node, values?: readonly string[]): string {
  if (node.kind !== "scalar") return wrong(node, "a text");
  const text = node.isNull ? "" : node.value;
  if (values === undefined) return text;
  const found = values.find((v) => v === text.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(text.toLowerCase(), values);
  return wrong(node, `one of ${values.join(", ")}${near === undefined ? "" : ` (${near}?)`}`);
}

function toNumber(node: Node, spec: KeySpec): number {
  const text = node.kind === "scalar" ? node.value : "";
  const whole = spec.type === "integer";
  const pattern = whole ? /^[+-]?(\d+|0x[0-9a-f]+|0o[0-7]+)$/i : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const kind = whole ? "a whole number" : "a number";
  if (!pattern.test(text)) return wrong(node, kind);
  const value = Number(text);
  const { min = Number.NEGATIVE_INFINITY, max = Number.MAX_SAFE_INTEGER } = spec;
  if (value >= min && value <= max) return value;
  const bounds = spec.max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  return wrong(node, `${kind} ${bounds}`);
}

function toStrings(node: Node, values?: readonly string[]): string[] {
  if (node.kind === "list") return node.items.map((item) => toText(item, values));
  if (node.kind === "scalar") return [toText(node, values)];
  return wrong(node, "a list");
}

function toMap(node: Node): Map<string, string> {
  if (node.kind !== "map") return wrong(node, "a map");
  return new Map([...node.entries].map(([key, { node: value }]) => [key, toText(value)]));
}

function toFields(node: Node): FieldList {
  if (node.kind !== "list") return wrong(node, "a list of fields");
  return node.items.flatMap((item): FieldList => {
    if (item.kind === "scalar" && !item.isNull) return [[item.value, null]];
    if (item.kind === "map") return [...item.entries].map(([key, { node: format }]) => [key, toText(format)] as const);
    return wrong(item, "the name of a field or `key: format`");
  });
}

function toRecordValue(node: Node, key: RecordKey): RecordValue {
  switch (key.type) {
    case "boolean":
      return toBoolean(node);
    case "string":
      return toText(node, key.values);
    case "strings":
      return toStrings(node);
    case "fields":
      return toFields(node);
    case "any":
      return plain(node);
  }
}

/** Collects values and mistakes of one configuration. */
class Checker {
  readonly result: Checked = { settings: new Map(), errors: [], warnings: [] };

  /** Runs a conversion; its mistake is noted under the key's name. */
  private attempt<T>(name: string, convert: () => T): T | undefined {
    try {
      return convert();
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.result.errors.push({ place: error.place, text: `${name}: ${error.message}` });
      return undefined;
    }
  }

  walk(map: MapNode, prefix: string): void {
    for (const [name, { place, node }] of map.entries) {
      const full = prefix === "" ? name : `${prefix}.${name}`;
      const retired = RETIRED.get(full);
      const alias = SPECS.get(ALIASES.get(full) ?? "");
      const spec = name.includes(".") ? undefined : SPECS.get(full);
      if (spec !== undefined) this.setting(spec, place, node);
      else if (PREFIXES.has(full) && !name.includes(".")) this.group(full, node);
      else if (alias !== undefined) {
        this.result.warnings.push({ place, text: `key '${full}' is now called '${alias.key}'` });
        if (!map.entries.has(alias.key)) this.setting(alias, place, node);
      } else if (retired !== undefined) {
        this.result.warnings.push({ place, text: `key '${full}' has no effect; instead of it there is ${retired}` });
      } else this.unknown(full, name, place, childrenOf(prefix, SPECS.keys()));
    }
  }

  private group(full: string, node: Node): void {
    if (node.kind === "map") this.walk(node, full);
    else if (node.kind === "list" || !node.isNull) {
      const text = `${full}: wants keys (${childrenOf(full, SPECS.keys()).join(", ")}), not ${describeNode(node)}`;
      this.result.errors.push({ place: node.place, text });
    }
  }

  private unknown(full: string, name: string, place: Place, siblings: readonly string[]): void {
    const sibling = nearest(name, siblings);
    const parent = full.slice(0, full.length - name.length);
    const near = sibling === undefined ? nearest(full, SPECS.keys()) : parent + sibling;
    const elsewhere = [...SPECS.keys()].find((k) => k.endsWith(`.${name}`));
    const guess = near ?? elsewhere;
    const dotted = name.includes(".") && SPECS.has(full) ? "; write its parts as keys below each other" : undefined;
    const hint = dotted ?? (guess === undefined ? "" : `; did you mean '${guess}'?`);
    this.result.errors.push({ place, text: `unknown key '${full}'${hint}` });
  }

  private setting(spec: KeySpec, place: Place, node: Node): void {
    // A key without a value is as good as not given.
    if (node.kind === "scalar" && node.isNull) return;
    const value = this.attempt(spec.key, () => this.convert(spec, node));
    if (value !== undefined) this.result.settings.set(spec.key, { value, place });
  }

  private convert(spec: KeySpec, node: Node): TypeMap[keyof TypeMap] {
    switch (spec.type) {
      case "boolean":
        return toBoolean(node);
      case "integer":
      case "number":
        return toNumber(node, spec);
      case "string":
        return toText(node, spec.values);
      case "strings":
        return toStrings(node, spec.values);
      case "map":
        return toMap(node);
      case "records":
        return this.records(spec, node);
    }
  }

  private records(spec: KeySpec, node: Node): ConfigRecord[] {
    const items =
      node.kind === "list" ? node.items : spec.short !== undefined && node.kind === "scalar" ? [node] : null;
    if (items === null) return wrong(node, "a list");
    return items.map((item, i) => {
      const record = new Map<string, RecordValue>();
      if (item.kind === "map") this.record(item, spec, "", `${spec.key}[${i}]`, record);
      else if (item.kind === "scalar" && spec.short !== undefined && !item.isNull) record.set(spec.short, item.value);
      else wrong(item, "a map in each entry");
      return record;
    });
  }

  private record(map: MapNode, spec: KeySpec, prefix: string, path: string, into: Map<string, RecordValue>): void {
    const keys = spec.record ?? [];
    for (const [name, { place, node }] of map.entries) {
      const full = prefix + name;
      const key = name.includes(".") ? undefined : keys.find((k) => k.key === full);
      const below = keys.some((k) => k.key.startsWith(`${full}.`));
      if (key !== undefined) {
        const value = this.attempt(`${path}.${full}`, () => toRecordValue(node, key));
        if (value !== undefined) into.set(full, value);
      } else if (below && node.kind === "map") this.record(node, spec, `${full}.`, path, into);
      else if (below && node.kind === "scalar" && node.isNull) continue;
      else if (below) wrong(node, `keys below ${full}`);
      else {
        const near = nearest(
          full,
          keys.map((k) => k.key),
        );
        const known = near === undefined ? `known are ${keys.map((k) => k.key).join(", ")}` : `did you mean '${near}'?`;
        this.result.errors.push({ place, text: `unknown key '${full}' in ${path}; ${known}` });
      }
    }
  }

  /** What single keys cannot show. */
  relations(): void {
    const { settings, errors } = this.result;
    const value = (key: string): unknown => settings.get(key)?.value ?? SPECS.get(key)?.default;
    for (const [enabled, needed] of [
      ["file_output.enabled", "file_output.filename"],
      ["program_output.enabled", "program_output.program"],
      ["http_output.enabled", "http_output.url"],
    ] as const) {
      const place = settings.get(enabled)?.place;
      if (place !== undefined && value(enabled) === true && value(needed) === "") {
        errors.push({ place, text: `${enabled} is set, but ${needed} is empty` });
      }
    }
    const actions = settings.get("syscall_event_drops.actions");
    if (actions !== undefined) {
      const list = actions.value as readonly string[];
      if (list.includes("ignore") && list.some((a) => a !== "ignore")) {
        errors.push({ place: actions.place, text: "syscall_event_drops.actions: ignore goes only alone" });
      }
    }
    const rules = settings.get("rules");
    (rules?.value as readonly ConfigRecord[] | undefined)?.forEach((entry, i) => {
      const kinds = new Set([...entry.keys()].map((k) => k.split(".")[0]));
      if (kinds.size === 1) return;
      errors.push({ place: rules?.place ?? "", text: `rules[${i}]: wants either enable or disable, with rule or tag` });
    });
  }

  /** One warning for each thing that is asked for and not there. */
  missing(): void {
    const { settings, warnings } = this.result;
    const asked = new Map<string, { place: Place; keys: string[] }>();
    for (const [key, { value, place }] of settings) {
      const spec = SPECS.get(key);
      if (spec?.missing === undefined || value === false || same(value, spec.default)) continue;
      const switchKey = `${key.slice(0, key.lastIndexOf("."))}.enabled`;
      const groupSwitch = SPECS.get(switchKey);
      const on = settings.get(switchKey)?.value ?? groupSwitch?.default;
      if (groupSwitch !== undefined && switchKey !== key && on === false) continue;
      const entry = asked.get(spec.missing);
      if (entry === undefined) asked.set(spec.missing, { place, keys: [key] });
      else entry.keys.push(key);
    }
    for (const [what, { place, keys }] of asked) {
      warnings.push({ place, text: `${keys.join(", ")}: no effect, ${what} is not there yet` });
    }
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Checks a whole tree. */
export function checkConfig(root: MapNode): Checked {
  const checker = new Checker();
  checker.walk(root, "");
  checker.relations();
  checker.missing();
  return checker.result;
}
