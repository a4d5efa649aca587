// SPDX-License-Identifier: Apache-2.0
// `falco run`: rules over the events of this machine.
import type { Args } from "./cli/args.ts";
import type { Command, Flag } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";
import { embedded } from "./embedded.ts";
import { LEGACY_FLAGS, RUN_FLAGS, runSettings, terminal } from "./run_flags.ts";

/** Flags of live runs only. */
export const LIVE_FLAGS: readonly Flag[] = [
  {
    name: "engine",
    type: "string",
    value: "ENGINE",
    choices: ["auto", "modern_ebpf", "ebpf", "kmod", "ptrace"],
    category: "Input",
    help: "Where events come from; wins over engine.kind of the configuration.",
  },
  {
    name: "pidfile",
    short: "P",
    type: "string",
    value: "FILE",
    category: "Other",
    help: "Write the process id to a file while it runs.",
  },
];

export const run: Command = {
  name: "run",
  words: "",
  summary: "Watch this machine with rules and print alerts.",
  about: [
    "A probe in the kernel gives the system calls that the rules ask for, and those that keep processes and descriptors true. Alerts go to the outputs that the configuration names, standard output without one.",
    "Ctrl-C or SIGTERM ends it with a summary. SIGHUP reads configuration and rules again and keeps what is known of processes; when they have mistakes the old ones stay. SIGUSR1 opens output files anew.",
  ],
  flags: [...RUN_FLAGS, ...LIVE_FLAGS, ...LEGACY_FLAGS],
  examples: [
    { line: "falco run -r rules.yaml", does: "Alerts of these rules, until Ctrl-C." },
    { line: "falco run -c falco.yaml -o json_output=true -M 60", does: "One minute, one JSON object per alert." },
  ],
  run: (args) => runLive(args),
};

/** Runs the command; `falco` without a command comes here as well. */
export async function runLive(args: Args): Promise<number> {
  const { setEmbeddedShim } = await import("../lib/scap/shim.ts");
  const { run: watch } = await import("../lib/engine/run.ts");
  if (embedded.shim !== "") setEmbeddedShim(embedded.shim);
  const engine = args.string("engine");
  const pidFile = args.string("pidfile");
  const maxEvents = args.number("max-events");
  const maxSeconds = args.number("seconds");
  return watch({
    ...(await runSettings(args)),
    ...(engine === undefined ? {} : { engine }),
    ...(pidFile === undefined ? {} : { pidFile }),
    ...(maxEvents === undefined ? {} : { maxEvents }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    terminal: terminal(),
    summary: (text) => Output.stdout().text(text),
    dropSummary: (text) => void process.stderr.write(text),
    dryRun: args.bool("dry-run"),
  });
}
