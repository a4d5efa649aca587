// SPDX-License-Identifier: Apache-2.0
// What a flag and a subcommand are: records from which parser, help, man page, completions and documentation come.
import type { Args } from "./args.ts";

/**
 * How a flag takes its value:
 *  - "boolean": none
 *  - "string", "number": one; given twice, the last wins
 *  - "strings": one each time, all are kept in order
 *  - "optional": none, or one after "=" (`--list`, `--list=syscall`)
 */
export type FlagType = "boolean" | "string" | "number" | "strings" | "optional";

export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly type: FlagType;
  /** What stands for the value in help, e.g. "FILE". */
  readonly value?: string;
  readonly default?: string | number;
  readonly choices?: readonly string[];
  /** Smallest number accepted. */
  readonly min?: number;
  /** True when the number must be whole. */
  readonly integer?: boolean;
  /** Names of flags that may not be given together with this one. */
  readonly conflicts?: readonly string[];
  /** Heading the flag stands under in help. */
  readonly category: string;
  /** One line. */
  readonly help: string;
  /** More, for the man page and the documentation. */
  readonly long?: string;
}

export interface Example {
  readonly line: string;
  readonly does: string;
}

export interface Command {
  readonly name: string;
  /** What follows the name in the usage line after "[FLAG]…", e.g. "[FILTER…]"; "" when nothing may follow. */
  readonly words: string;
  /** One line. */
  readonly summary: string;
  /** Paragraphs for the long help. */
  readonly about: readonly string[];
  readonly flags: readonly Flag[];
  readonly examples: readonly Example[];
  /** True when words after "--" are a command line of their own. */
  readonly takesCommand?: boolean;
  /** Flags of one letter that the command does not have but another program like it does: what to use instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Values of the first word, for completion. */
  readonly firstWords?: readonly string[];
  /** Does the work; resolves to the exit status. Loads what it needs itself, so that other commands start fast. */
  run(args: Args): Promise<number>;
}
