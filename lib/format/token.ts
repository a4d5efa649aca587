// SPDX-License-Identifier: Apache-2.0
// What may follow a "%": a field, or a transformer call over fields and constants.
import { escapeAt } from "../fields/escapes.ts";
import type { Scalar, Value } from "../fields/field.ts";
import { argumentWanted, type FieldRegistry, type ResolvedField } from "../fields/registry.ts";
import * as functions from "../fields/transformers.ts";
import { TRANSFORMERS, type TransformerRule } from "../fields/transformers.ts";
import { fieldText } from "../fields/values.ts";
import { PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";

/** An expression behind a "%". */
export interface Token {
  /** As written in JSON keys: `proc.aname[2]`, `concat(proc.name,-,proc.exe)`. */
  readonly name: string;
  /** The field, when it is one and not a transformer. */
  readonly field: ResolvedField | null;
  /** Names of the fields inside, then the transformer's own. */
  readonly names: readonly string[];
  /** The fields inside. */
  readonly fields: readonly ResolvedField[];
  readonly type: number;
  readonly list: boolean;
  /**
   * What it counts as among the arguments of a transformer that takes several: a field inside of transformers of one
   * argument as itself, a call of several arguments as text.
   */
  readonly shape: { readonly type: number; readonly list: boolean };
  /** Byte string; undefined when the event has no value. */
  text(ctx: Context): string | undefined;
  value(ctx: Context): Value | undefined;
}

/** A place where no expression stands; `what` says why. */
export class TokenError extends Error {
  override name = "TokenError";
  constructor(
    readonly what: string,
    readonly position: number,
    readonly nearest?: string,
    readonly unknownField = false,
  ) {
    super(what);
  }
}

/** Deepest nesting of transformer calls. */
const MAX_DEPTH = 47;

const CALL = /^([a-z0-9]+)\(/;

interface Parsed {
  token: Token;
  /** Position behind it. */
  end: number;
}

/** Parses the expression at `at`. Throws TokenError. */
export function parseToken(text: string, at: number, registry: FieldRegistry): Parsed {
  const name = CALL.exec(text.slice(at, at + 32))?.[1];
  const rule = name === undefined ? undefined : TRANSFORMERS[name];
  if (name !== undefined && rule !== undefined) return parseCall(text, at, name, rule, registry, 1);
  const match = registry.matchPrefix(text.slice(at, at + 8192));
  if (match === undefined) {
    const word = /^[A-Za-z0-9_.]+/.exec(text.slice(at, at + 100))?.[0] ?? "";
    if (word === "") throw new TokenError("expected the name of a field", at);
    const known = registry.lookup(word);
    if (known !== undefined) throw new TokenError(`'${word}' needs an argument: ${argumentWanted(known)}`, at);
    throw new TokenError(`'${word}' is no field`, at, registry.suggest(word), true);
  }
  return { token: fieldToken(match.field), end: at + match.length };
}

function fieldToken(field: ResolvedField): Token {
  return {
    name: field.token,
    field,
    names: [field.token],
    fields: [field],
    type: field.type,
    list: field.list,
    shape: field,
    text: (ctx) => fieldText(field, ctx),
    value: field.extract,
  };
}

function constant(value: string): Token {
  return {
    name: value,
    field: null,
    names: [],
    fields: [],
    type: PT.CHARBUF,
    list: false,
    shape: { type: PT.CHARBUF, list: false },
    text: () => value,
    value: () => value,
  };
}

function skipBlanks(text: string, at: number): number {
  while (" \t\b\r\n".includes(text[at] ?? "x")) at++;
  return at;
}

function parseCall(
  text: string,
  at: number,
  name: string,
  rule: TransformerRule,
  registry: FieldRegistry,
  depth: number,
): Parsed {
  if (depth > MAX_DEPTH) throw new TokenError(`more than ${MAX_DEPTH} transformers inside each other`, at);
  const args: Token[] = [];
  const starts: number[] = [];
  let p = skipBlanks(text, at + name.length + 1);
  for (;;) {
    const arg = parseArgument(text, p, registry, depth);
    args.push(arg.token);
    starts.push(p);
    p = skipBlanks(text, arg.end);
    if (text[p] === ")") break;
    if (text[p] !== ",") throw new TokenError(`expected ',' or ')' in ${name}()`, p);
    p = skipBlanks(text, p + 1);
  }
  checkArguments(name, rule, args, starts, at);
  let selector: string | null = null;
  p++;
  // What is no option letter in brackets is text behind the call.
  const key = rule.selector ? /^\[(?:"([^"\\])"|'([^'\\])'|([^\][\s"']))\]/.exec(text.slice(p, p + 5)) : null;
  if (key !== null) {
    selector = key[1] ?? key[2] ?? key[3] ?? "";
    p += key[0].length;
  }
  return { token: callToken(name, rule, args, selector), end: p };
}

function parseArgument(text: string, at: number, registry: FieldRegistry, depth: number): Parsed {
  const c = text[at];
  if (c === '"' || c === "'") return parseQuoted(text, at, c);
  if (c === "(") return parseList(text, at, registry, depth);
  const number = NUMBER.exec(text.slice(at, at + 1024))?.[0];
  if (number !== undefined) return { token: constant(number), end: at + number.length };
  const call = CALL.exec(text.slice(at, at + 32))?.[1];
  const rule = call === undefined ? undefined : TRANSFORMERS[call];
  const parsed =
    call !== undefined && rule !== undefined
      ? parseCall(text, at, call, rule, registry, depth + 1)
      : parseToken(text, at, registry);
  if (/[A-Za-z0-9_.[]/.test(text[parsed.end] ?? "")) {
    throw new TokenError(`expected ',' or ')' behind '${parsed.token.name}'`, parsed.end);
  }
  return parsed;
}

const NUMBER = /^(?:0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?)/;

function parseQuoted(text: string, at: number, quote: string): Parsed {
  let value = "";
  for (let p = at + 1; p < text.length; p++) {
    const c = text[p] as string;
    if (c === quote) return { token: constant(value), end: p + 1 };
    if (c !== "\\") {
      value += c;
      continue;
    }
    const found = escapeAt(text, p + 1, quote);
    if (found === undefined) throw new TokenError(`no escape '\\${text[p + 1] ?? ""}' in a string`, p);
    value += found.value;
    p += found.length;
  }
  throw new TokenError(`expected a closing ${quote}`, at);
}

/** `(a, b)`: a list of values. */
function parseList(text: string, at: number, registry: FieldRegistry, depth: number): Parsed {
  const items: Token[] = [];
  let p = skipBlanks(text, at + 1);
  while (text[p] !== ")") {
    if (text[p] === "(") throw new TokenError("a list cannot hold a list", p);
    const item = parseArgument(text, p, registry, depth + 1);
    items.push(item.token);
    p = skipBlanks(text, item.end);
    if (text[p] === ",") p = skipBlanks(text, p + 1);
    else if (text[p] !== ")") throw new TokenError("expected ',' or ')' in a list", p);
  }
  const values = (ctx: Context): Scalar[] | undefined => {
    const out: Scalar[] = [];
    for (const item of items) {
      const v = item.text(ctx);
      if (v === undefined) return undefined;
      out.push(v);
    }
    return out;
  };
  const token: Token = {
    name: `(${items.map((i) => i.name).join(",")})`,
    field: null,
    names: items.flatMap((i) => i.fields.map((f) => f.token)),
    fields: items.flatMap((i) => i.fields),
    type: PT.CHARBUF,
    list: true,
    shape: { type: PT.CHARBUF, list: true },
    value: values,
    text: (ctx) => values(ctx)?.join(","),
  };
  return { token, end: p + 1 };
}

/** `starts`: where the arguments begin. */
function checkArguments(
  name: string,
  rule: TransformerRule,
  args: readonly Token[],
  starts: readonly number[],
  at: number,
): void {
  if (args.length < rule.args.length || (!rule.variadic && args.length > rule.args.length)) {
    throw new TokenError(
      `${name}() takes ${rule.variadic ? "at least " : ""}${rule.args.length} arguments, found ${args.length}`,
      at,
    );
  }
  const unary = rule.args.length === 1;
  args.forEach((arg, i) => {
    const kind = rule.args[Math.min(i, rule.args.length - 1)];
    if (unary) {
      if (arg.field?.field.flags.noTransformer === true) {
        throw new TokenError(`'${arg.name}' cannot be used in a transformer`, starts[i] as number);
      }
      const lengthOfList = name === "len" && arg.list;
      if (rule.accepts.length > 0 && !rule.accepts.includes(arg.type) && !lengthOfList) {
        throw new TokenError(`${name}() cannot be applied to '${arg.name}': its type is not text`, at);
      }
      return;
    }
    if ((kind === "list") !== arg.shape.list) {
      throw new TokenError(`${name}() needs ${kind === "list" ? "a list" : "one value"} as argument ${i + 1}`, at);
    }
    if (name !== "join" && arg.shape.type !== PT.CHARBUF) {
      throw new TokenError(`${name}() needs text as argument ${i + 1}`, at);
    }
  });
}

/** Applies a function to a string, or to every string of a list. */
function mapped(fn: (s: string) => string | undefined, v: Value | undefined): Value | undefined {
  if (typeof v === "string") return fn(v);
  if (typeof v !== "object") return undefined;
  const out: Scalar[] = [];
  for (const e of v) {
    const r = fn(String(e));
    if (r === undefined) return undefined;
    out.push(r);
  }
  return out;
}

const UNARY: Readonly<Record<string, (s: string) => string | undefined>> = {
  tolower: functions.tolower,
  toupper: functions.toupper,
  basename: functions.basename,
  b64: functions.b64,
};

/** What a call gives. */
function evaluator(name: string, args: readonly Token[], selector: string | null): (ctx: Context) => Value | undefined {
  const [first, second] = args as readonly [Token, Token];
  const unary = UNARY[name];
  if (unary !== undefined) return (ctx) => mapped(unary, first.value(ctx));
  const list = (token: Token, ctx: Context): readonly Scalar[] | undefined => {
    const v = token.value(ctx);
    return typeof v === "object" ? v : undefined;
  };
  switch (name) {
    case "len":
      return (ctx) => functions.len(first.value(ctx));
    case "join":
      return (ctx) => {
        const separator = first.text(ctx);
        const items = list(second, ctx);
        return separator === undefined || items === undefined ? undefined : functions.join(separator, items);
      };
    case "concat":
      return (ctx) => {
        const parts: string[] = [];
        for (const a of args) {
          const v = a.value(ctx);
          // Of a list of options the first one counts.
          const part = typeof v === "object" ? v[0] : v;
          if (part === undefined) return undefined;
          parts.push(functions.scalarText(part));
        }
        return functions.concat(parts);
      };
    default:
      return (ctx) => {
        const words = list(first, ctx)?.map(String);
        const spec = second.text(ctx);
        if (words === undefined || spec === undefined) return undefined;
        return selector === null ? functions.getopt(words, spec) : functions.getoptKey(words, spec, selector);
      };
  }
}

function callToken(name: string, rule: TransformerRule, args: readonly Token[], selector: string | null): Token {
  const shown = `${name}(${args.map((a) => a.name).join(",")})${selector === null ? "" : `[${selector}]`}`;
  const value = evaluator(name, args, selector);
  const list = (rule.resultList && selector === null) || (UNARY[name] !== undefined && (args[0]?.list ?? false));
  return {
    name: shown,
    field: null,
    names: [...args.flatMap((a) => a.fields.map((f) => f.token)), shown],
    fields: args.flatMap((a) => a.fields),
    type: rule.result ?? (args[0]?.type as number),
    list,
    shape: (args.length === 1 ? args[0]?.shape : undefined) ?? { type: PT.CHARBUF, list: false },
    value,
    text: (ctx) => {
      const v = value(ctx);
      return v === undefined ? undefined : typeof v === "object" ? `(${v.join(",")})` : functions.scalarText(v);
    },
  };
}
