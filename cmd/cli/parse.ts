// SPDX-License-Identifier: Apache-2.0
// From the words of a command line and a list of flag records to Args. The ways in which getopt users write flags
// (-n5, -xn5, -n 5, --limit 5, --limit=5, flags after words) are brought to one form here; the parser of yargs does the
// rest. (yargs itself looks for a package.json from the current directory upwards and for translations of its messages:
// what lies where a user happens to stand must not matter.)
import { Parser } from "yargs/helpers";
import { nearest } from "../../lib/schema/nearest.ts";
import { Args, type FlagValue } from "./args.ts";
import { UsageError } from "./errors.ts";
import type { Flag } from "./flags.ts";

/** A flag as a user knows it: "-n/--limit" or "--raw". */
export function flagLabel(flag: Flag): string {
  return flag.short === undefined ? `--${flag.name}` : `-${flag.short}/--${flag.name}`;
}

function takesValue(flag: Flag): boolean {
  return flag.type !== "boolean" && flag.type !== "optional";
}

/** The one name that begins with a word of two letters or more. */
function begunBy(word: string, names: readonly string[]): string | undefined {
  const found = word.length < 2 ? [] : names.filter((name) => name.startsWith(word));
  return found.length === 1 ? found[0] : undefined;
}

/** Values that name a file or the like; what a script left empty by mistake must not be taken for one. */
const NAMES = /^(FILE|PATH|SOCKET)$/;

function refuseEmpty(flag: Flag, value: string): void {
  if (value === "" && NAMES.test(flag.value ?? ""))
    throw new UsageError(`${flagLabel(flag)} wants a ${flag.value}, not ''`);
}

interface Split {
  /** "--name" or "--name=value" only. */
  tokens: string[];
  words: string[];
  rest: string[] | null;
}

/** Brings every flag to its long form with "=" before the value and sets words apart. */
function split(flags: readonly Flag[], argv: readonly string[], elsewhere: Readonly<Record<string, string>>): Split {
  const byName = new Map(flags.map((f) => [f.name, f]));
  const byShort = new Map(flags.flatMap((f) => (f.short === undefined ? [] : [[f.short, f] as const])));
  const out: Split = { tokens: [], words: [], rest: null };
  let i = 0;
  const takeValue = (flag: Flag): string => {
    const value = argv[i++];
    if (value === undefined) throw new UsageError(`${flagLabel(flag)} wants a value: ${flag.value ?? "VALUE"}`);
    return value;
  };
  const put = (flag: Flag, value: string): void => {
    refuseEmpty(flag, value);
    out.tokens.push(`--${flag.name}=${value}`);
  };
  while (i < argv.length) {
    const word = argv[i++] as string;
    if (word === "--") {
      out.rest = argv.slice(i);
      break;
    }
    if (word.startsWith("--")) {
      const eq = word.indexOf("=");
      const name = eq < 0 ? word.slice(2) : word.slice(2, eq);
      const flag = byName.get(name);
      if (flag === undefined) {
        const near = nearest(name, byName.keys()) ?? begunBy(name, [...byName.keys()]);
        throw new UsageError(`there is no flag --${name}${near === undefined ? "" : `; did you mean --${near}?`}`);
      }
      if (eq >= 0 && flag.type === "boolean") throw new UsageError(`${flagLabel(flag)} takes no value`);
      if (eq >= 0) put(flag, word.slice(eq + 1));
      else if (takesValue(flag)) put(flag, takeValue(flag));
      else out.tokens.push(word);
    } else if (word.length > 1 && word[0] === "-" && !/^-\d/.test(word)) {
      for (let at = 1; at < word.length; at++) {
        const flag = byShort.get(word[at] as string);
        if (flag === undefined) {
          const instead = elsewhere[word[at] as string];
          const hint = instead === undefined ? "" : `; ${instead}`;
          throw new UsageError(`there is no flag -${word[at]}${at > 1 ? ` (in ${word})` : ""}${hint}`);
        }
        if (!takesValue(flag)) {
          out.tokens.push(`--${flag.name}`);
          continue;
        }
        const value = at + 1 < word.length ? word.slice(at + 1) : takeValue(flag);
        put(flag, value);
        break;
      }
    } else {
      out.words.push(word);
    }
  }
  return out;
}

/** What is wrong with a number, or null. */
function numberProblem(flag: Flag, text: string, value: number): string | null {
  if (text.trim() === "" || !Number.isFinite(value)) return `wants a number, not '${text}'`;
  if (flag.integer && !Number.isInteger(value)) return `wants a whole number, not ${text}`;
  if (flag.min !== undefined && value < flag.min) return `wants at least ${flag.min}, not ${text}`;
  return null;
}

/**
 * Parses `argv` (without program and subcommand). Throws UsageError for an unknown flag, a missing or wrong value, and
 * flags that exclude each other. `elsewhere`: what to say of flags of one letter that are not there.
 */
export function parseArgs(
  flags: readonly Flag[],
  argv: readonly string[],
  elsewhere: Readonly<Record<string, string>> = {},
): Args {
  const { tokens, words, rest } = split(flags, argv, elsewhere);
  const named = (wanted: (flag: Flag) => boolean): string[] => flags.filter(wanted).map((flag) => flag.name);
  const parsed: Record<string, unknown> = Parser(tokens, {
    boolean: named((flag) => flag.type === "boolean"),
    string: named((flag) => flag.type !== "boolean"),
    array: named((flag) => flag.type === "strings"),
    default: Object.fromEntries(flags.flatMap((f) => (f.default === undefined ? [] : [[f.name, String(f.default)]]))),
    configuration: {
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "greedy-arrays": false,
      "parse-numbers": false,
    },
  });
  const values = new Map<string, FlagValue>();
  for (const flag of flags) {
    const found = parsed[flag.name];
    if (found === undefined) continue;
    const other = flag.conflicts?.find((name) => parsed[name] !== undefined);
    if (other !== undefined) throw new UsageError(`--${flag.name} and --${other} cannot be given together`);
    if (flag.type === "strings") {
      values.set(flag.name, found as string[]);
      continue;
    }
    const last = Array.isArray(found) ? (found.at(-1) as boolean | string) : (found as boolean | string);
    if (flag.choices !== undefined && !flag.choices.includes(String(last))) {
      throw new UsageError(`--${flag.name} cannot be ${last}; it is one of ${flag.choices.join(", ")}`);
    }
    if (flag.type === "number") {
      const value = Number(last);
      const problem = numberProblem(flag, String(last), value);
      if (problem !== null) throw new UsageError(`${flagLabel(flag)} ${problem}`);
      values.set(flag.name, value);
    } else {
      values.set(flag.name, last);
    }
  }
  return new Args(values, words, rest);
}
