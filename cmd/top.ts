// SPDX-License-Identifier: Apache-2.0
// The spellings without a subcommand that Falco users know: `falco --version`, `falco --list` and the like.
import { UsageError } from "./cli/errors.ts";
import { Output } from "./cli/output.ts";
import { TOP_FLAGS } from "./top_flags.ts";
import { versionJson, versionText } from "./version.ts";

/** Runs a command line that begins with a flag. */
export async function topCommand(argv: readonly string[]): Promise<number> {
  if (argv[0] === "--version" && argv.length === 1) {
    Output.stdout().text(versionText());
    return 0;
  }
  const { parseArgs } = await import("./cli/parse.ts");
  const args = parseArgs(TOP_FLAGS, argv);
  if (args.bool("version")) {
    Output.stdout().text(args.bool("json") ? `${JSON.stringify(versionJson())}\n` : versionText());
    return 0;
  }
  throw new UsageError("nothing to do: name a command");
}
