// SPDX-License-Identifier: Apache-2.0
// The program: finds the subcommand, runs it, and turns its outcome into messages and an exit status.

import { escapeControlsInLines } from "../lib/scap/printable.ts";
import { nearest } from "../lib/schema/nearest.ts";
import { describeError, isClosedPipe, UsageError } from "./cli/errors.ts";
import type { Command, Flag } from "./cli/flags.ts";
import { commandHelp, programHelp } from "./cli/help.ts";
import { Output } from "./cli/output.ts";
import { COMMANDS } from "./commands.ts";
import { topCommand } from "./top.ts";
import { TOP_FLAGS } from "./top_flags.ts";

const HELP: Flag = { name: "help", short: "h", type: "boolean", category: "Other", help: "Print this help." };

/** Columns of help: those of the terminal, within reason. */
function helpWidth(): number {
  return Math.min(120, Math.max(30, process.stdout.columns || 100));
}

async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  const { parseArgs } = await import("./cli/parse.ts");
  const withHelp: Command = { ...command, flags: [...command.flags, HELP] };
  const args = parseArgs(withHelp.flags, argv, command.elsewhere);
  if (args.bool("help")) {
    Output.stdout().text(commandHelp(withHelp, helpWidth()));
    return 0;
  }
  if (command.words === "" && args.words.length > 0) {
    throw new UsageError(`'falco ${command.name}' takes no words: '${args.words[0]}'`);
  }
  if (args.rest !== null && !command.takesCommand) {
    throw new UsageError(`'falco ${command.name}' runs no command: nothing may follow '--'`);
  }
  return command.run(args);
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (first === "help" && argv[1] !== undefined && argv[1] !== "help") return runCommand(find(argv[1]), ["--help"]);
  if (first === "--help" || first === "-h" || first === "help") {
    Output.stdout().text(programHelp(COMMANDS, TOP_FLAGS, helpWidth()));
    return 0;
  }
  if (first !== undefined && !first.startsWith("-")) return runCommand(find(first), argv.slice(1));
  return topCommand(argv, COMMANDS, helpWidth());
}

/** The subcommand of that name. */
function find(name: string): Command {
  const command = COMMANDS.find((c) => c.name === name);
  if (command !== undefined) return command;
  const near = nearest(
    name,
    COMMANDS.map((c) => c.name),
  );
  throw new UsageError(`there is no command '${name}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
}

/** Runs the program on the words after its name; resolves to the exit status. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (isClosedPipe(error)) return 0;
    const usage = error instanceof UsageError;
    const hint = usage ? "\nfalco: 'falco --help' shows what there is" : "";
    process.stderr.write(`falco: ${escapeControlsInLines(describeError(error))}${hint}\n`);
    return usage ? 2 : 1;
  }
}

const status = await main(process.argv.slice(2));
// A read that was given up may still wait, so the process does not end by itself. What stderr has yet to write comes first.
process.stderr.on("error", () => process.exit(status)).end(() => process.exit(status));
