// SPDX-License-Identifier: Apache-2.0
// What is wrong with a format, and where.

/** A format that cannot be used. */
export class FormatError extends Error {
  override name = "FormatError";
  constructor(
    /** What is wrong and what was expected. */
    readonly problem: string,
    /** The format (byte string). */
    readonly format: string,
    /** 0-based byte in the format. */
    readonly position: number,
    /** The most similar field, when the problem is an unknown one. */
    readonly nearest?: string,
    /** True when the problem is a name that is no field. */
    readonly unknownField = false,
  ) {
    super(
      `format: ${problem} at position ${position + 1}${nearest === undefined ? "" : `; did you mean '%${nearest}'?`}`,
    );
  }
}

/** Longest piece of the format shown around the place. */
const SHOWN = 100;

/** The message, the part of the format around the place, and a caret under it. */
export function describeFormatError(e: FormatError): string {
  const start = e.position > SHOWN - 20 ? e.position - (SHOWN - 20) : 0;
  const shown = e.format.slice(start, start + SHOWN).replace(/[^ -~\x80-\xff]/g, " ");
  return `${e.message}\n  ${shown}\n  ${" ".repeat(e.position - start)}^`;
}
