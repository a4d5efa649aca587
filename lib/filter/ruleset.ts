// SPDX-License-Identifier: Apache-2.0
// Many filters at once: per event type one generated function that evaluates all filters which can match there.
import { fdName } from "../fields/fd.ts";
import { isNameOnly, nameMemory } from "../fields/name_only.ts";
import { EVENT_MAX } from "../schema/events.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { CheckedFilter } from "./checker.ts";
import { CodeWriter, MAX_WEIGHT } from "./codegen.ts";
import { evaluate } from "./interpret.ts";
import { FALSE, readsOnly, type Term, TermPool, TRUE } from "./terms.ts";

/** A filter of a ruleset and the event types at which it is asked. */
export interface RulesetEntry {
  readonly checked: CheckedFilter;
  /** Mask by event id. */
  readonly types: Uint8Array;
}

/** Filters in order, evaluated together. */
export interface Ruleset {
  /** Index of the first filter that matches the event; −1 when none does. */
  first(ctx: Context): number;
  /** Appends the indexes of all filters that match, in order; returns how many. */
  all(ctx: Context, out: number[]): number;
  /** Number of filters that can match events of a type. */
  candidates(eventId: number): number;
}

/** Evaluates every filter by itself: the reference for compiled rulesets. */
export function interpretRuleset(entries: readonly RulesetEntry[]): Ruleset {
  const matches = (e: RulesetEntry, ctx: Context) => e.types[ctx.ev.type] === 1 && evaluate(e.checked.root, ctx);
  return {
    first: (ctx) => entries.findIndex((e) => matches(e, ctx)),
    all(ctx, out) {
      const before = out.length;
      entries.forEach((e, i) => {
        if (matches(e, ctx)) out.push(i);
      });
      return out.length - before;
    },
    candidates: (eventId) => entries.filter((e) => e.types[eventId] === 1).length,
  };
}

/** Compiles a ruleset; the function of an event type is made when the first such event comes. */
export function compileRuleset(entries: readonly RulesetEntry[]): Ruleset {
  return new CompiledRuleset(entries);
}

/** What is left of a filter for an event type: all of `conjuncts` must hold. */
interface Candidate {
  readonly index: number;
  readonly conjuncts: readonly Term[];
}

/**
 * A condition that several candidates need (`remembered`: by the name of the event's descriptor), or what one candidate
 * needs beyond the conditions around it.
 */
type Step =
  | { readonly condition: Term; readonly steps: readonly Step[]; readonly weight: number; readonly remembered?: true }
  | { readonly condition: Term; readonly index: number; readonly weight: number };

/** Deepest nesting of shared conditions. */
const MAX_NESTING = 12;

type First = (ctx: Context) => number;
type All = (ctx: Context, out: number[]) => void;

const noMatch: First = () => -1;
const nothing: All = () => {};

class CompiledRuleset implements Ruleset {
  private readonly pool = new TermPool();
  private readonly terms: (Term | null)[];
  /** 1 once the candidates of a type are known to be none. */
  private readonly empty = new Uint8Array(EVENT_MAX);
  private readonly firsts: First[];
  private readonly alls: All[];
  private readonly bySignature = new Map<string, { first?: First; all?: All }>();

  constructor(private readonly entries: readonly RulesetEntry[]) {
    this.terms = new Array<Term | null>(entries.length).fill(null);
    // Each type's function makes itself at the first call.
    this.firsts = Array.from({ length: EVENT_MAX }, (_, type) => (ctx) => this.prepareFirst(type)(ctx));
    this.alls = Array.from({ length: EVENT_MAX }, (_, type) => (ctx, out) => this.prepareAll(type)(ctx, out));
  }

  first(ctx: Context): number {
    const { type } = ctx.ev;
    return this.empty[type] === 1 ? -1 : (this.firsts[type] as First)(ctx);
  }

  all(ctx: Context, out: number[]): number {
    const { type } = ctx.ev;
    if (this.empty[type] === 1) return 0;
    const before = out.length;
    (this.alls[type] as All)(ctx, out);
    const found = out.length - before;
    // Filters are evaluated grouped by what they share, and reported in their own order.
    if (found > 1) {
      const sorted = out.splice(before).sort((a, b) => a - b);
      for (const i of sorted) out.push(i);
    }
    return found;
  }

  candidates(eventId: number): number {
    return this.candidatesOf(eventId).length;
  }

  private termOf(index: number): Term {
    let term = this.terms[index] ?? null;
    if (term === null) {
      term = this.pool.of((this.entries[index] as RulesetEntry).checked.root);
      this.terms[index] = term;
    }
    return term;
  }

  private candidatesOf(eventId: number): Candidate[] {
    const fold = this.pool.folder(eventId);
    const found: Candidate[] = [];
    this.entries.forEach((e, index) => {
      if (e.types[eventId] !== 1) return;
      const term = fold(this.termOf(index));
      if (term !== FALSE) found.push({ index, conjuncts: conjunctsOf(term) });
    });
    return found;
  }

  private prepareFirst(type: number): First {
    const candidates = this.candidatesOf(type);
    if (candidates.length === 0) this.empty[type] = 1;
    const unit = this.unitOf(candidates);
    unit.first ??= candidates.length === 0 ? noMatch : compileFirst(candidates, this.pool);
    this.firsts[type] = unit.first;
    return unit.first;
  }

  private prepareAll(type: number): All {
    const candidates = this.candidatesOf(type);
    if (candidates.length === 0) this.empty[type] = 1;
    const unit = this.unitOf(candidates);
    unit.all ??= candidates.length === 0 ? nothing : compileAll(candidates, this.pool);
    this.alls[type] = unit.all;
    return unit.all;
  }

  /** Event types with the same candidates share their functions. */
  private unitOf(candidates: readonly Candidate[]): { first?: First; all?: All } {
    const signature = candidates.map((c) => `${c.index}:${c.conjuncts.map((t) => t.id).join("&")}`).join();
    let unit = this.bySignature.get(signature);
    if (unit === undefined) {
      unit = {};
      this.bySignature.set(signature, unit);
    }
    return unit;
  }
}

function conjunctsOf(term: Term): readonly Term[] {
  return term === TRUE ? [] : term.kind === "and" ? term.children : [term];
}

/** Index that is larger than any. */
const NO_INDEX = 0x7fffffff;

function compileFirst(candidates: readonly Candidate[], pool: TermPool): First {
  const writer = new CodeWriter();
  const steps = plan(candidates, pool, writer);
  const body = emit(steps, writer, (index, condition) => `if(b>${index}&&${condition})b=${index};`);
  return writer.build(`${body}return b===${NO_INDEX}?-1:b;`, { b: String(NO_INDEX) }) as unknown as First;
}

function compileAll(candidates: readonly Candidate[], pool: TermPool): All {
  const writer = new CodeWriter();
  const steps = plan(candidates, pool, writer);
  const body = emit(steps, writer, (index, condition) => `if(${condition})r.push(${index});`);
  return writer.build(body, { r: "o" }) as unknown as All;
}

/** Orders the work so that conditions shared by several candidates are asked once for all of them. */
function plan(candidates: readonly Candidate[], pool: TermPool, writer: CodeWriter): Step[] {
  const steps = byName(candidates, pool);
  const count = (list: readonly Step[]): void => {
    for (const s of list) {
      writer.count(s.condition);
      if ("steps" in s) count(s.steps);
    }
  };
  count(steps);
  return steps;
}

/** Fewest candidates that look at the descriptor's name for which names are remembered. */
const MIN_NAMED = 4;

/**
 * Most files concern no rule: candidates that look at the descriptor's name are asked only when, going by the name, one
 * of them may match.
 */
function byName(candidates: readonly Candidate[], pool: TermPool): Step[] {
  const wanted: Term[] = [];
  const others: Candidate[] = [];
  const named: Candidate[] = [];
  for (const c of candidates) {
    const conditions = c.conjuncts.filter((t) => readsOnly(t, isNameOnly));
    if (conditions.length === 0) others.push(c);
    else {
      named.push(c);
      wanted.push(pool.join("and", conditions));
    }
  }
  if (named.length < MIN_NAMED) return group(candidates, pool, 0);
  const condition = pool.join("or", wanted);
  const steps = group(named, pool, 0);
  return [{ condition, steps, weight: condition.weight + sum(steps), remembered: true }, ...group(others, pool, 0)];
}

function group(candidates: readonly Candidate[], pool: TermPool, depth: number): Step[] {
  const left = new Set(candidates);
  const steps: Step[] = [];
  if (depth < MAX_NESTING) {
    for (const members of sharing(candidates)) {
      const rest = members.filter((c) => left.has(c));
      if (rest.length < 2) continue;
      for (const c of rest) left.delete(c);
      // Everything the members have in common is asked at once.
      const common = new Set((rest[0] as Candidate).conjuncts);
      for (const c of rest) for (const t of common) if (!c.conjuncts.includes(t)) common.delete(t);
      const inner = rest.map((c) => ({ ...c, conjuncts: c.conjuncts.filter((t) => !common.has(t)) }));
      const condition = pool.join("and", [...common]);
      const nested = group(inner, pool, depth + 1);
      steps.push({ condition, steps: nested, weight: condition.weight + sum(nested) });
    }
  }
  for (const { index, conjuncts } of left) {
    const condition = pool.join("and", conjuncts);
    steps.push({ condition, index, weight: condition.weight + 1 });
  }
  return steps;
}

/** Least share of events that a condition must turn away to stand in front of others. */
const MIN_REFUSED = 0.25;

/**
 * Candidates that have a condition in common which turns many events away, those first where that saves most; a
 * candidate may be in several groups.
 */
function sharing(candidates: readonly Candidate[]): Candidate[][] {
  const users = new Map<Term, Candidate[]>();
  for (const c of candidates) {
    for (const t of c.conjuncts) {
      const list = users.get(t);
      if (list === undefined) users.set(t, [c]);
      else list.push(c);
    }
  }
  const saved = (t: Term, list: readonly Candidate[]) => list.length * (1 - t.odds);
  return [...users]
    .filter(([t, list]) => list.length > 1 && 1 - t.odds >= MIN_REFUSED)
    .sort(([a, x], [b, y]) => saved(b, y) - saved(a, x) || a.cost - b.cost || a.id - b.id)
    .map(([, list]) => list);
}

function sum(steps: readonly Step[]): number {
  return steps.reduce((n, s) => n + s.weight, 0);
}

type Leaf = (index: number, condition: string) => string;

/** Statements for the steps; what is too much for one function goes to helpers. */
function emit(steps: readonly Step[], writer: CodeWriter, leaf: Leaf): string {
  if (sum(steps) <= MAX_WEIGHT) return steps.map((s) => statement(s, writer, leaf)).join("");
  let body = "";
  let part: Step[] = [];
  let weight = 0;
  const flush = (): void => {
    if (part.length > 0) body += `${writer.helper(part.map((s) => statement(s, writer, leaf)).join(""))};`;
    part = [];
    weight = 0;
  };
  for (const s of steps) {
    if (weight + s.weight > MAX_WEIGHT) flush();
    part.push(s);
    weight += s.weight;
  }
  flush();
  return body;
}

function statement(step: Step, writer: CodeWriter, leaf: Leaf): string {
  if (!("steps" in step)) return leaf(step.index, writer.condition(step.condition));
  const condition = step.remembered
    ? writer.remembered(step.condition, nameMemory(fdName))
    : writer.condition(step.condition);
  return `if(${condition}){${emit(step.steps, writer, leaf)}}`;
}
