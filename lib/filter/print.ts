// SPDX-License-Identifier: Apache-2.0
// Prints a syntax tree back in one canonical form that parses to the same tree.
import { toText } from "../scap/bytes.ts";
import type { ArgNode, Ast, FieldNode, LeftNode, RightNode, TransformerNode } from "./ast.ts";
import { Scanner } from "./scanner.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\\": "\\\\",
  '"': '\\"',
};

/** How constants are written. */
interface Style {
  value(text: string): string;
  /** What stands in brackets behind a field or transformer. */
  key(text: string): string;
  /** A constant among the arguments of a transformer. */
  argument(text: string): string;
}

/** Parses to the same tree again. */
const EXACT: Style = { value: quoteIfNeeded, key: quoteKey, argument: quote };
/** As Falco shows conditions: quotes only where there are blanks, quotes, backslashes or equals signs. */
const BRIEF: Style = { value: brief, key: (text) => (text === "" ? '""' : brief(text)), argument: brief };

/** The filter as text. */
export function printFilter(ast: Ast): string {
  return toText(printFilterBytes(ast));
}

/** The filter as Falco shows it, in which quotes can be missing that another reading would need. */
export function printFilterBriefly(ast: Ast): string {
  return toText(print(ast, BRIEF));
}

/** The filter as a byte string. */
export function printFilterBytes(ast: Ast): string {
  return print(ast, EXACT);
}

function print(ast: Ast, style: Style): string {
  switch (ast.kind) {
    case "and":
    case "or":
      return `(${ast.children.map((c) => print(c, style)).join(` ${ast.kind} `)})`;
    case "not":
      return `not ${print(ast.child, style)}`;
    case "identifier":
      return ast.name;
    case "exists":
      return `${printLeft(ast.left, style)} exists`;
    case "compare": {
      const op = ast.modifier === null ? ast.op : `${ast.op} ${ast.modifier}`;
      return `${printLeft(ast.left, style)} ${op} ${printRight(ast.right, style)}`;
    }
  }
}

/** A field or transformer as it is written on the left-hand side. */
export function printOperand(node: LeftNode): string {
  return printLeft(node, EXACT);
}

function printLeft(node: LeftNode, style: Style): string {
  return node.kind === "field" ? printField(node, style) : printTransformer(node, style);
}

function printRight(node: RightNode, style: Style): string {
  switch (node.kind) {
    case "value":
      return node.number ? node.text : style.value(node.text);
    case "list":
      return node.bare ? node.items.join("") : `(${node.items.map(style.value).join(", ")})`;
    case "field":
      return `val(${printField(node, style)})`;
    case "transformer":
      return printTransformer(node, style);
  }
}

function printField(node: FieldNode, style: Style): string {
  return node.arg === null ? node.name : `${node.name}[${style.key(node.arg)}]`;
}

function printTransformer(node: TransformerNode, style: Style): string {
  const text = `${node.name}(${node.args.map((arg) => printArg(arg, style)).join(",")})`;
  return node.key === null ? text : `${text}[${style.key(node.key)}]`;
}

function printArg(node: ArgNode, style: Style): string {
  switch (node.kind) {
    case "value":
      return node.number ? node.text : style.argument(node.text);
    case "arglist":
      return `(${node.items.map((item) => printArg(item, style)).join(",")})`;
    default:
      return printLeft(node, style);
  }
}

function quoteKey(text: string): string {
  return new Scanner(text).bareArg() === text && !needsQuotes(text) ? text : quote(text);
}

function brief(text: string): string {
  return /[\b\f\n\r\t =\\"'\0]/.test(text) ? quote(text) : text;
}

/** Texts that stand bare without a closer look: most of them. */
const PLAIN = /^[A-Za-z0-9_./:*+@%-]+$/;

function quoteIfNeeded(text: string): string {
  if (PLAIN.test(text)) return text;
  return new Scanner(text).bareText() === text && !needsQuotes(text) ? text : quote(text);
}

/** Bytes that could stand bare but read better escaped. */
function needsQuotes(text: string): boolean {
  return text.includes("\\") || text.includes("\0") || text.includes("\b") || text.includes("=");
}

function quote(text: string): string {
  let out = '"';
  for (const c of text) out += c === "\0" ? "\\x00" : (ESCAPES[c] ?? c);
  return `${out}"`;
}
