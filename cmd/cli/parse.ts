// SPDX-License-Identifier: Apache-2.0
// From the words of a command line and a list of flag records to Args. The ways in which getopt users write flags
// (-n5, -xn5, -n 5, --limit 5, --limit=5, flags after words) are brought to one form here; yargs does the rest.
import yargs from "yargs";
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

interface Split {
  /** "--name" or "--name=value" only. */
  tokens: string[];
  words: string[];
  rest: string[] | null;
}

/** Brings every flag to its long form with "=" before the value and sets words apart. */
function split(flags: readonly Flag[], argv: readonly string[]): Split {
  const byName = new Map(flags.map((f) => [f.name, f]));
  const byShort = new Map(flags.flatMap((f) => (f.short === undefined ? [] : [[f.short, f] as const])));
  const out: Split = { tokens: [], words: [], rest: null };
  let i = 0;
  const takeValue = (flag: Flag): string => {
    const value = argv[i++];
    if (value === undefined) throw new UsageError(`${flagLabel(flag)} wants a value: ${flag.value ?? "VALUE"}`);
    return value;
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
        const near = nearest(name, byName.keys());
        throw new UsageError(`there is no flag --${name}${near === undefined ? "" : `; did you mean --${near}?`}`);
      }
      if (eq >= 0 && flag.type === "boolean") throw new UsageError(`${flagLabel(flag)} takes no value`);
      if (eq >= 0) out.tokens.push(word);
      else out.tokens.push(takesValue(flag) ? `--${name}=${takeValue(flag)}` : `--${name}`);
    } else if (word.length > 1 && word[0] === "-" && !/^-\d/.test(word)) {
      for (let at = 1; at < word.length; at++) {
        const flag = byShort.get(word[at] as string);
        if (flag === undefined) throw new UsageError(`there is no flag -${word[at]}${at > 1 ? ` (in ${word})` : ""}`);
        if (!takesValue(flag)) {
          out.tokens.push(`--${flag.name}`);
          continue;
        }
        const value = at + 1 < word.length ? word.slice(at + 1) : takeValue(flag);
        out.tokens.push(`--${flag.name}=${value}`);
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
 * flags that exclude each other.
 */
export function parseArgs(flags: readonly Flag[], argv: readonly string[]): Args {
  const { tokens, words, rest } = split(flags, argv);
  const parser = yargs([]).help(false).version(false).exitProcess(false);
  parser.parserConfiguration({
    "boolean-negation": false,
    "camel-case-expansion": false,
    "dot-notation": false,
    "greedy-arrays": false,
    "parse-numbers": false,
  });
  for (const flag of flags) {
    parser.option(flag.name, {
      type: flag.type === "boolean" ? "boolean" : "string",
      array: flag.type === "strings",
      ...(flag.choices === undefined ? {} : { choices: flag.choices }),
      ...(flag.default === undefined ? {} : { default: String(flag.default) }),
      ...(flag.conflicts === undefined ? {} : { conflicts: flag.conflicts }),
    });
  }
  parser.fail((message: string, error: Error | undefined) => {
    throw error ?? new UsageError(plainMessage(message));
  });
  const parsed = parser.parseSync(tokens) as Record<string, unknown>;
  const values = new Map<string, FlagValue>();
  for (const flag of flags) {
    const found = parsed[flag.name];
    if (found === undefined) continue;
    if (flag.type === "strings") {
      values.set(flag.name, found as string[]);
      continue;
    }
    const last = Array.isArray(found) ? (found.at(-1) as boolean | string) : (found as boolean | string);
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

/** yargs' validation text as one sentence of ours. */
function plainMessage(message: string): string {
  const choice = /Argument: ([^,]+), Given: (.*), Choices: (.*)/.exec(message);
  if (choice !== null) {
    return `--${choice[1]} cannot be ${bare(choice[2])}; it is one of ${bare(choice[3])}`;
  }
  const exclusive = /Arguments (\S+) and (\S+) are mutually exclusive/.exec(message);
  if (exclusive !== null) return `--${exclusive[1]} and --${exclusive[2]} cannot be given together`;
  return message.split("\n").join(" ");
}

function bare(quoted: string | undefined): string {
  return (quoted ?? "").replaceAll('"', "");
}
