// SPDX-License-Identifier: Apache-2.0
// How value types are compared: their kinds, the operators of each kind, and widths of integers.
import { PT } from "../schema/tables/enums.ts";
import type { Operator } from "./ast.ts";

/** Kinds of values that comparisons tell apart. */
export type Kind = "int" | "double" | "bool" | "text" | "bytes" | "ip" | "net";

/** Width and sign of an integer type. */
export interface IntShape {
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}

const signed = (bits: IntShape["bits"]): IntShape => ({ bits, signed: true });
const unsigned = (bits: IntShape["bits"]): IntShape => ({ bits, signed: false });

const INTS = new Map<number, IntShape>([
  [PT.INT8, signed(8)],
  [PT.INT16, signed(16)],
  [PT.INT32, signed(32)],
  [PT.INT64, signed(64)],
  [PT.ERRNO, signed(64)],
  [PT.FD, signed(64)],
  [PT.PID, signed(64)],
  [PT.FD32, signed(32)],
  [PT.PID32, signed(32)],
  [PT.UINT8, unsigned(8)],
  [PT.UINT16, unsigned(16)],
  [PT.UINT32, unsigned(32)],
  [PT.UINT64, unsigned(64)],
  [PT.L4PROTO, unsigned(8)],
  [PT.SOCKFAMILY, unsigned(8)],
  [PT.SIGTYPE, unsigned(8)],
  [PT.FLAGS8, unsigned(8)],
  [PT.ENUMFLAGS8, unsigned(8)],
  [PT.SYSCALLID, unsigned(16)],
  [PT.PORT, unsigned(16)],
  [PT.FLAGS16, unsigned(16)],
  [PT.ENUMFLAGS16, unsigned(16)],
  [PT.FLAGS32, unsigned(32)],
  [PT.ENUMFLAGS32, unsigned(32)],
  [PT.UID, unsigned(32)],
  [PT.GID, unsigned(32)],
  [PT.MODE, unsigned(32)],
  [PT.SIGSET, unsigned(32)],
  [PT.RELTIME, unsigned(64)],
  [PT.ABSTIME, unsigned(64)],
]);

const OTHERS = new Map<number, Kind>([
  [PT.DOUBLE, "double"],
  [PT.BOOL, "bool"],
  [PT.CHARBUF, "text"],
  [PT.FSPATH, "text"],
  [PT.FSRELPATH, "text"],
  [PT.BYTEBUF, "bytes"],
  [PT.IPADDR, "ip"],
  [PT.IPV4ADDR, "ip"],
  [PT.IPV6ADDR, "ip"],
  [PT.IPNET, "net"],
  [PT.IPV4NET, "net"],
  [PT.IPV6NET, "net"],
]);

/** Kind of a PT; undefined for types that cannot be compared (tuples, descriptor lists …). */
export function kindOf(type: number): Kind | undefined {
  return INTS.has(type) ? "int" : OTHERS.get(type);
}

/** Width and sign of an integer PT. */
export function intShape(type: number): IntShape | undefined {
  return INTS.get(type);
}

const typeNames = new Map<number, string>(Object.entries(PT).map(([name, id]) => [id, name]));

/** Name of a PT for messages. */
export function typeName(type: number, list = false): string {
  const name = typeNames.get(type) ?? `type ${type}`;
  return list ? `LIST(${name})` : name;
}

const EQUALITY: readonly Operator[] = ["=", "==", "!=", "in", "intersects"];
const ORDER: readonly Operator[] = ["<", "<=", ">", ">="];
const PARTS: readonly Operator[] = ["contains", "startswith", "endswith"];

/** Operators by kind, besides `exists`. */
export const OPERATORS: Readonly<Record<Kind, ReadonlySet<Operator>>> = {
  int: new Set([...EQUALITY, ...ORDER]),
  double: new Set([...EQUALITY, ...ORDER]),
  bool: new Set(EQUALITY),
  text: new Set([...EQUALITY, ...ORDER, ...PARTS, "icontains", "glob", "iglob", "regex", "pmatch"]),
  bytes: new Set([...EQUALITY, ...PARTS, "bcontains", "bstartswith"]),
  ip: new Set(EQUALITY),
  net: new Set(EQUALITY),
};

/** Operators of list fields. */
export const LIST_OPERATORS: ReadonlySet<Operator> = new Set<Operator>(["in", "intersects"]);

/** What a kind is called in messages. */
export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  int: "numbers",
  double: "numbers",
  bool: "true/false values",
  text: "text",
  bytes: "byte buffers",
  ip: "addresses",
  net: "networks",
};
