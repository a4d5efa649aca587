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
const EQUALITY: ReadonlySet<string> = new Set(["=", "==", "in", "intersects", "pmatch"]);
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
    case "compare":
      return joined(deprecated([ast.left, ast.right]), { na: comparedWithNa(ast), deprecated: NOTHING.deprecated });
    case "exists":
      return deprecated([ast.left]);
    default:
      return NOTHING;
  }
}

function joined(a: ConditionNotes, b: ConditionNotes): ConditionNotes {
  if (a.na === null && a.deprecated.size === 0) return b;
  if (b.na === null && b.deprecated.size === 0) return a;
  return { na: a.na ?? b.na, deprecated: new Set([...a.deprecated, ...b.deprecated]) };
}

function deprecated(operands: readonly (ArgNode | CompareNode["right"])[]): ConditionNotes {
  const found = new Set<string>();
  const visit = (node: ArgNode | CompareNode["right"]): void => {
    if (node.kind === "field" && DEPRECATED.has(node.name)) found.add(node.name);
    else if (node.kind === "transformer") node.args.forEach(visit);
    else if (node.kind === "arglist") node.items.forEach(visit);
  };
  operands.forEach(visit);
  return found.size === 0 ? NOTHING : { na: null, deprecated: found };
}

function comparedWithNa({ left, op, right }: CompareNode): string | null {
  if (left.kind !== "field" || !EQUALITY.has(op) || !PREFIXES.some((p) => left.name.startsWith(p))) return null;
  const has =
    (right.kind === "value" && right.text === NO_VALUE) || (right.kind === "list" && right.items.includes(NO_VALUE));
  return has ? left.name : null;
}
