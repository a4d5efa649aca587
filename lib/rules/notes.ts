// SPDX-License-Identifier: Apache-2.0
// What in a condition is worth a warning: deprecated fields, and comparisons with "<NA>" that do not do what they seem to.
import type { ArgNode, Ast, CompareNode } from "../filter/ast.ts";
import { DEPRECATED_FIELDS } from "./deprecated.ts";

export interface ConditionNotes {
  /** A field compared with <NA> that has no value instead of that text; null when there is none. */
  readonly na: string | null;
  /** Deprecated fields that occur. */
  readonly deprecated: ReadonlySet<string>;
}

const NO_VALUE = "<NA>";
/** Prefixes of fields whose missing value is printed as <NA> but is not equal to it. */
const PREFIXES = ["ka.", "jevt."];
const EQUALITY: ReadonlySet<string> = new Set(["=", "==", "!=", "in", "intersects", "pmatch"]);
const DEPRECATED: ReadonlySet<string> = new Set(DEPRECATED_FIELDS);
const NOTHING: ConditionNotes = { na: null, deprecated: new Set() };

/** Notes by tree: the trees of macros are part of many conditions. */
const known = new WeakMap<Ast, ConditionNotes>();

/** Notes on a condition. */
export function conditionNotes(ast: Ast): ConditionNotes {
  let notes = known.get(ast);
  if (!notes) {
    notes = look(ast);
    known.set(ast, notes);
  }
  return notes;
}

function look(ast: Ast): ConditionNotes {
  switch (ast.kind) {
    case "and":
    case "or":
      return ast.children.map(conditionNotes).reduce(joined, NOTHING);
    case "not":
      return conditionNotes(ast.child);
    case "compare": {
      const { last, names } = fieldsOf(ast.left);
      return { na: last !== null && comparedWithNa(last, ast) ? last : null, deprecated: deprecated(names) };
    }
    case "exists":
      return { na: null, deprecated: deprecated(fieldsOf(ast.left).names) };
    default:
      return NOTHING;
  }
}

function joined(a: ConditionNotes, b: ConditionNotes): ConditionNotes {
  if (a.na === null && a.deprecated.size === 0) return b;
  if (b.na === null && b.deprecated.size === 0) return a;
  return { na: a.na ?? b.na, deprecated: new Set([...a.deprecated, ...b.deprecated]) };
}

/** Names of the fields in an operand, and the last one. */
function fieldsOf(operand: ArgNode): { last: string | null; names: string[] } {
  const names: string[] = [];
  const visit = (node: ArgNode): void => {
    if (node.kind === "field") names.push(node.name);
    else if (node.kind === "transformer") node.args.forEach(visit);
    else if (node.kind === "arglist") node.items.forEach(visit);
  };
  visit(operand);
  return { last: names.at(-1) ?? null, names };
}

function deprecated(names: readonly string[]): ReadonlySet<string> {
  return names.some((name) => DEPRECATED.has(name))
    ? new Set(names.filter((name) => DEPRECATED.has(name)))
    : NOTHING.deprecated;
}

function comparedWithNa(field: string, { op, modifier, right }: CompareNode): boolean {
  if (modifier !== null || !EQUALITY.has(op) || !PREFIXES.some((p) => field.startsWith(p))) return false;
  return right.kind === "list" ? right.items.includes(NO_VALUE) : holdsNa(right);
}

/** Whether a right-hand side is <NA>, or a transformer that has it among its arguments. */
function holdsNa(node: ArgNode): boolean {
  if (node.kind === "value") return node.text === NO_VALUE;
  if (node.kind === "transformer") return node.args.some(holdsNa);
  return node.kind === "arglist" && node.items.some(holdsNa);
}
