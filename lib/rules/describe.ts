// SPDX-License-Identifier: Apache-2.0
// Describes what rules, macros and lists come to: definitions as written, and what they resolve to.
import { type Ast, filterFacts } from "../filter/ast.ts";
import { FilterError } from "../filter/errors.ts";
import { eventNamesOf } from "../filter/event_types.ts";
import { parseFilter, RULES_MAX_DEPTH } from "../filter/parser.ts";
import { printFilterBriefly } from "../filter/print.ts";
import { toText } from "../scap/bytes.ts";
import type { CompiledMacro, CompiledRule } from "./compile.ts";
import { exceptionOperators } from "./exceptions.ts";
import { type PluginRequirement, versionText } from "./items.ts";
import type { ResolvedList } from "./lists.ts";
import type { LoadResult } from "./loader.ts";
import { compileOutput } from "./output.ts";
import { priorityName } from "./priority.ts";

export interface ConditionDetails {
  condition_compiled: string;
  condition_fields: string[];
  condition_operators: string[];
  /** Names of the events that can match. */
  events: string[];
  /** Names of lists in the condition as written. */
  lists: string[];
  /** Names of macros in the condition as written. */
  macros: string[];
  plugins: string[];
}

export interface RuleDescription {
  info: {
    name: string;
    condition: string;
    priority: string;
    output: string;
    description: string;
    enabled: boolean;
    source: string;
    capture: boolean;
    capture_duration: number;
    tags: string[];
  };
  details: ConditionDetails & {
    output_compiled: string;
    output_fields: string[];
    extra_output_formatted_fields?: Record<string, string>;
    exception_fields: string[];
    exception_names: string[];
    exception_operators: string[];
  };
}

export interface MacroDescription {
  info: { name: string; condition: string };
  details: ConditionDetails & { used: boolean };
}

export interface ListDescription {
  info: { name: string; items: readonly string[] };
  details: { used: boolean; lists: readonly string[]; items_compiled: readonly string[]; plugins: string[] };
}

export interface Description {
  required_engine_version: string;
  required_plugin_versions: PluginRequirement[];
  rules: RuleDescription[];
  macros: MacroDescription[];
  lists: ListDescription[];
}

/** What the configuration adds to a rule's output. */
export interface ExtraOutput {
  /** Put behind the output, with the blank before it. */
  text: string;
  /** Output fields by name that are formats. */
  formatted: Record<string, string>;
  /** Names of output fields. */
  fields: string[];
}

/** Names of lists among the values of a condition. */
function listsIn(ast: Ast, known: ReadonlyMap<string, ResolvedList>): string[] {
  const found = new Set<string>();
  const visit = (node: Ast): void => {
    if (node.kind === "and" || node.kind === "or") node.children.forEach(visit);
    else if (node.kind === "not") visit(node.child);
    else if (node.kind === "compare" && node.right.kind === "list" && !node.right.bare) {
      for (const item of node.right.items.map(toText)) if (known.has(item)) found.add(item);
    }
  };
  visit(ast);
  return [...found];
}

/** Facts of a condition. `written`: its text; `ast`: what it came to. */
function conditionDetails(written: string, ast: Ast, result: LoadResult, async: boolean): ConditionDetails {
  const facts = filterFacts(ast);
  let macros: string[] = [];
  let lists: string[] = [];
  try {
    const own = parseFilter(written, { maxDepth: RULES_MAX_DEPTH });
    macros = [...filterFacts(own).identifiers];
    lists = listsIn(own, result.compiled.lists);
  } catch (error) {
    // With list names of odd characters a condition is a filter only once its lists are put in.
    if (!(error instanceof FilterError)) throw error;
  }
  return {
    condition_compiled: printFilterBriefly(ast),
    condition_fields: [...facts.fields],
    condition_operators: [...facts.operators],
    events: eventNamesOf(ast, async),
    lists,
    macros,
    plugins: [],
  };
}

/** Describes one rule. */
export function describeRule(rule: CompiledRule, result: LoadResult, extra?: ExtraOutput): RuleDescription {
  const { definition } = rule;
  const registry = result.collector.options.sources.get(definition.source);
  const output = rule.output + (extra?.text ?? "");
  return {
    info: {
      name: definition.name,
      condition: definition.condition.text,
      priority: priorityName(definition.priority),
      output: definition.output.text,
      description: definition.description,
      enabled: definition.enabled,
      source: definition.source,
      capture: definition.capture,
      capture_duration: definition.captureDuration,
      tags: definition.tags,
    },
    details: {
      ...conditionDetails(definition.condition.text, rule.ast, result, definition.source === "syscall"),
      output_compiled: output,
      output_fields: [...(extra?.fields ?? []), ...(registry ? compileOutput(output, registry).names : [])],
      ...(extra && Object.keys(extra.formatted).length > 0 ? { extra_output_formatted_fields: extra.formatted } : {}),
      exception_fields: [...rule.exceptionFields],
      exception_names: definition.exceptions.map((exception) => exception.name),
      exception_operators: [...exceptionOperators(definition.exceptions)],
    },
  };
}

function describeMacro(macro: CompiledMacro, result: LoadResult): MacroDescription {
  const { name, condition } = macro.definition;
  return {
    info: { name, condition: condition.text },
    details: { ...conditionDetails(condition.text, macro.ast, result, true), used: macro.used },
  };
}

/** An item that is not among those the list comes to is the name of a list. */
function describeList(list: ResolvedList): ListDescription {
  const all = new Set(list.items);
  const { name, items } = list.definition;
  return {
    info: { name, items: items.filter((item) => all.has(item)) },
    details: {
      used: list.used,
      lists: [...new Set(items.filter((item) => !all.has(item)))],
      items_compiled: list.items,
      plugins: [],
    },
  };
}

/** Describes everything that is loaded. `extra`: what the configuration adds to a rule's output. */
export function describeAll(result: LoadResult, extra?: (rule: CompiledRule) => ExtraOutput | undefined): Description {
  const { compiled, collector } = result;
  return {
    required_engine_version: versionText(collector.requiredEngine),
    required_plugin_versions: collector.requiredPlugins,
    rules: compiled.rules.map((rule) => describeRule(rule, result, extra?.(rule))),
    macros: [...compiled.macros.values()].map((macro) => describeMacro(macro, result)),
    lists: [...compiled.lists.values()].map(describeList),
  };
}

const NAME_WIDTH = 50;
const LINE_WIDTH = 110;

/** Words of a text in lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((w) => w !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Rules with their descriptions in two columns. */
export function describeText(rules: readonly { name: string; description: string }[]): string {
  const row = (name: string, description: string): string => {
    const lines = wrap(description, LINE_WIDTH - NAME_WIDTH - 1);
    const first = `${name.padEnd(NAME_WIDTH)} ${lines[0] ?? ""}`;
    return [first, ...lines.slice(1).map((line) => `${" ".repeat(NAME_WIDTH)} ${line}`)].join("\n");
  };
  const head = [row("Rule", "Description"), row("----", "-----------")];
  return [...head, ...rules.map(({ name, description }) => row(name, description))].join("\n");
}
