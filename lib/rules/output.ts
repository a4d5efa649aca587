// SPDX-License-Identifier: Apache-2.0
// Outputs of rules: formats that always print, with "<NA>" for what is missing.
import type { FieldRegistry } from "../fields/registry.ts";
import { FormatError } from "../format/error.ts";
import { compileFormat, type Format } from "../format/formatter.ts";

/** An output that cannot be used. */
export class OutputError extends Error {
  override name = "OutputError";
  constructor(
    message: string,
    /** What stands behind a "%" is wrong, and not the format as such. */
    readonly inField: boolean,
  ) {
    super(message);
  }
}

/** Formats by output, for each registry: an output is asked for when it is checked, used and described. */
const known = new WeakMap<FieldRegistry, Map<string, Format>>();

/** Compiles the output of a rule. Throws OutputError. */
export function compileOutput(output: string, registry: FieldRegistry): Format {
  const formats = known.get(registry) ?? new Map<string, Format>();
  known.set(registry, formats);
  const format = formats.get(output) ?? compile(output, registry);
  formats.set(output, format);
  return format;
}

function compile(output: string, registry: FieldRegistry): Format {
  if (output === "") throw new OutputError("The output is empty", false);
  try {
    // The star makes missing values print as "<NA>"; a star of the output's own stays a star.
    return compileFormat(`*${output}`, { registry });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const near = error.nearest === undefined ? "" : `; the nearest field is '${error.nearest}'`;
    // The position counts the star.
    throw new OutputError(
      `${error.problem}, at position ${error.position}${near}`,
      !/ cannot end here$/.test(error.problem),
    );
  }
}
