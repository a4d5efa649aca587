// SPDX-License-Identifier: Apache-2.0
// What each operator means: one extracted value against one prepared constant.
import type { Scalar } from "../fields/field.ts";
import { remembered } from "../scap/memo.ts";
import type { Check, Constant } from "./checker.ts";
import type { Network } from "./constants.ts";
import { compileGlob } from "./glob.ts";

export type CheckOperator = Check["op"];

/** Compares two values of one type. Numbers may be BigInt on either side. */
export function compareScalars(a: Scalar, op: CheckOperator, b: Scalar): boolean {
  switch (op) {
    case "=":
    case "in":
    case "intersects":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "around":
      return a <= b;
    default:
      return typeof a === "string" && typeof b === "string" && compareTexts(a, op, b);
  }
}

function compareTexts(a: string, op: CheckOperator, b: string): boolean {
  switch (op) {
    case "contains":
    case "bcontains":
      return a.includes(b);
    case "icontains":
      return foldCase(a).includes(foldCase(b));
    case "startswith":
    case "bstartswith":
      return a.startsWith(b);
    case "endswith":
      return a.endsWith(b);
    case "glob":
    case "iglob":
      return globOf(b, op === "iglob")(a);
    default:
      throw new TypeError(`operator '${op}' does not compare two texts`);
  }
}

const MAX_GLOBS = 256;
const globs = new Map<string, (text: string) => boolean>();

/** Matcher of a pattern that only became known from an event. */
function globOf(pattern: string, fold: boolean): (text: string) => boolean {
  const key = (fold ? "i" : "c") + pattern;
  let match = globs.get(key);
  if (match === undefined) {
    if (globs.size >= MAX_GLOBS) globs.clear();
    match = compileGlob(pattern, fold);
    globs.set(key, match);
  }
  return match;
}

/** ASCII letters to lower case. A text is compared with several constants, as a rule. */
export const foldCase = remembered((s) =>
  // Bytes beyond ASCII stay as they are; toLowerCase() would take them for letters of Latin-1.
  /[\x80-\xff]/.test(s) ? s.replace(/[A-Z]+/g, (m) => m.toLowerCase()) : s.toLowerCase(),
);

/** True when an address lies in a network; never for addresses of the other family. */
export function inNetwork(address: Scalar, network: Network): boolean {
  const { address: base, prefix } = network;
  if (typeof address === "number" && typeof base === "number") {
    return prefix === 0 || address >>> (32 - prefix) === base >>> (32 - prefix);
  }
  if (typeof address !== "string" || typeof base !== "string") return false;
  const whole = prefix >> 3;
  for (let i = 0; i < whole; i++) if (address.charCodeAt(i) !== base.charCodeAt(i)) return false;
  const rest = prefix & 7;
  return rest === 0 || (address.charCodeAt(whole) ^ base.charCodeAt(whole)) >> (8 - rest) === 0;
}

/** One value against one constant. */
export function compareConstant(value: Scalar, op: CheckOperator, constant: Constant): boolean {
  switch (constant.kind) {
    case "scalar":
      return compareScalars(value, op, constant.value);
    case "network":
      return inNetwork(value, constant.network) !== (op === "!=");
    case "host":
      return constant.host.has(value) !== (op === "!=");
    case "match":
      return typeof value === "string" && constant.match(value);
  }
}

/** One value against all constants of a check: membership, the modifier's count, or the one constant. */
export function compareValue(value: Scalar, check: Check): boolean {
  const { op, constants, modifier } = check;
  let hits = 0;
  for (const c of constants) if (compareConstant(value, op, c)) hits++;
  switch (modifier) {
    case "oneof":
      return hits === 1;
    case "allof":
      return hits === constants.length;
    default:
      return hits > 0;
  }
}
