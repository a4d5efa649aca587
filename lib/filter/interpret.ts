// SPDX-License-Identifier: Apache-2.0
// Evaluates checked filters by walking them: the reference that compiled filters must agree with.
import { type Scalar, VARIES, type Value } from "../fields/field.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { Check, Checked, CheckedFilter } from "./checker.ts";
import { compareScalars, compareValue } from "./compare.ts";

/** A function that evaluates the filter on the event of a context. */
export function interpretFilter(filter: CheckedFilter): (ctx: Context) => boolean {
  const { root } = filter;
  return (ctx) => evaluate(root, ctx);
}

/** Truth of a checked expression. */
export function evaluate(node: Checked, ctx: Context): boolean {
  switch (node.kind) {
    case "and":
      return node.children.every((c) => evaluate(c, ctx));
    case "or":
      return node.children.some((c) => evaluate(c, ctx));
    case "not":
      return !evaluate(node.child, ctx);
    case "check":
      return evaluateCheck(node, ctx);
  }
}

/** Truth of one comparison; false when a value is missing, whatever the operator. */
export function evaluateCheck(check: Check, ctx: Context): boolean {
  const { left, right } = check;
  if (check.op === "exists") return exists(check, ctx);
  if (left.all !== null && !readsText(check)) {
    const candidates = left.all(ctx);
    return candidates !== undefined && decideCandidates(check, candidates);
  }
  const value = left.extract(ctx);
  if (value === undefined) return false;
  if (right === null) return decideValue(check, value);
  const other = right.extract(ctx);
  return other !== undefined && decideBoth(check, value, other);
}

/** True when a field with candidates is compared by its text instead: a host's name with anything but a name. */
export function readsText(check: Check): boolean {
  return check.left.multi === "hosts" && check.constants[0]?.kind !== "host";
}

/** Of a field that looks at both ends, the descriptor must be known, even if it has no addresses. */
function exists(check: Check, ctx: Context): boolean {
  const { left } = check;
  return (left.all !== null && left.multi === "ends" ? left.all(ctx) : left.extract(ctx)) !== undefined;
}

/** A field with several candidates: any ancestor; either end, and both for `!=`. */
export function decideCandidates(check: Check, candidates: readonly Scalar[]): boolean {
  if (check.left.multi === "ends" && check.op === "!=") {
    return candidates.length > 0 && candidates.every((v) => compareValue(v, check));
  }
  return candidates.some((v) => compareValue(v, check));
}

/** A value against constants. A list is `in` when it is not empty and every element is, it intersects when one is. */
export function decideValue(check: Check, value: Value): boolean {
  if (typeof value !== "object") return compareValue(value, check);
  if (check.op === "in") return value.length > 0 && value.every((v) => compareValue(v, check));
  return value.some((v) => compareValue(v, check));
}

/** Two values; of lists, every or any element of the left must be in the right. */
export function decideBoth(check: Check, a: Value, b: Value): boolean {
  if (typeof a !== "object" && typeof b !== "object") return compareScalars(a, check.op, b);
  if (typeof a !== "object" || typeof b !== "object") return false;
  const has = (v: Scalar) => b.includes(v);
  return check.op === "in" ? a.length > 0 && a.every(has) : a.some(has);
}

/** Truth of a comparison for every event of one type; undefined when that depends on the event. */
export function constantTruth(check: Check, eventId: number): boolean | undefined {
  const { left } = check;
  if (left.byEventType === null || check.right !== null || left.all !== null) return undefined;
  const value = left.byEventType(eventId);
  if (value === VARIES) return undefined;
  if (value === undefined) return false;
  return check.op === "exists" || decideValue(check, value);
}
