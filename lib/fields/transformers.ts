// SPDX-License-Identifier: Apache-2.0
// Functions on field values, used by filters and formats: tolower(), join(), getopt() …
import { PT } from "../schema/tables/enums.ts";
import type { Scalar, Value } from "./field.ts";
import { decimal } from "./number_text.ts";

/** ASCII letters to lower case; other bytes stay. */
export function tolower(s: string): string {
  return s.replace(/[A-Z]+/g, (m) => m.toLowerCase());
}

/** ASCII letters to upper case; other bytes stay. */
export function toupper(s: string): string {
  return s.replace(/[a-z]+/g, (m) => m.toUpperCase());
}

/** What follows the last "/"; all of it when there is none. */
export function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Decodes base64; undefined when it is none. Missing padding is forgiven. */
export function b64(s: string): string | undefined {
  if (!BASE64.test(s) || s.replace(/=+$/, "").length % 4 === 1) return undefined;
  return Buffer.from(s, "base64").latin1Slice();
}

/** Bytes of a string, elements of a list; 0 when there is no value. */
export function len(v: Value | undefined): number {
  return typeof v === "string" || Array.isArray(v) ? v.length : 0;
}

/** A scalar as join() and concat() take it. */
export function scalarText(v: Scalar): string {
  return typeof v === "string" ? v : typeof v === "number" ? decimal(v) : String(v);
}

/** The elements with `separator` between them. */
export function join(separator: string, list: readonly Scalar[]): string {
  return list.map(scalarText).join(separator);
}

/** The parts one after the other. */
export function concat(parts: readonly Scalar[]): string {
  return parts.map(scalarText).join("");
}

/** One option as getopt() found it; `value` is null for an option without argument. */
interface FoundOption {
  letter: string;
  value: string | null;
  /** The option wants an argument and there is none. */
  incomplete?: boolean;
}

/** Walks the options as getopt(3) does: up to "--" or the first word that is no option; long options are skipped. */
function* options(args: readonly string[], spec: string): Generator<FoundOption> {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word === "--" || !word.startsWith("-") || word === "-") return;
    if (word.startsWith("--")) continue;
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      const known = letter === ":" ? -1 : spec.indexOf(letter);
      if (known < 0) {
        yield { letter: "?", value: letter };
        continue;
      }
      if (spec[known + 1] !== ":") {
        yield { letter, value: null };
        continue;
      }
      const rest = word.slice(at + 1);
      if (rest !== "") yield { letter, value: rest };
      else if (i + 1 < args.length) yield { letter, value: args[++i] as string };
      else yield { letter, value: null, incomplete: true };
      break;
    }
  }
}

/**
 * Option letters, each followed by its value where it has one; "?" and the letter for unknown options, "?" alone for
 * those whose argument is missing.
 */
export function getopt(args: readonly string[], spec: string): string[] {
  const found: string[] = [];
  for (const { letter, value, incomplete } of options(args, spec)) {
    if (incomplete === true) {
      found.push("?");
      continue;
    }
    found.push(letter);
    if (value !== null) found.push(value);
  }
  return found;
}

/** Last value of one option: "" when it has none, undefined when the option is absent. */
export function getoptKey(args: readonly string[], spec: string, key: string): string | undefined {
  let last: string | undefined;
  for (const { letter, value } of options(args, spec)) if (letter === key) last = value ?? "";
  return last;
}

/** What a transformer takes and gives, for the checkers of filters and formats. */
export interface TransformerRule {
  /** Arguments: one value of any type; one of text type; a list of values in parentheses or a list field. */
  readonly args: readonly ("value" | "text" | "list")[];
  /** Further arguments of the last kind are allowed. */
  readonly variadic: boolean;
  /** Types (PT) the values may have; empty = any. */
  readonly accepts: readonly number[];
  /** Result type; null = that of the argument. */
  readonly result: number | null;
  readonly resultList: boolean;
  /** A key in brackets behind it selects one value (getopt). */
  readonly selector: boolean;
}

const STRINGS = [PT.CHARBUF, PT.FSPATH, PT.FSRELPATH];
const unary = (accepts: readonly number[], result: number | null): TransformerRule => ({
  args: ["value"],
  variadic: false,
  accepts,
  result,
  resultList: false,
  selector: false,
});

/** The transformers by name; val() is known to the filter language only. */
export const TRANSFORMERS: Readonly<Record<string, TransformerRule>> = {
  tolower: unary(STRINGS, null),
  toupper: unary(STRINGS, null),
  basename: unary(STRINGS, null),
  b64: unary([...STRINGS, PT.BYTEBUF], null),
  len: unary([...STRINGS, PT.BYTEBUF], PT.UINT64),
  join: { ...unary([], PT.CHARBUF), args: ["value", "list"] },
  concat: { ...unary([], PT.CHARBUF), args: ["text", "text"], variadic: true },
  getopt: { ...unary([], PT.CHARBUF), args: ["list", "text"], resultList: true, selector: true },
};
