// SPDX-License-Identifier: Apache-2.0
// Filters as terms in which equal sub-conditions are one object, folded to what is left to decide for an event type.
import type { Extractor, Scalar } from "../fields/field.ts";
import type { Check, Checked, Constant } from "./checker.ts";
import { checkCost, checkOdds } from "./cost.ts";
import { constantTruth } from "./interpret.ts";

/** A condition; equal conditions made by one pool are the same object. */
export interface Term {
  readonly id: number;
  readonly kind: "true" | "false" | "check" | "and" | "or" | "not";
  /** Set for "check". */
  readonly check: Check | null;
  readonly children: readonly Term[];
  /** Rough cost of evaluation; 1 is a comparison of a number. */
  readonly cost: number;
  /** Estimated share of events for which it is true. */
  readonly odds: number;
  /** Number of comparisons, repeated ones counted again. */
  readonly weight: number;
  /** True when its truth may be known from the event type. */
  readonly typed: boolean;
}

/** Fewest comparisons of one field that are worth joining into one membership test. */
const MIN_JOINED = 3;

function leaf(id: number, kind: "true" | "false"): Term {
  return { id, kind, check: null, children: [], cost: 0, odds: 1 - id, weight: 0, typed: false };
}

export const TRUE: Term = leaf(0, "true");
export const FALSE: Term = leaf(1, "false");

/** Makes terms and keeps equal ones once. */
export class TermPool {
  private nextId = 2;
  private readonly byKey = new Map<string, Term>();
  private readonly byNode = new Map<Checked, Term>();

  /** The term of a checked filter. */
  of(node: Checked): Term {
    let term = this.byNode.get(node);
    if (term === undefined) {
      term = this.make(node);
      this.byNode.set(node, term);
    }
    return term;
  }

  private make(node: Checked): Term {
    switch (node.kind) {
      case "check":
        return this.check(node);
      case "not":
        return this.not(this.of(node.child));
      default:
        return this.join(
          node.kind,
          node.children.map((c) => this.of(c)),
        );
    }
  }

  check(check: Check): Term {
    return this.intern(check.key, "check", check, []);
  }

  not(child: Term): Term {
    if (child === TRUE) return FALSE;
    if (child === FALSE) return TRUE;
    if (child.kind === "not") return child.children[0] as Term;
    return this.intern(`!${child.id}`, "not", null, [child]);
  }

  /** Conjunction or disjunction: flattened, without repetitions, operands first that decide most for their cost. */
  join(kind: "and" | "or", operands: readonly Term[]): Term {
    const neutral = kind === "and" ? TRUE : FALSE;
    const decisive = kind === "and" ? FALSE : TRUE;
    const flat = new Set<Term>();
    for (const t of operands) {
      if (t === decisive) return decisive;
      if (t.kind === kind) for (const c of t.children) flat.add(c);
      else if (t !== neutral) flat.add(t);
    }
    const children = this.joinEqualities(kind, [...flat]);
    if (children.length === 0) return neutral;
    if (children.length === 1) return children[0] as Term;
    const rank = (t: Term) => t.cost / Math.max(kind === "and" ? 1 - t.odds : t.odds, 0.001);
    children.sort((a, b) => rank(a) - rank(b) || a.id - b.id);
    return this.intern(`${kind === "and" ? "&" : "|"}${children.map((c) => c.id).join()}`, kind, null, children);
  }

  /** `f = a or f = b or …` becomes membership; `f != a and f != b and …` becomes existence without membership. */
  private joinEqualities(kind: "and" | "or", terms: Term[]): Term[] {
    if (terms.length < MIN_JOINED) return terms;
    const byField = new Map<string, Term[]>();
    for (const t of terms) {
      const c = t.check;
      if (c === null || !isEquality(c) || (c.op === "!=") !== (kind === "and")) continue;
      const list = byField.get(c.left.text);
      if (list === undefined) byField.set(c.left.text, [t]);
      else list.push(t);
    }
    const joined = new Set<Term>();
    const made: Term[] = [];
    for (const [text, group] of byField) {
      if (group.length < MIN_JOINED) continue;
      for (const t of group) joined.add(t);
      const constants = group.flatMap((t) => (t.check as Check).constants);
      const first = group[0]?.check as Check;
      const member = this.check({
        ...first,
        op: "in",
        key: `${text} in {${constants.map(constantKey).join()}}`,
        constants,
      });
      if (kind === "or") made.push(member);
      else made.push(this.check({ ...first, op: "exists", key: `${text} exists`, constants: [] }), this.not(member));
    }
    return joined.size === 0 ? terms : [...terms.filter((t) => !joined.has(t)), ...made];
  }

  private intern(key: string, kind: Term["kind"], check: Check | null, children: readonly Term[]): Term {
    let term = this.byKey.get(key);
    if (term === undefined) {
      const single = children[0];
      let cost = check === null ? 0 : checkCost(check);
      let odds = check === null ? 1 : checkOdds(check);
      let weight = check === null ? 0 : 1;
      let typed = check !== null && check.left.byEventType !== null;
      // Share of events that get to the next operand.
      let reached = 1;
      for (const c of children) {
        cost += reached * c.cost;
        reached *= kind === "or" ? 1 - c.odds : c.odds;
        weight += c.weight;
        typed ||= c.typed;
      }
      if (kind === "not" && single !== undefined) odds = 1 - single.odds;
      else if (kind !== "check") odds = kind === "or" ? 1 - reached : reached;
      term = { id: this.nextId++, kind, check, children, cost, odds, weight, typed };
      this.byKey.set(key, term);
    }
    return term;
  }

  /** A function that gives what is left of terms for events of one type; it remembers its results. */
  folder(eventId: number): (term: Term) => Term {
    const done = new Map<Term, Term>();
    const fold = (t: Term): Term => {
      if (!t.typed) return t;
      let r = done.get(t);
      if (r === undefined) {
        r = this.foldOne(t, eventId, fold);
        done.set(t, r);
      }
      return r;
    };
    return fold;
  }

  private foldOne(t: Term, eventId: number, fold: (term: Term) => Term): Term {
    switch (t.kind) {
      case "check": {
        const truth = constantTruth(t.check as Check, eventId);
        return truth === undefined ? t : truth ? TRUE : FALSE;
      }
      case "not":
        return this.not(fold(t.children[0] as Term));
      case "and":
      case "or":
        return this.join(t.kind, t.children.map(fold));
      default:
        return t;
    }
  }
}

/** True when a term reads nothing but what extractors of one sort give. */
export function readsOnly(term: Term, sort: (extract: Extractor) => boolean): boolean {
  const { check } = term;
  if (check === null) return term.children.every((c) => readsOnly(c, sort));
  const { left, right } = check;
  return left.all === null && sort(left.extract) && (right === null || (right.all === null && sort(right.extract)));
}

/** `=`, `in` and `!=` of one value with constants. */
function isEquality(c: Check): boolean {
  if (c.modifier !== null || c.right !== null || c.left.all !== null || c.left.list) return false;
  if (c.op !== "=" && c.op !== "in" && c.op !== "!=") return false;
  return c.constants.every((k: Constant) => k.kind === "scalar");
}

/** A scalar constant as part of a key. */
function constantKey(c: Constant): string {
  if (c.kind !== "scalar") throw new TypeError("only scalars are joined");
  return typeof c.value === "string" ? JSON.stringify(c.value) : `${typeof c.value} ${c.value}`;
}

/** Values of scalar constants; undefined when there are others. */
export function scalarsOf(check: Check): Scalar[] | undefined {
  const values: Scalar[] = [];
  for (const c of check.constants) {
    if (c.kind !== "scalar") return undefined;
    values.push(c.value);
  }
  return values;
}
