// SPDX-License-Identifier: Apache-2.0
// Finds comparisons with "<NA>" of fields that have no value instead of that text.
import type { Ast } from "../filter/ast.ts";

const NO_VALUE = "<NA>";
/** Prefixes of fields whose missing value is printed as <NA> but is not equal to it. */
const PREFIXES = ["ka.", "jevt."];
const EQUALITY: ReadonlySet<string> = new Set(["=", "==", "in", "intersects", "pmatch"]);

/** The first such field compared with <NA>; undefined when there is none. */
export function comparesWithNa(ast: Ast): string | undefined {
  switch (ast.kind) {
    case "and":
    case "or":
      for (const child of ast.children) {
        const found = comparesWithNa(child);
        if (found !== undefined) return found;
      }
      return undefined;
    case "not":
      return comparesWithNa(ast.child);
    case "compare": {
      const { left, op, right } = ast;
      if (left.kind !== "field" || !EQUALITY.has(op) || !PREFIXES.some((p) => left.name.startsWith(p)))
        return undefined;
      const has =
        (right.kind === "value" && right.text === NO_VALUE) ||
        (right.kind === "list" && right.items.includes(NO_VALUE));
      return has ? left.name : undefined;
    }
    default:
      return undefined;
  }
}
