// SPDX-License-Identifier: Apache-2.0
// Merges the items of all files in order: definition, redefinition, appending, overriding, switching on and off.
import type { FieldRegistry } from "../fields/registry.ts";
import { fail } from "./decode.ts";
import { isGiven, validateException } from "./exceptions.ts";
import {
  compareVersions,
  type Definition,
  type ExceptionItem,
  type ListDefinition,
  type MacroDefinition,
  type PlacedText,
  type PluginRequirement,
  type PluginVersion,
  parseVersion,
  type RuleDefinition,
  type RuleValues,
  type Version,
  versionText,
} from "./items.ts";
import type { FileReport, Place, RuleError } from "./messages.ts";

/** What the rules may ask for. */
export interface LoaderOptions {
  /** Event sources with their fields. */
  sources: ReadonlyMap<string, FieldRegistry>;
  engineVersion: Version;
  /** Plugins that are loaded or whose fields are built in. */
  plugins: readonly PluginVersion[];
}

/** Everything that is defined after the files read so far. */
export class Collector {
  readonly lists = new Map<string, ListDefinition>();
  readonly macros = new Map<string, MacroDefinition>();
  readonly rules = new Map<string, RuleDefinition>();
  requiredEngine: Version = [0, 0, 0];
  readonly requiredPlugins: PluginRequirement[] = [];
  /** Names of items that could not be read: what refers to them fails for that reason alone. */
  private readonly broken = new Set<string>();
  private next = 0;
  private report: FileReport | undefined;

  constructor(readonly options: LoaderOptions) {}

  /** Warnings go to this report from now on. */
  begin(report: FileReport): void {
    this.report = report;
  }

  private warn(...args: Parameters<FileReport["warn"]>): void {
    this.report?.warn(...args);
  }

  /** Remembers the item an error is in. */
  failed(error: RuleError): void {
    for (const place of error.place.chain()) {
      if (place.type === "rule" || place.type === "macro" || place.type === "list") {
        this.broken.add(`${place.type} ${place.name}`);
      }
    }
  }

  /** Whether an item of this name could not be read. */
  isBroken(type: "rule" | "macro" | "list", name: string): boolean {
    return this.broken.has(`${type} ${name}`);
  }

  /** Whether an error is there only because the item it refers to could not be read. */
  isConsequence(error: RuleError): boolean {
    const { type, name } = error.place;
    if (error.code !== "LOAD_ERR_VALIDATE" || (type !== "rule" && type !== "macro" && type !== "list")) return false;
    return this.isBroken(type, name) && !this[`${type}s`].has(name);
  }

  requireEngine(version: Version, place: Place): void {
    const { engineVersion } = this.options;
    if (version[0] !== engineVersion[0] || compareVersions(version, engineVersion) > 0) {
      const message = `The rules need engine version ${versionText(version)}, this is ${versionText(engineVersion)}`;
      fail("LOAD_ERR_VALIDATE", message, place);
    }
    if (compareVersions(version, this.requiredEngine) > 0) this.requiredEngine = version;
  }

  requirePlugin(requirement: PluginRequirement, place: Place): void {
    const wanted = [requirement, ...requirement.alternatives];
    for (const { name, version } of wanted) {
      if (!parseVersion(version)) {
        fail("LOAD_ERR_VALIDATE", `'${version}' is no version of plugin '${name}'; wanted three numbers`, place);
      }
    }
    const names = new Set(wanted.map((plugin) => plugin.name));
    if (names.size < wanted.length) {
      fail("LOAD_ERR_VALIDATE", "A plugin must not come twice among a requirement and its alternatives", place);
    }
    this.requiredPlugins.push(requirement);
    if (wanted.some((plugin) => this.hasPlugin(plugin))) return;
    const text = wanted.map((plugin) => `${plugin.name} ${plugin.version}`).join(" or ");
    fail("LOAD_ERR_VALIDATE", `The rules need plugin ${text}, which is not loaded`, place);
  }

  /** Same major version, and not older. */
  private hasPlugin(wanted: PluginVersion): boolean {
    const version = parseVersion(wanted.version) as Version;
    return this.options.plugins.some((plugin) => {
      const have = parseVersion(plugin.version);
      return plugin.name === wanted.name && have?.[0] === version[0] && compareVersions(have, version) >= 0;
    });
  }

  /** Rank of a new definition; a redefinition keeps its first rank. */
  private rank(previous: Definition | undefined): { index: number; visibility: number } {
    const visibility = this.next++;
    return { index: previous?.index ?? visibility, visibility };
  }

  defineList(name: string, items: string[], place: Place): void {
    this.lists.set(name, { name, items, place, ...this.rank(this.lists.get(name)) });
  }

  appendList(name: string, items: string[], place: Place): void {
    const previous = this.lists.get(name);
    if (!previous) fail("LOAD_ERR_VALIDATE", `There is no list '${name}' to append to`, place);
    previous.items = [...previous.items, ...items];
    previous.visibility = this.next++;
  }

  defineMacro(name: string, condition: PlacedText, place: Place): void {
    this.macros.set(name, { name, condition, place, ...this.rank(this.macros.get(name)) });
  }

  appendMacro(name: string, condition: PlacedText, place: Place): void {
    const previous = this.macros.get(name);
    if (!previous) fail("LOAD_ERR_VALIDATE", `There is no macro '${name}' to append to`, place);
    previous.condition = joined(previous.condition, condition.text);
    previous.visibility = this.next++;
  }

  defineRule(name: string, values: RuleValues, place: Place): void {
    const previous = this.rules.get(name);
    const source = values.source ?? "syscall";
    if (previous && previous.source !== source) {
      const message = `Rule '${name}' is redefined for source '${source}' after '${previous.source}'`;
      fail("LOAD_ERR_VALIDATE", message, place);
    }
    const registry = this.options.sources.get(source);
    const exceptions = values.exceptions ?? [];
    if (!registry) this.warn("LOAD_UNKNOWN_SOURCE", `Unknown source '${source}'; the rule is skipped`, place);
    for (const exception of exceptions) validateException(exception, registry);
    this.rules.set(name, {
      name,
      place,
      ...this.rank(previous),
      condition: values.condition as PlacedText,
      output: values.output as PlacedText,
      description: values.desc as string,
      priority: values.priority as number,
      source,
      unknownSource: !registry,
      enabled: values.enabled ?? true,
      capture: values.capture ?? false,
      captureDuration: values.capture_duration ?? 0,
      warnEventTypes: values.warn_evttypes ?? true,
      skipIfUnknownFilter: values["skip-if-unknown-filter"] ?? false,
      tags: sorted(values.tags ?? []),
      exceptions,
    });
  }

  /** The rule to change; it must exist and be of the source that is given, if one is. */
  private existing(name: string, values: RuleValues | null, place: Place, what: string): RuleDefinition {
    const rule = this.rules.get(name);
    if (!rule) fail("LOAD_ERR_VALIDATE", `There is no rule '${name}' to ${what}`, place);
    const source = values?.source;
    if (source !== undefined && source !== rule.source) {
      fail("LOAD_ERR_VALIDATE", `Rule '${name}' is of source '${rule.source}', not '${source}'`, place);
    }
    return rule;
  }

  /** Adds to condition, exceptions, output, description and tags. */
  appendRule(name: string, values: RuleValues, place: Place): void {
    const rule = this.existing(name, values, place, "append to");
    const { condition, exceptions, output, desc, tags } = values;
    if (!condition && !exceptions && !output && desc === undefined && !tags) {
      fail("LOAD_ERR_VALIDATE", "Appending to a rule needs a condition or exceptions", place);
    }
    if (condition) rule.condition = joined(rule.condition, condition.text);
    if (output) rule.output = joined(rule.output, output.text);
    if (desc !== undefined) rule.description = `${rule.description} ${desc}`;
    if (tags) rule.tags = sorted([...rule.tags, ...tags]);
    if (exceptions) rule.exceptions = this.withAppended(rule, exceptions);
    rule.visibility = this.next++;
  }

  private withAppended(rule: RuleDefinition, exceptions: readonly ExceptionItem[]): ExceptionItem[] {
    const registry = this.options.sources.get(rule.source);
    const result = [...rule.exceptions];
    for (const exception of exceptions) {
      const at = result.findIndex((e) => e.name === exception.name);
      const previous = result[at];
      if (!previous) {
        validateException(exception, registry);
        if (exception.values.length === 0) {
          fail("LOAD_ERR_VALIDATE", `Exception '${exception.name}' is new here; it needs 'values'`, exception.place);
        }
        result.push(exception);
        continue;
      }
      if (isGiven(exception.fields) || isGiven(exception.comps)) {
        const message = `Exception '${exception.name}' exists; only 'values' can be added to it, not 'fields' or 'comps'`;
        fail("LOAD_ERR_VALIDATE", message, exception.place);
      }
      result[at] = { ...previous, values: [...previous.values, ...exception.values] };
    }
    return result;
  }

  /** Replaces the values that are given. */
  replaceRule(name: string, values: RuleValues, place: Place): void {
    const rule = this.existing(name, values, place, "override");
    if (values.exceptions) {
      const registry = this.options.sources.get(rule.source);
      for (const exception of values.exceptions) validateException(exception, registry);
      rule.exceptions = values.exceptions;
    }
    if (values.condition) rule.condition = replaced(rule.condition, values.condition);
    if (values.output) rule.output = replaced(rule.output, values.output);
    rule.description = values.desc ?? rule.description;
    rule.priority = values.priority ?? rule.priority;
    rule.enabled = values.enabled ?? rule.enabled;
    rule.capture = values.capture ?? rule.capture;
    rule.captureDuration = values.capture_duration ?? rule.captureDuration;
    rule.warnEventTypes = values.warn_evttypes ?? rule.warnEventTypes;
    rule.skipIfUnknownFilter = values["skip-if-unknown-filter"] ?? rule.skipIfUnknownFilter;
    if (values.tags) rule.tags = sorted(values.tags);
    rule.visibility = this.next++;
  }

  enableRule(name: string, enabled: boolean, place: Place): void {
    this.existing(name, null, place, "switch").enabled = enabled;
  }
}

/** Two texts with a blank between them, at the place of the first. */
function joined(first: PlacedText, second: string): PlacedText {
  return { ...first, text: `${first.text} ${second}` };
}

/** Another text in place of the first one. */
function replaced(first: PlacedText, second: PlacedText): PlacedText {
  return { text: second.text, place: first.place, replacedAt: second.place };
}

function sorted(tags: readonly string[]): string[] {
  return [...new Set(tags)].sort();
}
