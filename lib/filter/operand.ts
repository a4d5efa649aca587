// SPDX-License-Identifier: Apache-2.0
// Operands of comparisons: fields and transformers bound to functions that read their value from the context.
import type { Field, Scalar, VARIES, Value } from "../fields/field.ts";
import { FieldArgError, UnknownFieldError } from "../fields/field.ts";
import type { ResolvedField } from "../fields/registry.ts";
import * as functions from "../fields/transformers.ts";
import { TRANSFORMERS, type TransformerRule } from "../fields/transformers.ts";
import { PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { ArgNode, FieldNode, LeftNode, Pos, TransformerNode, ValueNode } from "./ast.ts";
import { FilterError, type FilterErrorKind } from "./errors.ts";
import { printOperand } from "./print.ts";
import { typeName } from "./types.ts";

/** Where fields come from: FieldRegistry of lib/fields, or one with the fields of plugins added. */
export interface FieldProvider {
  /** Throws UnknownFieldError or FieldArgError. */
  resolve(name: string, arg: string | null): ResolvedField;
  /** True when `name` is a field, with or without a dotted argument. */
  has(name: string): boolean;
  /** Event names that plugins add to those of the kernel. */
  readonly eventNames?: ReadonlySet<string>;
}

/** A side of a comparison, ready to be read. */
export interface Operand {
  /** Canonical text; operands of equal text have equal values. */
  readonly text: string;
  /** One of PT; an element's for lists. */
  readonly type: number;
  readonly list: boolean;
  readonly extract: (ctx: Context) => Value | undefined;
  /**
   * How `all` is used: see Field.multi, or "hosts": comparisons with host names look at the address in `all`, other
   * operators at the text of `extract`.
   */
  readonly multi: "ancestors" | "ends" | "hosts" | null;
  readonly all: ((ctx: Context) => readonly Scalar[] | undefined) | null;
  readonly byEventType: ((eventId: number) => Value | undefined | typeof VARIES) | null;
  /** Null for transformers and constants. */
  readonly field: Field | null;
}

/** Fields whose wrong argument is told apart from a field that does not exist. */
const ARGUMENT_FIELDS = /^(?:evt\.(?:arg|rawarg|around)|fd\.types|thread\.cgroup|container|k8s)(?:\.|$)/;

/** Kind of error of a wrong argument: with most fields, name and argument together are no field. */
function argumentKind(name: string): FilterErrorKind {
  return ARGUMENT_FIELDS.test(name) ? "argument" : "unknown-field";
}

/** Makes operands; errors carry the place of the comparison they belong to. */
export class OperandBinder {
  constructor(
    private readonly provider: FieldProvider,
    /** Place that errors name. */
    private readonly pos: Pos,
  ) {}

  error(kind: FilterErrorKind, message: string): FilterError {
    return new FilterError("compile", kind, this.pos, message);
  }

  bind(node: LeftNode): Operand {
    return node.kind === "field" ? this.field(node) : this.transformer(node);
  }

  field(node: FieldNode): Operand {
    let found: ResolvedField;
    try {
      found = this.provider.resolve(node.name, node.arg);
    } catch (e) {
      if (e instanceof UnknownFieldError) throw this.error("unknown-field", e.message);
      if (e instanceof FieldArgError) throw this.error(argumentKind(node.name), e.message);
      throw e;
    }
    const multi = found.all === undefined ? null : (found.field.multi ?? "hosts");
    return {
      text: printOperand(node),
      type: found.type,
      list: found.list,
      extract: found.extract,
      multi,
      all: multi === null ? null : (found.all ?? null),
      byEventType: found.byEventType ?? null,
      field: found.field,
    };
  }

  private transformer(node: TransformerNode): Operand {
    if (node.name === "val") throw this.error("argument", "'val()' takes no key in brackets");
    const rule = TRANSFORMERS[node.name];
    if (rule === undefined) throw this.error("type", `no transformer named '${node.name}'`);
    const least = rule.args.length;
    if (node.args.length < least || (!rule.variadic && node.args.length > least)) {
      const many = `${least}${rule.variadic ? " or more" : ""} argument${least === 1 && !rule.variadic ? "" : "s"}`;
      throw this.error("type", `'${node.name}()' takes ${many}, found ${node.args.length}`);
    }
    const several = least > 1 || rule.variadic;
    const args = node.args.map((arg) => this.argument(arg));
    const key = this.selector(node, rule);
    const base = { text: printOperand(node), multi: null, all: null, byEventType: null, field: null };
    if (several) {
      args.forEach((arg, i) => {
        const want = rule.args[Math.min(i, least - 1)] ?? "text";
        this.checkShape(node.name, node.args[i] as ArgNode, arg, want);
      });
      const list = rule.resultList && key === null;
      return { ...base, type: rule.result ?? PT.CHARBUF, list, extract: compose(node.name, args, key) };
    }
    const first = args[0] as Operand;
    if (first.field?.flags.noTransformer === true) {
      throw this.error("type", `'${first.text}' cannot be given to a transformer`);
    }
    const countsList = first.list && node.name === "len";
    if (rule.accepts.length > 0 && !countsList && !rule.accepts.includes(first.type)) {
      throw this.error("type", `'${node.name}()' cannot take '${first.text}', which is ${typeName(first.type)}`);
    }
    const list = first.list && !countsList;
    return { ...base, type: rule.result ?? first.type, list, extract: unary(node.name, first) };
  }

  private selector(node: TransformerNode, rule: TransformerRule): string | null {
    if (node.key === null) return null;
    if (!rule.selector) throw this.error("argument", `'${node.name}()' takes no key in brackets`);
    if (node.key.length !== 1) {
      throw this.error("argument", `the key of '${node.name}()' is one option letter, found '${node.key}'`);
    }
    return node.key;
  }

  /** Checks an argument of a transformer that takes several. */
  private checkShape(name: string, node: ArgNode, arg: Operand, want: TransformerRule["args"][number]): void {
    const { type, list } = this.shape(node);
    if (want === "list" && !list) throw this.error("type", `'${name}()' needs a list, and '${arg.text}' is none`);
    if (want !== "list" && list) throw this.error("type", `'${name}()' takes no list here`);
    if (want !== "value" && name !== "join" && type !== PT.CHARBUF) {
      throw this.error("type", `'${name}()' needs text, and '${arg.text}' is ${typeName(type)}`);
    }
  }

  /** What an argument counts as: a field inside of transformers of one argument as itself, a call of several as text. */
  private shape(node: ArgNode): { type: number; list: boolean } {
    if (node.kind === "field") return this.field(node);
    if (node.kind === "transformer" && node.args.length === 1) return this.shape(node.args[0] as ArgNode);
    return { type: PT.CHARBUF, list: node.kind === "arglist" };
  }

  private argument(node: ArgNode): Operand {
    switch (node.kind) {
      case "field":
      case "transformer":
        return this.bind(node);
      case "value":
        return constant(node);
      case "arglist": {
        const items = node.items.map((item) => this.argument(item));
        return {
          text: `(${items.map((i) => i.text).join(",")})`,
          type: PT.CHARBUF,
          list: true,
          extract: (ctx) => collect(items, ctx),
          multi: null,
          all: null,
          byEventType: null,
          field: null,
        };
      }
    }
  }
}

function constant(node: ValueNode): Operand {
  const text = node.text;
  return {
    text: JSON.stringify(text),
    type: PT.CHARBUF,
    list: false,
    extract: () => text,
    multi: null,
    all: null,
    byEventType: null,
    field: null,
  };
}

/** The values of several operands in one list; lists among them are opened. Undefined when one is missing. */
function collect(items: readonly Operand[], ctx: Context): Scalar[] | undefined {
  const out: Scalar[] = [];
  for (const item of items) {
    const v = item.extract(ctx);
    if (v === undefined) return undefined;
    if (typeof v === "object") out.push(...v);
    else out.push(v);
  }
  return out;
}

const TEXT_FUNCTIONS: Readonly<Record<string, (s: string) => string | undefined>> = {
  tolower: functions.tolower,
  toupper: functions.toupper,
  basename: functions.basename,
  b64: functions.b64,
};

/** Reader of a transformer with one argument; lists are transformed element by element. */
function unary(name: string, arg: Operand): Operand["extract"] {
  const read = arg.extract;
  if (name === "len") return (ctx) => functions.len(read(ctx));
  const fn = TEXT_FUNCTIONS[name];
  if (fn === undefined) throw new TypeError(`transformer '${name}' has no function`);
  return (ctx) => {
    const v = read(ctx);
    if (typeof v === "string") return fn(v);
    if (!Array.isArray(v)) return undefined;
    const out: Scalar[] = [];
    for (const element of v) {
      const r = typeof element === "string" ? fn(element) : undefined;
      if (r === undefined) return undefined;
      out.push(r);
    }
    return out;
  };
}

/** Reader of a transformer with several arguments. */
function compose(name: string, args: readonly Operand[], key: string | null): Operand["extract"] {
  const [a, b] = args as readonly [Operand, Operand];
  switch (name) {
    case "concat":
      return (ctx) => {
        const parts: Scalar[] = [];
        for (const arg of args) {
          const v = arg.extract(ctx);
          // Of a list of options the first one counts.
          const part = typeof v === "object" ? v[0] : v;
          if (part === undefined) return undefined;
          parts.push(part);
        }
        return functions.concat(parts);
      };
    case "join":
      return (ctx) => {
        const separator = a.extract(ctx);
        const list = b.extract(ctx);
        if (separator === undefined || typeof separator === "object" || !Array.isArray(list)) return undefined;
        return functions.join(functions.scalarText(separator), list);
      };
    case "getopt":
      return (ctx) => {
        const list = a.extract(ctx);
        const spec = b.extract(ctx);
        if (!Array.isArray(list) || typeof spec !== "string") return undefined;
        const words = list.map((v: Scalar) => functions.scalarText(v));
        return key === null ? functions.getopt(words, spec) : functions.getoptKey(words, spec, key);
      };
    default:
      throw new TypeError(`transformer '${name}' has no function`);
  }
}
