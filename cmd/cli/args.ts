// SPDX-License-Identifier: Apache-2.0
// The command line after parsing.

export type FlagValue = boolean | string | number | readonly string[];

/** Flags by name, the words between them, and what came after "--". */
export class Args {
  constructor(
    private readonly values: ReadonlyMap<string, FlagValue>,
    /** Words that belong to no flag, in order. */
    readonly words: readonly string[],
    /** Words after "--"; null when there was no "--". */
    readonly rest: readonly string[] | null,
  ) {}

  /** True when the flag was given (or has a default). */
  has(name: string): boolean {
    return this.values.has(name);
  }

  bool(name: string): boolean {
    return this.values.get(name) === true;
  }

  /** Value of a "string" or "optional" flag; undefined when not given. An "optional" flag without value is "". */
  string(name: string): string | undefined {
    const value = this.values.get(name);
    return typeof value === "string" ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.values.get(name);
    return typeof value === "number" ? value : undefined;
  }

  /** Values of a "strings" flag in order; empty when not given. */
  strings(name: string): readonly string[] {
    const value = this.values.get(name);
    return Array.isArray(value) ? value : [];
  }
}
