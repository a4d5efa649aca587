// SPDX-License-Identifier: Apache-2.0
// `falco completion`: completion scripts for the user's shell.
import { SHELLS, type Shell } from "./cli/completion.ts";
import { UsageError } from "./cli/errors.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";
import { TOP_FLAGS } from "./top_flags.ts";

/** The command, given the commands to complete (itself among them). */
export const completion = (commands: () => readonly Command[]): Command => ({
  name: "completion",
  words: SHELLS.join("|"),
  summary: "Print a completion script for a shell.",
  about: [],
  flags: [],
  examples: [{ line: "source <(falco completion bash)", does: "Completes flags and words in this shell." }],
  firstWords: SHELLS,
  async run(args) {
    const [shell, more] = args.words;
    if (shell === undefined || more !== undefined || !SHELLS.includes(shell as Shell)) {
      throw new UsageError(`which shell? 'falco completion' wants one word: ${SHELLS.join(", ")}`);
    }
    const { completionScript } = await import("./cli/completion.ts");
    Output.stdout().text(completionScript(shell as Shell, commands(), TOP_FLAGS));
    return 0;
  },
});
