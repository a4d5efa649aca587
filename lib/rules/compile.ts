// SPDX-License-Identifier: Apache-2.0
// Compiles what the collector holds: lists into texts, texts into trees, macros into trees, conditions and outputs checked.
import type { FieldRegistry } from "../fields/registry.ts";
import { type Ast, type Pos, replaceIdentifiers } from "../filter/ast.ts";
import { type CheckedFilter, FilterChecker } from "../filter/checker.ts";
import { FilterError } from "../filter/errors.ts";
import { eventTypesOf } from "../filter/event_types.ts";
import { parseFilter, RULES_MAX_DEPTH } from "../filter/parser.ts";
import { EV } from "../schema/tables/enums.ts";
import type { Collector } from "./collector.ts";
import { DEPRECATED_FIELDS, deprecationMessage } from "./deprecated.ts";
import { withExceptions } from "./exceptions.ts";
import type { MacroDefinition, PlacedText, RuleDefinition } from "./items.ts";
import { ListSubstitution, MAX_ITEMS, MAX_TEXT, type ResolvedList, resolveLists, TextTooLong } from "./lists.ts";
import { type FileReport, type InCondition, type Place, RuleError } from "./messages.ts";
import { conditionNotes } from "./notes.ts";
import { compileOutput, OutputError } from "./output.ts";

/** Most comparisons and operators that a condition may have, and deepest nesting, when macros are put in. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 2_000;

/** More event types than this in one condition are worth a warning. */
const MANY_EVENT_TYPES = 100;

export interface CompiledMacro {
  definition: MacroDefinition;
  /** Text with lists put in. */
  text: string;
  /** Tree of the text; macros still by name. */
  own: Ast;
  /** With macros put in. */
  ast: Ast;
  used: boolean;
}

export interface CompiledRule {
  definition: RuleDefinition;
  /** With macros, lists and exceptions put in. */
  ast: Ast;
  checked: CheckedFilter;
  /** Event types that can match, by event id. */
  types: Uint8Array;
  /** Output as it is formatted, without what the configuration appends. */
  output: string;
  /** Fields that came into the condition by exceptions. */
  exceptionFields: Set<string>;
}

/** All that the files came to. */
export interface Compiled {
  lists: Map<string, ResolvedList>;
  macros: Map<string, CompiledMacro>;
  rules: CompiledRule[];
}

/** Trees by condition text, and results by tree: after another file, what did not change is not compiled again. */
export class CompileCache {
  private readonly trees = new Map<string, Ast>();
  private readonly sizes = new WeakMap<Ast, { nodes: number; depth: number }>();
  /** They know the trees they have checked. */
  private readonly checkers = new Map<FieldRegistry, FilterChecker>();

  parse(text: string): Ast {
    let ast = this.trees.get(text);
    if (!ast) {
      ast = parseFilter(text, { maxDepth: RULES_MAX_DEPTH });
      this.trees.set(text, ast);
    }
    return ast;
  }

  /** Size of a tree, in which the tree of a macro counts as often as it occurs. */
  measure(ast: Ast): { nodes: number; depth: number } {
    const known = this.sizes.get(ast);
    if (known) return known;
    const children = ast.kind === "and" || ast.kind === "or" ? ast.children : ast.kind === "not" ? [ast.child] : [];
    const size = { nodes: 1, depth: 1 };
    for (const child of children) {
      const { nodes, depth } = this.measure(child);
      size.nodes += nodes;
      size.depth = Math.max(size.depth, depth + 1);
    }
    this.sizes.set(ast, size);
    return size;
  }

  check(ast: Ast, registry: FieldRegistry): CheckedFilter {
    let checker = this.checkers.get(registry);
    if (!checker) {
      checker = new FilterChecker(registry);
      this.checkers.set(registry, checker);
    }
    return checker.check(ast);
  }
}

/** One pass over everything that is collected. */
class Compiler {
  private readonly lists: Map<string, ResolvedList>;
  private readonly substitution: ListSubstitution;
  private readonly macros = new Map<string, CompiledMacro>();
  /** Macros whose tree could not be made; what refers to them is not reported again. */
  private readonly failedMacros = new Set<string>();
  /** Macros whose tree has its macros put in. */
  private readonly expanded = new Set<string>();

  constructor(
    private readonly collector: Collector,
    private readonly report: FileReport,
    private readonly cache: CompileCache,
  ) {
    this.lists = resolveLists(collector.lists, ({ definition, count }) => {
      const message = `The list comes to ${count} items; at most ${MAX_ITEMS} are possible`;
      report.error(new RuleError("LOAD_ERR_VALIDATE", message, definition.place));
    });
    this.substitution = new ListSubstitution(this.lists);
  }

  run(): Compiled {
    for (const definition of this.collector.macros.values()) {
      this.guarded(definition.name, () => {
        const text = this.text(definition.condition);
        const own = this.parse(text, definition.condition);
        this.macros.set(definition.name, { definition, text, own, ast: own, used: false });
      });
    }
    for (const macro of [...this.macros.values()]) this.expandMacro(macro);

    const rules: CompiledRule[] = [];
    for (const definition of this.collector.rules.values()) {
      if (definition.unknownSource) continue;
      this.guarded(null, () => {
        const rule = this.rule(definition);
        if (rule) rules.push(rule);
      });
    }
    for (const { definition, used } of this.macros.values()) {
      if (!used)
        this.report.warn("LOAD_UNUSED_MACRO", "No rule and no other macro refers to the macro", definition.place);
    }
    for (const { definition, used } of this.lists.values()) {
      if (!used)
        this.report.warn("LOAD_UNUSED_LIST", "No rule, macro or other list refers to the list", definition.place);
    }
    return { lists: this.lists, macros: this.macros, rules };
  }

  /** Does something that may fail; the failure is reported and, for a macro, remembered. */
  private guarded(macro: string | null, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (macro !== null) {
        this.failedMacros.add(macro);
        this.macros.delete(macro);
      }
      if (error instanceof RuleError) this.report.error(error);
      else if (!(error instanceof Consequence)) throw error;
    }
  }

  /** A condition's text with lists put in. `full`: the text with what exceptions add. */
  private text(condition: PlacedText, full = condition.text): string {
    let text: string;
    try {
      text = this.substitution.apply(full);
    } catch (error) {
      if (!(error instanceof TextTooLong)) throw error;
      const message = `The condition is longer than ${MAX_TEXT} bytes when lists are put in`;
      throw new RuleError("LOAD_ERR_COMPILE_CONDITION", message, condition.place);
    }
    const invalid = text.indexOf("\ufffd");
    if (invalid < 0) return text;
    const before = text.slice(0, invalid).split("\n");
    const at = { line: before.length, col: Buffer.byteLength(before.at(-1) ?? "") + 1 };
    const message = "The condition has bytes that are not valid UTF-8; write them as \\xHH in quotes";
    throw new RuleError("LOAD_ERR_COMPILE_CONDITION", message, condition.place.expression(inText(text, at)));
  }

  /** Tree of a condition. `text` has lists put in. */
  private parse(text: string, condition: PlacedText): Ast {
    try {
      return this.cache.parse(text);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      const at = condition.place.expression(inText(text, error));
      throw new RuleError("LOAD_ERR_COMPILE_CONDITION", error.message + replacement(condition), at);
    }
  }

  private expandMacro(macro: CompiledMacro): void {
    const { name, place, condition, visibility } = macro.definition;
    this.guarded(name, () => {
      macro.ast = this.expand(macro.own, place, macro.text, visibility);
      this.checkSize(macro.ast, condition.place);
    });
    this.expanded.add(name);
  }

  /**
   * A tree with macros put in; those first defined before `visibility` are seen, also by the macros among them that do
   * not have their own macros put in yet.
   */
  private expand(ast: Ast, owner: Place, text: string, visibility: number): Ast {
    let undefinedMacro: RuleError | undefined;
    let loop: RuleError | undefined;
    let silent = false;
    const done = new Map<string, Ast>();
    const path: string[] = [];
    const error = (message: string, pos: Pos): RuleError =>
      new RuleError("LOAD_ERR_VALIDATE", message, owner.expression(inText(text, pos)));
    const find = (name: string, pos: Pos): Ast | null => {
      const macro = this.macros.get(name);
      if (!macro || macro.definition.index >= visibility) {
        if (this.failedMacros.has(name) || this.collector.isBroken("macro", name)) silent = true;
        else undefinedMacro ??= error(`There is no macro '${name}'`, pos);
        return null;
      }
      if (path.includes(name)) {
        const circle = [...path.slice(path.indexOf(name)), name].join(" → ");
        loop ??= error(`Macro '${name}' refers to itself: ${circle}`, pos);
        return null;
      }
      macro.used = true;
      if (this.expanded.has(name)) return macro.ast;
      let tree = done.get(name);
      if (!tree) {
        path.push(name);
        tree = replaceIdentifiers(macro.own, find);
        path.pop();
        done.set(name, tree);
      }
      return tree;
    };
    const result = replaceIdentifiers(ast, find);
    const failure = loop ?? undefinedMacro;
    if (failure) throw failure;
    if (silent) throw new Consequence();
    return result;
  }

  /** Macros in macros can make a condition grow without end. */
  private checkSize(ast: Ast, place: Place): void {
    const { nodes, depth } = this.cache.measure(ast);
    if (nodes <= MAX_NODES && depth <= MAX_DEPTH) return;
    const message =
      nodes > MAX_NODES
        ? `The condition comes to ${nodes} parts with its macros; at most ${MAX_NODES} are possible`
        : `The condition is ${depth} levels deep with its macros; at most ${MAX_DEPTH} are possible`;
    throw new RuleError("LOAD_ERR_COMPILE_CONDITION", message, place);
  }

  /** Checks output and condition of a rule, and reports both; undefined when the rule cannot be used. */
  private rule(definition: RuleDefinition): CompiledRule | undefined {
    const registry = this.collector.options.sources.get(definition.source) as FieldRegistry;
    const exceptionFields = new Set<string>();
    const text = withExceptions(definition.condition.text, definition.exceptions, exceptionFields);
    const output = definition.output.text.replaceAll("%container.info", "");
    if (output !== definition.output.text) {
      const message = "%container.info is deprecated; name the container fields that the output shall show";
      this.report.warn("LOAD_DEPRECATED_ITEM", message, definition.place);
    }
    const verdict = this.checkOutput(definition, output, registry);
    if (verdict === "skip") return undefined;
    const condition = this.condition(definition, text, registry);
    return condition && verdict === "good" ? { definition, output, exceptionFields, ...condition } : undefined;
  }

  /** Compiles the condition of a rule; `full` is its text with exceptions. Undefined when the rule is to be skipped. */
  private condition(
    definition: RuleDefinition,
    full: string,
    registry: FieldRegistry,
  ): Pick<CompiledRule, "ast" | "checked" | "types"> | undefined {
    const place = definition.condition.place;
    const text = this.text(definition.condition, full);
    const own = this.parse(text, definition.condition);
    const ast = this.expand(own, definition.place, text, Number.POSITIVE_INFINITY);
    this.checkSize(ast, place);
    this.warnAboutCondition(ast, place.expression({ text, line: 0, col: 0 }));
    let checked: CheckedFilter;
    try {
      checked = this.cache.check(ast, registry);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      const at = place.expression(inText(text, error));
      const unknown = error.kind === "unknown-field" || error.kind === "unknown-event-type";
      if (!unknown || !definition.skipIfUnknownFilter) {
        throw new RuleError("LOAD_ERR_COMPILE_CONDITION", error.message + replacement(definition.condition), at);
      }
      this.report.warn("LOAD_UNKNOWN_FILTER", `${error.message}; the rule is skipped`, at);
      return undefined;
    }
    for (const warning of checked.warnings) {
      this.report.warn("LOAD_COMPILE_CONDITION", warning.message, place.expression(inText(text, warning)));
    }
    const types = eventTypesOf(ast).slice();
    if (definition.source === "syscall") {
      if (definition.warnEventTypes && count(types) > MANY_EVENT_TYPES) {
        const message = "The condition can match most event types, which makes it slow; restrict it with evt.type";
        this.report.warn("LOAD_NO_EVTTYPE", message, definition.place);
      }
      types[EV.ASYNCEVENT_E] = 1;
    }
    return { ast, checked, types };
  }

  /** Whether the output can be used, the rule is to be skipped, or the output is wrong, which is reported. */
  private checkOutput(definition: RuleDefinition, output: string, registry: FieldRegistry): "good" | "skip" | "wrong" {
    const place = definition.output.place;
    let fields: readonly string[];
    try {
      fields = compileOutput(output, registry).names;
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      if (!error.inField || !definition.skipIfUnknownFilter) {
        const message = error.message + replacement(definition.output);
        this.report.error(new RuleError("LOAD_ERR_COMPILE_OUTPUT", message, place));
        return "wrong";
      }
      this.report.warn("LOAD_UNKNOWN_FILTER", `${error.message}; the rule is skipped`, place);
      return "skip";
    }
    for (const field of DEPRECATED_FIELDS) {
      if (fields.includes(field)) {
        this.report.warn("LOAD_DEPRECATED_ITEM", deprecationMessage(field, "output"), place, field);
      }
    }
    return "good";
  }

  private warnAboutCondition(ast: Ast, place: Place): void {
    const { na, deprecated } = conditionNotes(ast);
    if (na !== null) {
      const message = `Comparing ${na} with <NA> does not find missing values; write 'not ${na} exists'`;
      this.report.warn("LOAD_UNSAFE_NA_CHECK", message, place);
    }
    for (const field of DEPRECATED_FIELDS) {
      if (deprecated.has(field)) {
        this.report.warn("LOAD_DEPRECATED_ITEM", deprecationMessage(field, "condition"), place, field);
      }
    }
  }
}

/** A failure that follows from one that was reported already. */
class Consequence extends Error {
  override name = "Consequence";
}

/** Where a text comes from that replaced the first one, for messages whose place is told relative to that. */
function replacement({ replacedAt }: PlacedText): string {
  if (!replacedAt) return "";
  return ` (in the text that replaces it, ${replacedAt.file.name}:${replacedAt.position().line + 1})`;
}

function inText(text: string, { line, col }: { line: number; col: number }): InCondition {
  return { text, line, col };
}

function count(mask: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < mask.length; i++) n += mask[i]!;
  return n;
}

/** Compiles what is collected so far; what is wrong goes to the report. */
export function compileCollected(collector: Collector, report: FileReport, cache: CompileCache): Compiled {
  return new Compiler(collector, report, cache).run();
}
