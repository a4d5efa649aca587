// SPDX-License-Identifier: Apache-2.0
// `falco replay`: rules over trace files.
import type { Args } from "./cli/args.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";
import { LEGACY_FLAGS, RUN_FLAGS, runSettings, terminal } from "./run_flags.ts";

export const replay: Command = {
  name: "replay",
  words: "[FILE…]",
  summary: "Run rules over trace files and print alerts.",
  about: [
    "Every event of the trace files is looked at by the rules, as falco run does with the events of this machine. Alerts go to the outputs that the configuration names, standard output without one. A summary ends the run.",
    "A file that is damaged gives the alerts of all events before the damage, then a message and exit status 1; further files are read.",
  ],
  flags: [
    {
      name: "capture",
      short: "e",
      type: "strings",
      value: "FILE",
      category: "Input",
      help: "Trace file; several are read in order, '-' is standard input. Words mean the same.",
    },
    ...RUN_FLAGS,
    ...LEGACY_FLAGS,
  ],
  examples: [
    { line: "falco replay -e trace.scap.gz -r rules.yaml", does: "Alerts of these rules, and a summary." },
    { line: "falco replay -r rules/ -o json_output=true a.scap b.scap", does: "Two files, one JSON object per alert." },
    {
      line: "falco replay -c falco.yaml -o rule_matching=all -e - < trace.scap",
      does: "From standard input, every rule that fits.",
    },
  ],
  run: (args) => runReplay(args),
};

/** Runs the command; `falco -e FILE` comes here as well. */
export async function runReplay(args: Args): Promise<number> {
  const pidFile = args.string("pidfile");
  if (pidFile === undefined) return replayFiles(args);
  const { rmSync, writeFileSync } = await import("node:fs");
  writeFileSync(pidFile, `${process.pid}\n`);
  return replayFiles(args).finally(() => rmSync(pidFile, { force: true }));
}

async function replayFiles(args: Args): Promise<number> {
  const { replay: run } = await import("../lib/engine/replay.ts");
  const maxEvents = args.number("max-events");
  const maxSeconds = args.number("seconds");
  return run({
    ...(await runSettings(args)),
    captures: [...args.strings("capture"), ...args.words],
    ...(maxEvents === undefined ? {} : { maxEvents }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    terminal: terminal(),
    summary: (text) => Output.stdout().text(text),
    dryRun: args.bool("dry-run"),
  });
}
