// SPDX-License-Identifier: Apache-2.0
// Recursive-descent parser of the filter language: text → syntax tree, or an error with line and column.
import { toBytes } from "../scap/bytes.ts";
import type {
  ArgNode,
  Ast,
  CheckNode,
  FieldNode,
  LeftNode,
  ListNode,
  Modifier,
  Operator,
  Pos,
  RightNode,
  TransformerNode,
  ValueNode,
} from "./ast.ts";
import { FilterError, type FilterErrorKind } from "./errors.ts";
import { EscapeProblem, Scanner } from "./scanner.ts";

/** Levels of recursion that are allowed unless the caller says otherwise (18 nested parentheses). */
export const DEFAULT_MAX_DEPTH = 100;
/** The same for conditions of rules (198 nested parentheses). */
export const RULES_MAX_DEPTH = 1000;

/** Names that open a transformer. */
export const TRANSFORMER_NAMES = ["tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"] as const;

// In the order in which they are tried.
const NUMBER_OPS: readonly Operator[] = ["<=", "<", ">=", ">"];
const SIGN_OPS: readonly Operator[] = ["==", "=", "!="];
const WORD_OPS: readonly Operator[] = [
  "glob",
  "iglob",
  "contains",
  "icontains",
  "bcontains",
  "startswith",
  "bstartswith",
  "endswith",
  "regex",
];
const LIST_OPS: readonly Operator[] = ["intersects", "in", "pmatch"];
const MODIFIERS: readonly Modifier[] = ["oneof", "anyof", "allof"];

const BLANK_FOLLOWS = "(?=[ \\t\\b\\r\\n])";
const NOT = /not[ \t\n\v\f\r]+/y;

/** Source of an expression for one of the words, which are tried in order. */
function oneOf(words: readonly string[], follow = ""): string {
  return `(?:${words.map((w) => w.replace(/[<>=!]/g, "\\$&")).join("|")})${follow}`;
}

const OPERATOR = new RegExp(
  [oneOf([...NUMBER_OPS, ...SIGN_OPS]), oneOf(WORD_OPS, BLANK_FOLLOWS), oneOf(LIST_OPS)].join("|"),
  "y",
);
const TRANSFORMER = new RegExp(oneOf(TRANSFORMER_NAMES, "(?=\\()"), "y");
const MODIFIER = new RegExp(oneOf(MODIFIERS, BLANK_FOLLOWS), "y");

/** Every operator in the words of the language, `exists` among them. */
export const OPERATOR_NAMES: readonly string[] = ["exists", ...NUMBER_OPS, ...SIGN_OPS, ...WORD_OPS, ...LIST_OPS];

/** True for an operator as a rule's exception may name it: `in`, `startswith`, `= oneof`, `contains anyof` … */
export function isOperator(text: string): boolean {
  const words = text.split(" ");
  const op = words[0] as Operator;
  if (words.length === 1) return OPERATOR_NAMES.includes(op);
  const takesModifier = SIGN_OPS.includes(op) || WORD_OPS.includes(op);
  return words.length === 2 && takesModifier && MODIFIERS.includes(words[1] as Modifier);
}

export interface ParseOptions {
  /** Levels of recursion allowed; DEFAULT_MAX_DEPTH. */
  maxDepth?: number;
}

/** Parses a filter. Throws FilterError with stage "parse". */
export function parseFilter(text: string, options: ParseOptions = {}): Ast {
  return parseFilterBytes(toBytes(text), options);
}

/** Parses a filter that is a byte string already (it need not be valid UTF-8). */
export function parseFilterBytes(bytes: string, options: ParseOptions = {}): Ast {
  return new Parser(bytes, options.maxDepth ?? DEFAULT_MAX_DEPTH).parse();
}

class Parser {
  private readonly scan: Scanner;
  private depth = 0;

  constructor(
    bytes: string,
    private readonly maxDepth: number,
  ) {
    this.scan = new Scanner(bytes);
  }

  parse(): Ast {
    if (this.scan.text.length === 0) throw this.error("the filter is empty");
    this.scan.blank();
    const ast = this.or();
    if (!this.scan.done) throw this.error(`expected 'and', 'or' or the end, found ${this.found()}`);
    return ast;
  }

  private error(message: string, kind: FilterErrorKind = "syntax", pos: Pos = this.scan.pos()): FilterError {
    return new FilterError("parse", kind, pos, message);
  }

  private found(): string {
    if (this.scan.done) return "the end";
    const rest = this.scan.text.slice(this.scan.at, this.scan.at + 32);
    const word = /^(?:[a-zA-Z0-9_.]+|[<>=!]+|[\x21-\x7e])/.exec(rest)?.[0];
    return word === undefined ? `byte 0x${rest.charCodeAt(0).toString(16).padStart(2, "0")}` : `'${word}'`;
  }

  private enter(): void {
    if (++this.depth >= this.maxDepth) {
      throw this.error(`nested too deeply: more than ${this.maxDepth} levels`, "depth");
    }
  }

  private leave(): void {
    this.depth--;
  }

  private or(): Ast {
    return this.chain("or", () => this.and());
  }

  private and(): Ast {
    return this.chain("and", () => this.not());
  }

  /** One or more operands joined by `word`; behind `word(` only the parenthesis counts as the operand. */
  private chain(word: "and" | "or", operand: () => Ast): Ast {
    const scan = this.scan;
    this.enter();
    scan.blank();
    const pos = scan.pos();
    const first = operand();
    let children: Ast[] | undefined;
    scan.blank();
    while (scan.take(word)) {
      children ??= [first];
      if (scan.blank()) children.push(operand());
      else if (scan.take("(")) children.push(this.embedded());
      else throw this.error(`expected a blank or '(' after '${word}'`);
      scan.blank();
    }
    this.leave();
    return children === undefined ? first : { kind: word, children, pos };
  }

  private not(): Ast {
    const scan = this.scan;
    this.enter();
    scan.blank();
    const pos = scan.pos();
    let negated = false;
    while (scan.match(NOT) !== undefined) negated = !negated;
    let child: Ast;
    if (scan.take("not(")) {
      negated = !negated;
      child = this.embedded();
    } else {
      child = this.check();
    }
    this.leave();
    return negated ? { kind: "not", child, pos } : child;
  }

  /** The rest of a parenthesised expression. */
  private embedded(): Ast {
    this.enter();
    this.scan.blank();
    const ast = this.or();
    this.close();
    this.leave();
    return ast;
  }

  private close(): void {
    this.scan.blank();
    if (!this.scan.take(")")) throw this.error(`expected ')', found ${this.found()}`);
  }

  private check(): Ast {
    const scan = this.scan;
    this.enter();
    const pos = scan.pos();
    scan.blank();
    let ast: Ast;
    if (scan.take("(")) {
      ast = this.embedded();
    } else {
      const left = this.fieldOrTransformer();
      if (left !== undefined) {
        ast = this.condition(left, pos);
      } else {
        const name = scan.identifier();
        if (name === undefined) {
          throw this.error(`expected '(', a field, a transformer or a macro's name, found ${this.found()}`);
        }
        ast = { kind: "identifier", name, pos };
      }
    }
    this.leave();
    return ast;
  }

  private fieldOrTransformer(): LeftNode | undefined {
    return this.transformer() ?? this.field();
  }

  private field(): FieldNode | undefined {
    const scan = this.scan;
    const pos = scan.pos();
    const name = scan.fieldName();
    if (name === undefined) return undefined;
    this.enter();
    const arg = scan.take("[") ? this.bracket() : null;
    this.leave();
    return { kind: "field", name, arg, pos };
  }

  /** The argument after `[`, and the closing bracket. */
  private bracket(): string {
    const arg = this.quoted() ?? this.scan.bareArg();
    if (arg === undefined) throw this.error(`expected an argument, quoted or bare, found ${this.found()}`);
    if (!this.scan.take("]")) throw this.error(`expected ']' after the argument, found ${this.found()}`);
    return arg;
  }

  private quoted(): string | undefined {
    const s = this.scan.quoted();
    if (s instanceof EscapeProblem) throw this.error(s.message);
    return s;
  }

  private transformer(): TransformerNode | undefined {
    const scan = this.scan;
    const pos = scan.pos();
    const name = scan.match(TRANSFORMER);
    if (name === undefined) return undefined;
    scan.take("(");
    this.enter();
    const args = this.args(() => this.argument());
    const key = scan.take("[") ? this.bracket() : null;
    this.leave();
    return { kind: "transformer", name, args, key, pos };
  }

  /** Arguments up to the closing parenthesis; there is at least one. */
  private args(one: () => ArgNode): ArgNode[] {
    const scan = this.scan;
    const args: ArgNode[] = [];
    do {
      scan.blank();
      args.push(one());
      scan.blank();
    } while (scan.take(","));
    this.close();
    return args;
  }

  private argument(): ArgNode {
    const scan = this.scan;
    this.enter();
    const pos = scan.pos();
    const node = this.fieldOrTransformer() ?? this.constantArgument(pos) ?? this.argumentList(pos);
    if (node === undefined) {
      throw this.error(
        `expected a field, a transformer, a quoted string, a number or a list in '(', found ${this.found()}`,
      );
    }
    this.leave();
    return node;
  }

  private constantArgument(pos: Pos): ValueNode | undefined {
    const text = this.quoted();
    if (text !== undefined) return { kind: "value", text, number: false, pos };
    const digits = this.scan.number();
    return digits === undefined ? undefined : { kind: "value", text: digits, number: true, pos };
  }

  private argumentList(pos: Pos): ArgNode | undefined {
    const scan = this.scan;
    if (!scan.take("(")) return undefined;
    scan.blank();
    const items = scan.take(")") ? [] : this.args(() => this.listArgument());
    return { kind: "arglist", items, pos };
  }

  private listArgument(): ArgNode {
    const node = this.fieldOrTransformer() ?? this.constantArgument(this.scan.pos());
    if (node !== undefined) return node;
    throw this.error(`expected a field, a transformer, a quoted string or a number, found ${this.found()}`);
  }

  /** What follows the left-hand side. */
  private condition(left: LeftNode, pos: Pos): CheckNode {
    const scan = this.scan;
    this.enter();
    scan.blank();
    let node: CheckNode | undefined;
    if (scan.take("exists")) {
      node = { kind: "exists", left, pos };
    } else {
      const op = this.operator();
      const apart = scan.blank();
      if (NUMBER_OPS.includes(op)) {
        node = { kind: "compare", left, op, modifier: null, right: this.numberValue(), pos };
      } else if (LIST_OPS.includes(op)) {
        node = { kind: "compare", left, op, modifier: null, right: this.listValue(), pos };
      } else {
        const modifier = apart ? this.modifier() : null;
        const right = modifier === null ? this.textValue() : this.list();
        node = { kind: "compare", left, op, modifier, right, pos };
      }
    }
    this.leave();
    return node;
  }

  private operator(): Operator {
    const op = this.scan.match(OPERATOR) as Operator | undefined;
    if (op === undefined) {
      throw this.error(`expected an operator (${OPERATOR_NAMES.join(" ")}), found ${this.found()}`);
    }
    return op;
  }

  /**
   * A modifier with the blank behind it (the caller has seen the one before). The same word is a plain constant when no
   * list follows: neither a parenthesis nor a list's name, which `and`, `or` and `not` cannot be.
   */
  private modifier(): Modifier | null {
    const scan = this.scan;
    const from = scan.at;
    const word = scan.match(MODIFIER) as Modifier | undefined;
    if (word === undefined) return null;
    scan.blank();
    if (/^(?:\(|(?!(?:and|or|not)(?![a-zA-Z0-9]))[a-zA-Z])/.test(scan.text.slice(scan.at, scan.at + 4))) return word;
    scan.at = from;
    return null;
  }

  private dynamicValue(): RightNode | undefined {
    const scan = this.scan;
    this.enter();
    const pos = scan.pos();
    let node: RightNode | undefined;
    if (scan.take("val(")) {
      scan.blank();
      const field = this.field();
      if (field === undefined) throw this.error(`expected a field inside 'val()', found ${this.found()}`);
      this.close();
      const key = scan.take("[") ? this.bracket() : null;
      node = key === null ? field : { kind: "transformer", name: "val", args: [field], key, pos };
    } else {
      node = this.transformer();
    }
    this.leave();
    return node;
  }

  private numberValue(): RightNode {
    this.enter();
    const pos = this.scan.pos();
    const node = this.dynamicValue() ?? this.constantNumber(pos);
    if (node === undefined) throw this.error(`expected a number, val() or a transformer, found ${this.found()}`);
    this.leave();
    return node;
  }

  private constantNumber(pos: Pos): ValueNode | undefined {
    const text = this.scan.number();
    return text === undefined ? undefined : { kind: "value", text, number: true, pos };
  }

  private textValue(): RightNode {
    this.enter();
    const pos = this.scan.pos();
    let node = this.dynamicValue();
    if (node === undefined) {
      const text = this.constant();
      if (text === undefined) throw this.error(`expected a value, val() or a transformer, found ${this.found()}`);
      node = { kind: "value", text, number: false, pos };
    }
    this.leave();
    return node;
  }

  private constant(): string | undefined {
    return this.quoted() ?? this.scan.bareText();
  }

  /** What stands behind a list operator. */
  private listValue(): RightNode {
    this.enter();
    const pos = this.scan.pos();
    const node = this.items(pos) ?? this.dynamicValue() ?? this.listName(pos);
    this.leave();
    return node;
  }

  /** What stands behind a modifier. */
  private list(): ListNode {
    this.enter();
    const pos = this.scan.pos();
    const node = this.items(pos) ?? this.listName(pos);
    this.leave();
    return node;
  }

  private listName(pos: Pos): ListNode {
    const name = this.scan.identifier();
    if (name === undefined) throw this.error(`expected a list in '(' or a list's name, found ${this.found()}`);
    return { kind: "list", items: [name], bare: true, pos };
  }

  /** Constants in parentheses; undefined when no parenthesis opens here. */
  private items(pos: Pos): ListNode | undefined {
    const scan = this.scan;
    if (!scan.take("(")) return undefined;
    scan.blank();
    const first = this.firstItem();
    const items = first === undefined ? [] : [first];
    scan.blank();
    while (items.length > 0 && scan.take(",")) {
      scan.blank();
      items.push(this.item());
      scan.blank();
    }
    this.close();
    return { kind: "list", items, bare: false, pos };
  }

  private item(): string {
    this.enter();
    const item = this.constant();
    if (item === undefined) throw this.error(`expected a value in the list, found ${this.found()}`);
    this.leave();
    return item;
  }

  /** Where the first item is none, the list is empty. A string with a wrong escape is passed over like that, too. */
  private firstItem(): string | undefined {
    const depth = this.depth;
    try {
      return this.item();
    } catch (e) {
      if (!(e instanceof FilterError)) throw e;
      this.depth = depth;
      return undefined;
    }
  }
}
