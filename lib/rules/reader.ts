// SPDX-License-Identifier: Apache-2.0
// Reads the YAML of a rule file into items and hands them to the collector, one after the other.
import { nearest } from "../schema/nearest.ts";
import type { Collector } from "./collector.ts";
import { fail, kindOf, parseUint32, requireValue, scalarText } from "./decode.ts";
import { readExceptions } from "./exceptions.ts";
import {
  type PlacedText,
  type PluginRequirement,
  type PluginVersion,
  parseVersion,
  type RuleValues,
  type Version,
} from "./items.ts";
import { BOOLEANS, ITEM_KINDS, ITEMS, type ItemKind, type KeySpec, type ValueType } from "./keys.ts";
import { type FileReport, type ItemType, Place, RuleError } from "./messages.ts";
import { parsePriority } from "./priority.ts";
import { mapGet, parseYaml, YamlError, type YamlFile, type YamlMap, type YamlNode } from "./yaml.ts";

const MACRO_NAME = /^[a-zA-Z]+[a-zA-Z0-9_]*$/;
const LIST_NAME = /^[^()"'\s=,]+$/;

/** A rule item with one of these keys defines the rule; they must all be there then. */
const COMPLETE: readonly string[] = ["condition", "output", "desc", "priority"];
/** Keys with a value of the rule's own, in the order in which they are read. */
const VALUE_KEYS: readonly string[] = [
  ...COMPLETE,
  "source",
  "enabled",
  "capture",
  "capture_duration",
  "warn_evttypes",
  "skip-if-unknown-filter",
  "tags",
  "exceptions",
];
/** Keys that `override` can name, in the order in which they are read. */
const OVERRIDABLE_KEYS: readonly string[] = [
  "condition",
  "exceptions",
  "output",
  "desc",
  "tags",
  "priority",
  "capture",
  "capture_duration",
  "enabled",
  "warn_evttypes",
  "skip-if-unknown-filter",
];

/** A text without the blanks around it. */
function trimmed(text: string): string {
  return text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, "");
}

/** Reads the items of one file. */
export class Reader {
  private readonly root: Place;

  constructor(
    private readonly file: YamlFile,
    private readonly report: FileReport,
    private readonly collector: Collector,
  ) {
    this.root = new Place("rules content", "", file, 0, null);
  }

  read(): void {
    for (const document of this.file.documents) {
      if (document.kind === "scalar" && document.isNull) continue;
      if (document.kind !== "seq") {
        const message = `A rule file must be a list of items, found ${kindOf(document)}`;
        this.report.error(new RuleError("LOAD_ERR_YAML_VALIDATE", message, this.root));
        continue;
      }
      for (const item of document.items) this.guarded(item);
    }
  }

  /** Reads one item; a mistake in it does not keep the others from being read. */
  private guarded(item: YamlNode): void {
    if (item.kind === "scalar" && item.isNull) return;
    try {
      this.item(item);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      if (!this.collector.isConsequence(error)) this.report.error(error);
      this.collector.failed(error);
    }
  }

  private item(node: YamlNode): void {
    if (node.kind !== "map") {
      const place = this.root.inner("rules content item", "", node.offset);
      fail("LOAD_ERR_YAML_VALIDATE", `An item must be a mapping of keys to values, found ${kindOf(node)}`, place);
    }
    const kind = ITEM_KINDS.find((k) => mapGet(node, k) !== undefined);
    if (kind === undefined) {
      const keys = node.entries.map(([key]) => `'${(key as { value: string }).value}'`).join(", ");
      const message = `Unknown item with the keys ${keys || "none"}; it will be ignored`;
      this.report.warn("LOAD_UNKNOWN_ITEM", message, this.root.inner("rules content item", "", node.offset));
      return;
    }
    READ[kind].call(this, node);
  }

  private named(node: YamlMap, type: "list" | "macro" | "rule"): { name: string; place: Place } {
    const unnamed = this.root.inner(type, "", node.offset);
    const value = requireValue(node, type, unnamed);
    const name = scalarText(value, unnamed.inner("value for", type, value.offset));
    return { name, place: this.root.inner(type, name, node.offset) };
  }

  private warnUnknownKeys(node: YamlMap, kind: ItemKind, place: Place): void {
    const known: Readonly<Record<string, KeySpec>> = ITEMS[kind].keys;
    for (const [key] of node.entries) {
      const name = (key as { value: string }).value;
      if (!Object.hasOwn(known, name)) {
        const near = nearest(name, Object.keys(known));
        const hint = near === undefined ? "" : ` (the nearest is '${near}')`;
        this.report.warn("LOAD_UNKNOWN_KEY", `Unknown key '${name}'${hint}; it will be ignored`, place);
      }
    }
  }

  /** Value of an optional boolean key. */
  private flag(node: YamlMap, key: string, place: Place): boolean | undefined {
    if (!mapGet(node, key)) return undefined;
    const value = requireValue(node, key, place);
    const at = place.inner("value for", key, value.offset);
    const flag = BOOLEANS.get(scalarText(value, at));
    if (flag === undefined) fail("LOAD_ERR_YAML_VALIDATE", `'${key}' must be true or false`, at);
    return flag;
  }

  /** Reads `append`; warns about it when set. */
  private appendFlag(node: YamlMap, place: Place): boolean {
    const append = this.flag(node, "append", place) ?? false;
    if (append) {
      const message = "The key 'append' is deprecated; name the keys to append to under 'override' instead";
      this.report.warn("LOAD_DEPRECATED_ITEM", message, place);
    }
    return append;
  }

  /** Reads `override`: the keys to append to and the keys to replace. */
  private overrides(node: YamlMap, kind: ItemKind, item: Place): { append: Set<string>; replace: Set<string> } {
    const result = { append: new Set<string>(), replace: new Set<string>() };
    const overrides = mapGet(node, "override");
    if (!overrides || overrides.kind === "scalar") return result;
    const place = item.inner("overrides", "", overrides.offset);
    if (overrides.kind === "seq") {
      fail("LOAD_ERR_VALIDATE", "'override' must be a mapping of keys to 'append' or 'replace'", place);
    }
    const keys: Readonly<Record<string, KeySpec>> = ITEMS[kind].keys;
    const withOperation = Object.keys(keys).filter((k) => keys[k]?.overrides);
    for (const [keyNode, value] of overrides.entries) {
      const key = keyNode.kind === "scalar" ? keyNode.value : "";
      const keyPlace = place.inner("overrides", key, keyNode.offset);
      const valuePlace = place.inner("value for", key, value.offset);
      const allowed = Object.hasOwn(keys, key) ? keys[key]?.overrides : undefined;
      if (value.kind !== "scalar" || value.isNull) {
        fail("LOAD_ERR_VALIDATE", `The operation for '${key}' must be 'append' or 'replace'`, valuePlace);
      }
      const operation = value.value;
      if (operation !== "append" && operation !== "replace") {
        const message = `Unknown override operation '${operation}' for '${key}'; known are 'append' and 'replace'`;
        fail("LOAD_ERR_YAML_VALIDATE", message, valuePlace);
      }
      if (!allowed) {
        const message = `'${key}' cannot be overridden; what can be is ${withOperation.join(", ")}`;
        fail("LOAD_ERR_YAML_VALIDATE", message, keyPlace);
      }
      if (!allowed.includes(operation)) {
        fail("LOAD_ERR_YAML_VALIDATE", `'${key}' cannot be appended to, only replaced`, keyPlace);
      }
      result[operation].add(key);
    }
    return result;
  }

  /** `append: true` and `override` exclude each other. */
  private exclusive(append: boolean, overrides: { append: Set<string>; replace: Set<string> }, place: Place): void {
    if (append && overrides.append.size + overrides.replace.size > 0) {
      fail("LOAD_ERR_YAML_VALIDATE", "'append: true' and 'override' cannot be used together; keep 'override'", place);
    }
  }

  readEngineVersion(node: YamlMap): void {
    const key = "required_engine_version";
    const place = this.root.inner(key, "", node.offset);
    const value = requireValue(node, key, place);
    const text = scalarText(value, place.inner("value for", key, value.offset));
    const minor = parseUint32(text);
    const version: Version | undefined = minor === undefined ? parseVersion(text) : [0, minor, 0];
    if (!version) {
      fail("LOAD_ERR_YAML_VALIDATE", `'${text}' is no engine version; wanted a number or three as in 0.40.0`, place);
    }
    this.collector.requireEngine(version, place);
    this.warnUnknownKeys(node, key, place);
  }

  readPluginVersions(node: YamlMap): void {
    const key = "required_plugin_versions";
    const value = mapGet(node, key) as YamlNode;
    const type: ItemType = "required plugin versions";
    const place = this.root.inner(type, "", value.offset);
    if (value.kind !== "seq") {
      fail("LOAD_ERR_YAML_VALIDATE", `'${key}' must be a list of plugins, found ${kindOf(value)}`, place);
    }
    for (const entry of value.items) {
      const { plugin, place: at } = this.plugin(entry, place, "required plugin versions entry");
      const requirement: PluginRequirement = { ...plugin, alternatives: [] };
      const alternatives = mapGet(entry as YamlMap, "alternatives");
      if (alternatives) {
        if (alternatives.kind !== "seq") {
          fail("LOAD_ERR_YAML_VALIDATE", `'alternatives' must be a list, found ${kindOf(alternatives)}`, at);
        }
        for (const alternative of alternatives.items) {
          requirement.alternatives.push(this.plugin(alternative, at, "required plugin versions alternative").plugin);
        }
      }
      this.collector.requirePlugin(requirement, at);
    }
    this.warnUnknownKeys(node, key, this.root.inner(type, "", node.offset));
  }

  private plugin(node: YamlNode, parent: Place, type: ItemType): { plugin: PluginVersion; place: Place } {
    const unnamed = parent.inner(type, "", node.offset);
    if (node.kind !== "map") {
      fail(
        "LOAD_ERR_YAML_VALIDATE",
        `A plugin must be a mapping with name and version, found ${kindOf(node)}`,
        unnamed,
      );
    }
    const nameNode = requireValue(node, "name", unnamed);
    const name = scalarText(nameNode, unnamed.inner("value for", "name", nameNode.offset));
    const place = parent.inner(type, name, node.offset);
    const versionNode = requireValue(node, "version", place);
    const version = scalarText(versionNode, place.inner("value for", "version", versionNode.offset));
    return { plugin: { name, version }, place };
  }

  readList(node: YamlMap): void {
    const { name, place } = this.named(node, "list");
    if (!LIST_NAME.test(name)) {
      const message = `The list name '${name}' is invalid: blanks, quotes, commas, equals signs and parentheses are not allowed`;
      this.report.warn("LOAD_INVALID_LIST_NAME", message, place);
    }
    const itemsNode = mapGet(node, "items");
    if (!itemsNode) fail("LOAD_ERR_YAML_VALIDATE", "The key 'items' is missing", place);
    const items = this.strings(itemsNode, "items", place);
    const append = this.appendFlag(node, place);
    const overrides = this.overrides(node, "list", place);
    this.exclusive(append, overrides, place);
    if (append || overrides.append.has("items")) this.collector.appendList(name, items, place);
    else this.collector.defineList(name, items, place);
    this.warnUnknownKeys(node, "list", place);
  }

  readMacro(node: YamlMap): void {
    const { name, place } = this.named(node, "macro");
    if (!MACRO_NAME.test(name)) {
      const message = `The macro name '${name}' is invalid: wanted a letter, then letters, digits and underscores`;
      this.report.warn("LOAD_INVALID_MACRO_NAME", message, place);
    }
    const condition = this.placed(node, "condition", place, "macro condition");
    const append = this.appendFlag(node, place);
    const overrides = this.overrides(node, "macro", place);
    this.exclusive(append, overrides, place);
    if (append || overrides.append.has("condition")) this.collector.appendMacro(name, condition, place);
    else this.collector.defineMacro(name, condition, place);
    this.warnUnknownKeys(node, "macro", place);
  }

  readRule(node: YamlMap): void {
    const { name, place } = this.named(node, "rule");
    const source = this.sourceOf(node, place);
    const append = this.appendFlag(node, place);
    const overrides = this.overrides(node, "rule", place);
    this.exclusive(append, overrides, place);

    if (overrides.append.size + overrides.replace.size > 0) {
      this.overrideRule(node, { name, source, place }, overrides);
    } else if (append) {
      const keys = ["condition", "exceptions"].filter((key) => mapGet(node, key));
      this.collector.appendRule(name, { ...this.ruleValues(node, place, keys, true), source }, place);
    } else if (COMPLETE.some((key) => mapGet(node, key))) {
      const keys = VALUE_KEYS.filter((key) => COMPLETE.includes(key) || mapGet(node, key));
      const values = this.ruleValues(node, place, keys, false);
      const output = values.output as PlacedText;
      this.collector.defineRule(name, { ...values, output: { ...output, text: trimmed(output.text) } }, place);
    } else {
      requireValue(node, "enabled", place);
      const enabled = this.flag(node, "enabled", place) as boolean;
      const message =
        "A rule with only 'enabled' is deprecated as a switch; write 'override: {enabled: replace}' with it";
      this.report.warn("LOAD_DEPRECATED_ITEM", message, place);
      this.collector.enableRule(name, enabled, place);
    }
    this.warnUnknownKeys(node, "rule", place);
  }

  /** The source an item names; undefined when it names none, or nothing. */
  private sourceOf(node: YamlMap, place: Place): string | undefined {
    const value = mapGet(node, "source");
    if (!value || (value.kind === "scalar" && (value.isNull || value.value === ""))) return undefined;
    return scalarText(value, place.inner("value for", "source", value.offset));
  }

  /**
   * Changes a rule: first what is appended, then what is replaced. Every key named under `override` must be given, once
   * for each operation, and no key that could be overridden may be given without being named there.
   */
  private overrideRule(
    node: YamlMap,
    { name, source, place }: { name: string; source: string | undefined; place: Place },
    overrides: { append: Set<string>; replace: Set<string> },
  ): void {
    const given = new Set(OVERRIDABLE_KEYS.filter((key) => mapGet(node, key)));
    for (const operation of ["append", "replace"] as const) {
      const keys = OVERRIDABLE_KEYS.filter((key) => overrides[operation].has(key));
      if (keys.length === 0) continue;
      const values = keys.map((key) => {
        if (given.delete(key)) return this.ruleValues(node, place, [key], operation === "append");
        const message = `'override' names the key '${key}', which is missing or was used up by the other operation`;
        return fail("LOAD_ERR_YAML_VALIDATE", message, place);
      });
      // The source is compared only where a condition depends on it.
      const from = keys.includes("condition") ? { source } : {};
      const item: RuleValues = Object.assign({}, ...values, from);
      if (operation === "append") this.collector.appendRule(name, item, place);
      else this.collector.replaceRule(name, item, place);
    }
    for (const key of [...given].sort()) {
      const value = mapGet(node, key) as YamlNode;
      const message = `Unexpected key '${key}': it is not named under 'override'`;
      fail("LOAD_ERR_YAML_VALIDATE", message, place.inner("overrides", key, value.offset));
    }
  }

  /** The values of some keys of a rule. `appended`: they are added to an earlier definition. */
  private ruleValues(node: YamlMap, place: Place, keys: readonly string[], appended: boolean): RuleValues {
    const values: Record<string, unknown> = {};
    for (const key of keys) {
      const spec: KeySpec = ITEMS.rule.keys[key as keyof typeof ITEMS.rule.keys];
      values[key] = DECODE[spec.type]?.call(this, node, key, place, appended);
    }
    return values;
  }

  /** A condition or output with the place of its text. */
  private placed(node: YamlMap, key: string, place: Place, type: ItemType): PlacedText {
    const value = requireValue(node, key, place);
    const text = scalarText(value, place.inner("value for", key, value.offset));
    return { text, place: place.inner(type, "", value.offset) };
  }

  private strings(node: YamlNode, key: string, place: Place): string[] {
    const at = place.inner("value for", key, node.offset);
    if (node.kind !== "seq") {
      fail("LOAD_ERR_YAML_VALIDATE", `'${key}' must be a list, found ${kindOf(node)}`, at);
    }
    return node.items.map((item) => {
      if (item.kind !== "scalar" || item.isNull) {
        const message = `Every element of '${key}' must be a scalar, found ${kindOf(item)}`;
        fail("LOAD_ERR_YAML_VALIDATE", message, at.inner("list item", "", item.offset));
      }
      return item.value;
    });
  }

  decodeString(node: YamlMap, key: string, place: Place): string | PlacedText {
    if (key === "condition") return this.placed(node, key, place, "rule condition");
    if (key === "output") return this.placed(node, key, place, "rule output");
    const value = requireValue(node, key, place);
    return scalarText(value, place.inner("value for", key, value.offset));
  }

  decodeBool(node: YamlMap, key: string, place: Place): boolean | undefined {
    return this.flag(node, key, place);
  }

  decodeUint32(node: YamlMap, key: string, place: Place): number {
    const value = requireValue(node, key, place);
    const at = place.inner("value for", key, value.offset);
    const number = parseUint32(scalarText(value, at));
    if (number === undefined) fail("LOAD_ERR_YAML_VALIDATE", `'${key}' must be a number from 0 to 4294967295`, at);
    return number;
  }

  decodeStrings(node: YamlMap, key: string, place: Place): string[] {
    return this.strings(mapGet(node, key) as YamlNode, key, place);
  }

  decodePriority(node: YamlMap, key: string, place: Place): number {
    const value = requireValue(node, key, place);
    const text = scalarText(value, place.inner("value for", key, value.offset));
    const priority = parsePriority(text);
    if (priority === undefined) {
      const message = `'${text}' is no priority; known are emergency, alert, critical, error, warning, notice, informational (info) and debug`;
      fail("LOAD_ERR_YAML_VALIDATE", message, place.inner("rule priority", "", value.offset));
    }
    return priority;
  }

  decodeExceptions(node: YamlMap, key: string, place: Place, appended: boolean): RuleValues["exceptions"] {
    const value = mapGet(node, key) as YamlNode;
    return readExceptions(value, place, appended, this.report);
  }
}

const READ: Readonly<Record<ItemKind, (this: Reader, node: YamlMap) => void>> = {
  required_engine_version: Reader.prototype.readEngineVersion,
  required_plugin_versions: Reader.prototype.readPluginVersions,
  list: Reader.prototype.readList,
  macro: Reader.prototype.readMacro,
  rule: Reader.prototype.readRule,
};

type Decoder = (this: Reader, node: YamlMap, key: string, place: Place, appended: boolean) => unknown;

/** How a rule's value of a type is read; the types that are missing are read where they are used. */
const DECODE: Readonly<Partial<Record<ValueType, Decoder>>> = {
  string: Reader.prototype.decodeString,
  bool: Reader.prototype.decodeBool,
  uint32: Reader.prototype.decodeUint32,
  strings: Reader.prototype.decodeStrings,
  priority: Reader.prototype.decodePriority,
  exceptions: Reader.prototype.decodeExceptions,
};

/** Keys whose value holds mappings with keys of their own. */
const WITH_KEYS = ["exceptions", "override", "required_plugin_versions", "alternatives"];

/** A key that is a list or mapping, in an item or in a mapping inside it. */
function strangeKey(file: YamlFile): YamlNode | undefined {
  const inMaps = (nodes: readonly YamlNode[], depth: number): YamlNode | undefined => {
    for (const node of nodes) {
      if (node.kind !== "map") continue;
      const strange = node.entries.find(([key]) => key.kind !== "scalar")?.[0];
      if (strange) return strange;
      for (const [key, value] of node.entries) {
        if (depth === 0 || value.kind === "scalar" || !WITH_KEYS.includes((key as { value: string }).value)) continue;
        const inner = inMaps(value.kind === "seq" ? value.items : [value], depth - 1);
        if (inner) return inner;
      }
    }
    return undefined;
  };
  return inMaps(
    file.documents.flatMap((document) => (document.kind === "seq" ? document.items : [])),
    2,
  );
}

/** Reads a file's text; undefined when it is not YAML, which is then in the report. */
export function parseRuleFile(
  source: { name: string; content: string | Uint8Array },
  report: FileReport,
): YamlFile | undefined {
  try {
    const file = parseYaml(source);
    const key = strangeKey(file);
    if (!key) return file;
    const root = new Place("rules content", "", file, 0, null);
    report.error(new RuleError("LOAD_ERR_YAML_PARSE", `A key must be a scalar, found ${kindOf(key)}`, root));
    return undefined;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const root = new Place("rules content", "", error.file, 0, null);
    const message = `Not valid YAML: ${error.reason}`;
    report.error(new RuleError("LOAD_ERR_YAML_PARSE", message, root.inner("value for", "", error.at)));
    return undefined;
  }
}
