// SPDX-License-Identifier: Apache-2.0
// Writes the JavaScript of conditions. Only names made here and small integers become code: every constant and every
// function is handed over in an array.
import type { Context } from "../sinsp/inspector.ts";
import type { Check } from "./checker.ts";
import { decideBoth, readsText } from "./interpret.ts";
import type { Operand } from "./operand.ts";
import { candidatesTest, listTest, valueTest } from "./predicate.ts";
import { scalarsOf, type Term } from "./terms.ts";

/** Something that is read from the context; reads of equal keys give the same. */
interface Read {
  readonly key: string;
  readonly read: (ctx: Context) => unknown;
}

function valueRead(o: Operand): Read {
  return { key: o.text, read: o.extract };
}

/** What a check reads first: the value, or all candidates. */
function leftRead(check: Check): Read {
  const { left, op } = check;
  if (left.all === null || readsText(check) || (op === "exists" && left.multi !== "ends")) return valueRead(left);
  return { key: `${left.text} candidates`, read: left.all };
}

function readsCandidates(check: Check): boolean {
  return check.left.all !== null && !readsText(check);
}

/** Longest chain of comparisons in place of a set. */
const MAX_CHAIN = 6;
/** Most comparisons of a generated function: larger ones are left alone by the optimising compiler. */
export const MAX_WEIGHT = 160;
/** Most comparisons that are written out wherever they are asked for. */
const MAX_REPEATED = 1;
/** Most operands that are joined in one expression. */
const MAX_OPERANDS = 32;

/**
 * Code of one generated unit. Values and results that are needed more than once are kept for the length of an event:
 * in the function's own variables while there is one function, else in variables that its functions share.
 */
export class CodeWriter {
  private readonly constants: unknown[] = [];
  private readonly constantNames = new Map<unknown, string>();
  private readonly functions: string[] = [];
  private readonly termUses = new Map<Term, number>();
  private readonly readUses = new Map<string, number>();
  /** Code of the terms whose results are kept, one bit each. */
  private readonly sharedCode = new Map<Term, string>();
  /** Variable that holds a value, by its key. */
  private readonly slots = new Map<string, string>();
  private readonly termFunctions = new Map<Term, string>();
  private readonly readers = new Map<string, string>();
  private nextFunction = 0;

  /** Must be told all conditions before code is asked for, so that it knows what is used again. */
  count(term: Term): void {
    // A negation keeps nothing: what it negates is used as often.
    if (term.kind === "not") {
      this.count(term.children[0] as Term);
      return;
    }
    const uses = this.termUses.get(term) ?? 0;
    this.termUses.set(term, uses + 1);
    if (uses > 0) return;
    for (const c of term.children) this.count(c);
    if (term.check !== null) {
      this.countRead(leftRead(term.check));
      if (term.check.right !== null) this.countRead(valueRead(term.check.right));
    }
  }

  private countRead(read: Read): void {
    this.readUses.set(read.key, (this.readUses.get(read.key) ?? 0) + 1);
  }

  /** Name of a constant or function that the code refers to. */
  ref(value: unknown): string {
    let name = this.constantNames.get(value);
    if (name === undefined) {
      name = `k${this.constants.length}`;
      this.constants.push(value);
      this.constantNames.set(value, name);
    }
    return name;
  }

  /** A function of the unit with the given body; returns the call. */
  helper(body: string): string {
    return `${this.function(body)}(c)`;
  }

  private function(body: string): string {
    const name = `h${this.nextFunction++}`;
    this.functions.push(`function ${name}(c){let t,u;${body}}`);
    return name;
  }

  /** Expression for a condition whose results `memory` keeps: (context, function that finds the result) → result. */
  remembered(term: Term, memory: (ctx: Context, decide: (ctx: Context) => boolean) => boolean): string {
    return `${this.ref(memory)}(c,${this.function(`return ${this.condition(term)};`)})`;
  }

  /** Expression (true or false) for a condition. */
  condition(term: Term): string {
    switch (term.kind) {
      case "true":
      case "false":
        return term.kind;
      case "not":
        return `!${this.condition(term.children[0] as Term)}`;
      default: {
        if ((this.termUses.get(term) ?? 0) < 2) return `(${this.compute(term)})`;
        return this.shared(term);
      }
    }
  }

  /** Expression for a condition that is asked for several times: its result is kept in a bit. */
  private shared(term: Term): string {
    let code = this.sharedCode.get(term);
    if (code === undefined) {
      const bit = this.sharedCode.size;
      const known = `K${bit >> 5}`;
      const value = `V${bit >> 5}`;
      const mask = 1 << (bit & 31);
      this.sharedCode.set(term, "");
      const compute = `(${known}|=${mask},(${this.compute(term)})?(${value}|=${mask},true):false)`;
      const first = term.weight <= MAX_REPEATED ? compute : this.helper(`return ${compute};`);
      code = `(${known}&${mask}?(${value}&${mask})!==0:${first})`;
      this.sharedCode.set(term, code);
    }
    return code;
  }

  private compute(term: Term): string {
    if (term.check !== null) return this.checkCode(term.check);
    if (term.weight <= MAX_WEIGHT && term.children.length <= MAX_OPERANDS) return this.joined(term, term.children);
    // Too much for one function: pieces of it, each in a function of its own.
    let call = this.termFunctions.get(term);
    if (call === undefined) {
      const decisive = term.kind === "or";
      let body = "";
      for (const piece of pieces(term.children)) {
        const code = this.joined(term, piece);
        const part = piece.length > 1 ? this.helper(`return ${code};`) : code;
        body += `if(${decisive ? "" : "!"}(${part}))return ${decisive};`;
      }
      call = this.helper(`${body}return ${!decisive};`);
      this.termFunctions.set(term, call);
    }
    return call;
  }

  private joined(term: Term, operands: readonly Term[]): string {
    return operands.map((c) => this.condition(c)).join(term.kind === "and" ? "&&" : "||");
  }

  /** Expression for a value that is read from the context. */
  private read({ key, read }: Read): string {
    let name = this.readers.get(key);
    if (name === undefined) {
      name = this.ref(read);
      this.readers.set(key, name);
    }
    if ((this.readUses.get(key) ?? 0) < 2) return `${name}(c)`;
    let slot = this.slots.get(key);
    if (slot === undefined) {
      slot = `f${this.slots.size}`;
      this.slots.set(key, slot);
    }
    return `(${slot}===N?${slot}=${name}(c):${slot})`;
  }

  private checkCode(check: Check): string {
    const { left, right, op } = check;
    const v = this.read(leftRead(check));
    if (op === "exists") return `${v}!==void 0`;
    if (readsCandidates(check)) return `(t=${v})!==void 0&&${this.ref(candidatesTest(check))}(t)`;
    if (right !== null) {
      const both = `(t=${v})!==void 0&&(u=${this.read(valueRead(right))})!==void 0`;
      if (op === "=" && !left.list) return `${both}&&t===u`;
      return `${both}&&${this.ref((a: never, b: never) => decideBoth(check, a, b))}(t,u)`;
    }
    if (left.list) return `(t=${v})!==void 0&&${this.ref(listTest(check))}(t)`;
    return this.scalarCode(check, v);
  }

  /** A comparison of one value with constants. */
  private scalarCode(check: Check, v: string): string {
    const { op, modifier } = check;
    const values = modifier === null ? scalarsOf(check) : undefined;
    if (values !== undefined) {
      const only = values.length === 1 ? this.ref(values[0]) : "";
      switch (op) {
        case "=":
        case "in":
        case "intersects":
          if (values.length === 0) return "false";
          if (values.length === 1) return `${v}===${only}`;
          if (values.length > MAX_CHAIN) return `${this.ref(new Set(values))}.has(${v})`;
          return values.map((k, i) => `${i === 0 ? `(t=${v})` : "t"}===${this.ref(k)}`).join("||");
        case "!=":
          return `(t=${v})!==void 0&&t!==${only}`;
        case "<":
        case "<=":
        case ">":
        case ">=":
          return `(t=${v})!==void 0&&t${op}${only}`;
        case "around":
          return `(t=${v})!==void 0&&t<=${only}`;
        case "startswith":
        case "bstartswith":
          return `(t=${v})!==void 0&&t.startsWith(${only})`;
        case "endswith":
          return `(t=${v})!==void 0&&t.endsWith(${only})`;
        case "contains":
        case "bcontains":
          return `(t=${v})!==void 0&&t.includes(${only})`;
      }
    }
    return `(t=${v})!==void 0&&${this.ref(valueTest(check))}(t)`;
  }

  /**
   * Compiles the unit to a function (c, o) with the given body, where `c` is the context. `results` are further
   * variables of the body and of helpers, with what they are at the start.
   */
  build(body: string, results: Readonly<Record<string, string>> = {}): (c: Context, o: number[]) => number | boolean {
    const start: string[] = Object.entries(results).map(([name, value]) => `${name}=${value}`);
    for (let i = 0; i < (this.sharedCode.size + 31) >> 5; i++) start.push(`K${i}=0`, `V${i}=0`);
    for (const slot of this.slots.values()) start.push(`${slot}=N`);
    const shared = this.functions.length > 0 && start.length > 0;
    const names = start.map((s) => s.slice(0, s.indexOf("=")));
    const params = this.constants.map((_, i) => `k${i}=k[${i}]`).join();
    const source = [
      '"use strict";',
      params === "" ? "" : `const ${params};`,
      shared ? `let ${names.join()};` : "",
      ...this.functions,
      `return function(c,o){let t,u${shared || start.length === 0 ? "" : `,${start.join()}`};`,
      shared ? `${start.join(";")};` : "",
      `${body}};`,
    ].join("");
    return new Function("k", "N", source)(this.constants, UNREAD) as (c: Context, o: number[]) => number | boolean;
  }
}

const UNREAD = Symbol("unread");

/** Operands in groups that fit one function each. */
function pieces(operands: readonly Term[]): Term[][] {
  const out: Term[][] = [];
  let piece: Term[] = [];
  let weight = 0;
  for (const t of operands) {
    if (piece.length > 0 && (piece.length >= MAX_OPERANDS || weight + t.weight > MAX_WEIGHT)) {
      out.push(piece);
      piece = [];
      weight = 0;
    }
    piece.push(t);
    weight += t.weight;
  }
  if (piece.length > 0) out.push(piece);
  return out;
}
