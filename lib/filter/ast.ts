// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a filter: node types, macro replacement, and what a tree mentions.

/** A place in the filter's text; line and column start at 1, columns and offset count bytes of its UTF-8 form. */
export interface Pos {
  readonly line: number;
  readonly col: number;
  readonly offset: number;
}

/** Modifiers between an operator and its list. */
export type Modifier = "oneof" | "anyof" | "allof";

/** Operators with a right-hand side. */
export type Operator =
  | "="
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "contains"
  | "icontains"
  | "bcontains"
  | "startswith"
  | "bstartswith"
  | "endswith"
  | "glob"
  | "iglob"
  | "regex"
  | "in"
  | "intersects"
  | "pmatch";

/** A field with its bracketed argument (without quotes), as written: nothing is looked up yet. */
export interface FieldNode {
  readonly kind: "field";
  readonly name: string;
  readonly arg: string | null;
  readonly pos: Pos;
}

/** `name(args)`, with `[key]` behind it for getopt. */
export interface TransformerNode {
  readonly kind: "transformer";
  readonly name: string;
  readonly args: readonly ArgNode[];
  readonly key: string | null;
  readonly pos: Pos;
}

/** A constant as a byte string. `number` is set for bare numbers among a transformer's arguments. */
export interface ValueNode {
  readonly kind: "value";
  readonly text: string;
  readonly number: boolean;
  readonly pos: Pos;
}

/** Constants in parentheses, or a bare name standing for a list (`bare`), which holds it as its only item. */
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly string[];
  readonly bare: boolean;
  readonly pos: Pos;
}

/** A parenthesised list among a transformer's arguments. */
export interface ArgListNode {
  readonly kind: "arglist";
  readonly items: readonly ArgNode[];
  readonly pos: Pos;
}

export type ArgNode = FieldNode | TransformerNode | ValueNode | ArgListNode;
export type LeftNode = FieldNode | TransformerNode;
/** `val(field)` is a FieldNode here. */
export type RightNode = ValueNode | ListNode | FieldNode | TransformerNode;

export interface LogicNode {
  readonly kind: "and" | "or";
  readonly children: readonly Ast[];
  readonly pos: Pos;
}

export interface NotNode {
  readonly kind: "not";
  readonly child: Ast;
  readonly pos: Pos;
}

/** A macro's name. */
export interface IdentifierNode {
  readonly kind: "identifier";
  readonly name: string;
  readonly pos: Pos;
}

export interface ExistsNode {
  readonly kind: "exists";
  readonly left: LeftNode;
  readonly pos: Pos;
}

export interface CompareNode {
  readonly kind: "compare";
  readonly left: LeftNode;
  readonly op: Operator;
  readonly modifier: Modifier | null;
  readonly right: RightNode;
  readonly pos: Pos;
}

export type CheckNode = ExistsNode | CompareNode;

/** A filter expression. */
export type Ast = LogicNode | NotNode | IdentifierNode | CheckNode;

/**
 * The tree with identifiers replaced by what `find` returns; null leaves one alone. Subtrees without identifiers are
 * shared with the original, and replacements are taken as they are (they are not searched again).
 */
export function replaceIdentifiers(ast: Ast, find: (name: string, pos: Pos) => Ast | null): Ast {
  switch (ast.kind) {
    case "identifier":
      return find(ast.name, ast.pos) ?? ast;
    case "not": {
      const child = replaceIdentifiers(ast.child, find);
      return child === ast.child ? ast : { ...ast, child };
    }
    case "and":
    case "or": {
      let changed = false;
      const children = ast.children.map((c) => {
        const r = replaceIdentifiers(c, find);
        if (r !== c) changed = true;
        return r;
      });
      return changed ? { ...ast, children } : ast;
    }
    default:
      return ast;
  }
}

/** What a filter mentions; each list without repetitions, in order of appearance. */
export interface FilterFacts {
  /** Fields as written, with arguments: `proc.aname[2]`. */
  readonly fields: readonly string[];
  /** Operators, with their modifier: `startswith oneof`; `exists` among them. */
  readonly operators: readonly string[];
  readonly transformers: readonly string[];
  /** Macro names. */
  readonly identifiers: readonly string[];
}

/** Collects the names that a filter mentions. */
export function filterFacts(ast: Ast): FilterFacts {
  const fields = new Set<string>();
  const operators = new Set<string>();
  const transformers = new Set<string>();
  const identifiers = new Set<string>();
  const operand = (n: ArgNode | RightNode): void => {
    switch (n.kind) {
      case "field":
        fields.add(n.arg === null || n.arg === "" ? n.name : `${n.name}[${n.arg}]`);
        break;
      case "transformer":
        transformers.add(n.name);
        n.args.forEach(operand);
        break;
      case "arglist":
        n.items.forEach(operand);
        break;
    }
  };
  const visit = (n: Ast): void => {
    switch (n.kind) {
      case "and":
      case "or":
        n.children.forEach(visit);
        break;
      case "not":
        visit(n.child);
        break;
      case "identifier":
        identifiers.add(n.name);
        break;
      case "exists":
        operators.add("exists");
        operand(n.left);
        break;
      case "compare":
        operators.add(n.modifier === null ? n.op : `${n.op} ${n.modifier}`);
        operand(n.left);
        operand(n.right);
        break;
    }
  };
  visit(ast);
  return {
    fields: [...fields],
    operators: [...operators],
    transformers: [...transformers],
    identifiers: [...identifiers],
  };
}
