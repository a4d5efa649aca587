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

/** The filter as text. */
export function printFilter(ast: Ast): string {
  return toText(printFilterBytes(ast));
}

/** The filter as a byte string. */
export function printFilterBytes(ast: Ast): string {
  switch (ast.kind) {
    case "and":
    case "or":
      return `(${ast.children.map(printFilterBytes).join(` ${ast.kind} `)})`;
    case "not":
      return `not ${printFilterBytes(ast.child)}`;
    case "identifier":
      return ast.name;
    case "exists":
      return `${printOperand(ast.left)} exists`;
    case "compare": {
      const op = ast.modifier === null ? ast.op : `${ast.op} ${ast.modifier}`;
      return `${printOperand(ast.left)} ${op} ${printRight(ast.right)}`;
    }
  }
}

/** A field or transformer as it is written on the left-hand side. */
export function printOperand(node: LeftNode): string {
  return node.kind === "field" ? printField(node) : printTransformer(node);
}

function printRight(node: RightNode): string {
  switch (node.kind) {
    case "value":
      return node.number ? node.text : quoteIfNeeded(node.text);
    case "list":
      return node.bare ? node.items.join("") : `(${node.items.map(quoteIfNeeded).join(", ")})`;
    case "field":
      return `val(${printField(node)})`;
    case "transformer":
      return printTransformer(node);
  }
}

function printField(node: FieldNode): string {
  if (node.arg === null) return node.name;
  return `${node.name}[${printArgument(node.arg)}]`;
}

function printArgument(arg: string): string {
  return new Scanner(arg).bareArg() === arg && !needsQuotes(arg) ? arg : quote(arg);
}

function printTransformer(node: TransformerNode): string {
  const text = `${node.name}(${node.args.map(printArg).join(",")})`;
  return node.key === null ? text : `${text}[${printArgument(node.key)}]`;
}

function printArg(node: ArgNode): string {
  switch (node.kind) {
    case "value":
      return node.number ? node.text : quote(node.text);
    case "arglist":
      return `(${node.items.map(printArg).join(",")})`;
    default:
      return printOperand(node);
  }
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
