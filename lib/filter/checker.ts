// SPDX-License-Identifier: Apache-2.0
// Gives a parsed filter its meaning: fields and values are resolved, operators and types checked, oddities noted.
import { EVENT_TYPE_NAMES, isEventTypeName } from "../fields/evt_names.ts";
import type { Scalar } from "../fields/field.ts";
import { nearest } from "../schema/nearest.ts";
import { SYSCALL_NAMES } from "../schema/tables/syscalls.ts";
import type { ArgNode, Ast, CheckNode, CompareNode, ListNode, Modifier, Operator, Pos, ValueNode } from "./ast.ts";
import { ConstantError, checkText, type Network, parseConstant, parseHex, parseNetwork } from "./constants.ts";
import { FilterError, type FilterWarning, printable } from "./errors.ts";
import { compileGlob, globPrefix } from "./glob.ts";
import { Host } from "./hosts.ts";
import { type FieldProvider, type Operand, OperandBinder } from "./operand.ts";
import { parseFilterBytes, TRANSFORMER_NAMES } from "./parser.ts";
import { PathTree } from "./path_tree.ts";
import { printFilterBytes, printOperand } from "./print.ts";
import { compileRegex, regexPrefix, simplerOperator } from "./regex.ts";
import { KIND_NAMES, kindOf, LIST_OPERATORS, OPERATORS, typeName } from "./types.ts";

export type { FieldProvider, Operand } from "./operand.ts";

/** One constant of a comparison, prepared for its operator. */
export type Constant =
  | { readonly kind: "scalar"; readonly value: Scalar }
  | { readonly kind: "network"; readonly network: Network }
  /** A host's name, compared by its addresses. */
  | { readonly kind: "host"; readonly host: Host }
  /** glob, iglob, regex, and pmatch with its whole list. Only texts that begin with `prefix` can match. */
  | { readonly kind: "match"; readonly match: (text: string) => boolean; readonly prefix: string };

/** A comparison that can be evaluated. */
export interface Check {
  readonly kind: "check";
  /** Canonical text; checks of equal text have equal results. */
  readonly key: string;
  readonly left: Operand;
  /** `==` is given as `=`. */
  readonly op: Exclude<Operator, "=="> | "exists" | "around";
  readonly modifier: Modifier | null;
  /** One for scalar operators, any number for list operators and modifiers; empty when `right` is set. */
  readonly constants: readonly Constant[];
  /** Other side of `val()` and of transformers. */
  readonly right: Operand | null;
}

/** A filter whose macros are all resolved. */
export type Checked =
  | Check
  | { readonly kind: "and" | "or"; readonly children: readonly Checked[] }
  | { readonly kind: "not"; readonly child: Checked };

export interface CheckedFilter {
  readonly ast: Ast;
  readonly root: Checked;
  readonly warnings: readonly FilterWarning[];
}

/**
 * Checks a filter. Throws FilterError with stage "compile" at the first comparison that is wrong, or at an identifier
 * (macro) that was not replaced.
 */
export function checkFilter(ast: Ast, provider: FieldProvider): CheckedFilter {
  return new FilterChecker(provider).check(ast);
}

/** Checks filters that share sub-trees (macros): each of these is checked once. */
export class FilterChecker {
  private readonly done = new WeakMap<Ast, { node: Checked; warnings: readonly FilterWarning[] }>();

  constructor(private readonly provider: FieldProvider) {}

  /** As checkFilter. */
  check(ast: Ast): CheckedFilter {
    const warnings: FilterWarning[] = [];
    const root = this.node(ast, warnings);
    return { ast, root, warnings };
  }

  private node(ast: Ast, warnings: FilterWarning[]): Checked {
    const known = this.done.get(ast);
    if (known !== undefined) {
      for (const w of known.warnings) warnings.push(w);
      return known.node;
    }
    const own: FilterWarning[] = [];
    const node = this.build(ast, own);
    this.done.set(ast, { node, warnings: own });
    for (const w of own) warnings.push(w);
    return node;
  }

  private build(ast: Ast, warnings: FilterWarning[]): Checked {
    switch (ast.kind) {
      case "and":
      case "or":
        return { kind: ast.kind, children: ast.children.map((c) => this.node(c, warnings)) };
      case "not":
        return { kind: "not", child: this.node(ast.child, warnings) };
      case "identifier":
        throw new FilterError("compile", "unknown-macro", ast.pos, `no macro named '${ast.name}'`);
      default:
        return new CheckBuilder(this.provider, warnings).check(ast);
    }
  }
}

/** True when `text` is a field with its argument, or a transformer of fields, that exists: `proc.aname[2]`. */
export function isField(text: string, provider: FieldProvider): boolean {
  try {
    const ast = parseFilterBytes(`${text} exists`);
    if (ast.kind !== "exists") return false;
    // Asked first, because the error would look for similar names.
    if (ast.left.kind === "field" && !provider.has(ast.left.name)) return false;
    new OperandBinder(provider, ast.pos).bind(ast.left);
    return true;
  } catch (e) {
    if (e instanceof FilterError) return false;
    throw e;
  }
}

/** Names of calls that evt.type cannot have as an event's name but that may be asked for. */
const SYSCALLS: ReadonlySet<string> = new Set(SYSCALL_NAMES.filter((name) => name !== "na_1"));
const TRANSFORMER_CALL = new RegExp(`^(?:val|${TRANSFORMER_NAMES.join("|")})\\(.*\\)$`, "s");
const LIKE_FIELD = /^[a-zA-Z][a-zA-Z0-9_]*\.[a-zA-Z]/;

/** Operators by which host names are compared. */
const LIST_OR_EQUAL: ReadonlySet<Operator> = new Set<Operator>(["=", "==", "!=", "in", "intersects"]);

/** True for evt.type, also inside transformers of one argument: its constants must be names of events. */
function isEventType(node: ArgNode): boolean {
  if (node.kind === "field") return node.name === "evt.type";
  return node.kind === "transformer" && node.args.length === 1 && isEventType(node.args[0] as ArgNode);
}

/** True for a field that takes part in no comparison of two fields, also inside transformers of one argument. */
function refusesFields(node: ArgNode, binder: OperandBinder): boolean {
  if (node.kind === "field") return binder.field(node).field?.flags.noRhs === true;
  return node.kind === "transformer" && node.args.length === 1 && refusesFields(node.args[0] as ArgNode, binder);
}

class EventNameError extends ConstantError {
  override name = "EventNameError";
}

/** A constant of type `type`, prepared for `op`. Throws ConstantError. */
function constantFor(text: string, op: Operator, type: number): Constant {
  switch (op) {
    case "bcontains":
    case "bstartswith":
      return { kind: "scalar", value: parseHex(text) };
    case "glob":
    case "iglob":
      return {
        kind: "match",
        match: compileGlob(checkText(text), op === "iglob"),
        prefix: globPrefix(text, op === "iglob"),
      };
    case "regex":
      return { kind: "match", match: compileRegex(checkText(text)), prefix: regexPrefix(text) };
    default:
      if (kindOf(type) === "net") return { kind: "network", network: parseNetwork(text) };
      return { kind: "scalar", value: parseConstant(text, type) };
  }
}

/** Checks one comparison. */
class CheckBuilder {
  constructor(
    private readonly provider: FieldProvider,
    private readonly warnings: FilterWarning[],
  ) {}

  private warn(pos: Pos, message: string): void {
    this.warnings.push({ message: printable(message), line: pos.line, col: pos.col });
  }

  check(node: CheckNode): Check {
    const binder = new OperandBinder(this.provider, node.pos);
    const left = binder.bind(node.left);
    const base = { kind: "check", key: printFilterBytes(node), left, modifier: null, right: null } as const;
    if (node.kind === "exists") return { ...base, op: "exists", constants: [] };

    this.checkOperator(node, left, binder);
    const { right } = node;
    const op = node.op === "==" ? "=" : node.op;
    if (right.kind === "field" || right.kind === "transformer") {
      return { ...base, op, constants: [], right: this.rightSide(node, left, binder.bind(right), binder) };
    }
    try {
      const constants = this.constants(node, left, right);
      return { ...base, op: left.field?.name === "evt.around" ? "around" : op, modifier: node.modifier, constants };
    } catch (e) {
      if (!(e instanceof ConstantError)) throw e;
      const kind = e instanceof EventNameError ? "unknown-event-type" : "value";
      throw binder.error(kind, `value of '${left.text}': ${e.message}`);
    }
  }

  private checkOperator(node: CompareNode, left: Operand, binder: OperandBinder): void {
    const { op } = node;
    const kind = kindOf(left.type);
    if (kind === undefined) {
      throw binder.error("type", `'${left.text}' is ${typeName(left.type)} and can only be tested with 'exists'`);
    }
    const allowed = left.list ? LIST_OPERATORS : OPERATORS[kind];
    const around = left.field?.name === "evt.around" && ((op !== "=" && op !== "==") || node.modifier !== null);
    if (allowed.has(op) && !around) return;
    const what = left.list ? "lists" : KIND_NAMES[kind];
    const could = around ? "=" : [...allowed].filter((o) => o !== "==").join(" ");
    throw binder.error("operator", `'${op}' cannot compare ${what} such as '${left.text}'; possible: ${could} exists`);
  }

  private rightSide(node: CompareNode, left: Operand, right: Operand, binder: OperandBinder): Operand {
    for (const side of [node.left, node.right]) {
      if (side.kind === "value" || side.kind === "list" || !refusesFields(side, binder)) continue;
      throw binder.error("type", `'${printOperand(side)}' cannot be compared with another field`);
    }
    if (node.op === "pmatch" || node.op === "regex") {
      throw binder.error("operator", `'${node.op}' needs a constant, found '${right.text}'`);
    }
    if (node.op === "bcontains" || node.op === "bstartswith") {
      throw binder.error("operator", `'${node.op}' needs hexadecimal digits, found '${right.text}'`);
    }
    if (left.type !== right.type || left.list !== right.list) {
      const types = `${typeName(left.type, left.list)} and ${typeName(right.type, right.list)}`;
      throw binder.error("type", `'${left.text}' and '${right.text}' differ in type: ${types}`);
    }
    return right;
  }

  private constants(node: CompareNode, left: Operand, right: ValueNode | ListNode): Constant[] {
    const texts = right.kind === "value" ? [right.text] : right.items;
    for (const text of texts) this.noteOddities(text, node.op, right.pos);
    if (isEventType(node.left)) this.checkEventNames(texts);
    const { op } = node;
    if (op === "pmatch") {
      const tree = new PathTree(texts.map(checkText));
      return [{ kind: "match", match: (text) => tree.matches(text), prefix: "" }];
    }
    if (left.multi === "hosts" && LIST_OR_EQUAL.has(op)) {
      return texts.map((text) => ({ kind: "host", host: new Host(checkText(text)) }));
    }
    return texts.map((text) => constantFor(text, op, left.type));
  }

  private checkEventNames(texts: readonly string[]): void {
    for (const text of texts) {
      checkText(text);
      if (isEventTypeName(text) || SYSCALLS.has(text) || this.provider.eventNames?.has(text) === true) continue;
      const near = nearest(text, EVENT_TYPE_NAMES);
      const hint = near === undefined ? "" : `; did you mean '${near}'?`;
      throw new EventNameError(`no event or system call is named '${text}'${hint}`);
    }
  }

  private noteOddities(text: string, op: Operator, pos: Pos): void {
    const plain = text.replace(/[\t-\r ]+/g, "");
    if (LIKE_FIELD.test(plain) && isField(plain, this.provider)) {
      this.warn(pos, `'${text}' is a field, and is taken as plain text here; val(${plain}) would be its value`);
    } else if (TRANSFORMER_CALL.test(plain)) {
      this.warn(pos, `'${text}' looks like a transformer, and is taken as plain text here because of its quotes`);
    }
    const simpler = op === "regex" ? simplerOperator(text) : undefined;
    if (simpler !== undefined) {
      this.warn(pos, `'${text}' needs no regular expression; '${simpler}' does the same and is faster`);
    }
  }
}
