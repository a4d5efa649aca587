// SPDX-License-Identifier: Apache-2.0
// Flags that work without a subcommand, as Falco users know them.
import type { Flag } from "./cli/flags.ts";
import { LIST_FLAGS } from "./list.ts";
import { LIVE_FLAGS } from "./run.ts";
import { LEGACY_FLAGS, RUN_FLAGS } from "./run_flags.ts";

const ASK = "Questions";
const SHAPE = "How answers are printed";

/** Flags that ask for something else than watching events. */
const QUESTION_FLAGS: readonly Flag[] = [
  { name: "help", short: "h", type: "boolean", category: ASK, help: "Print this help." },
  { name: "version", type: "boolean", category: ASK, help: "Print the versions of program and interfaces." },
  { name: "support", type: "boolean", category: ASK, help: "Print versions, system, configuration and rules as JSON." },
  { name: "page-size", type: "boolean", category: ASK, help: "Print the memory page size of this system." },
  { name: "config-schema", type: "boolean", category: ASK, help: "Print the JSON schema of falco.yaml." },
  { name: "rule-schema", type: "boolean", category: ASK, help: "Print the JSON schema of rule files." },
  {
    name: "ignored-events",
    short: "i",
    type: "boolean",
    category: ASK,
    help: "List system calls that are left out unless all are asked for.",
  },
  {
    name: "validate",
    short: "V",
    type: "strings",
    value: "FILE",
    category: ASK,
    help: "Check rule files; further files may follow as words.",
  },
  { name: "list-rules", short: "L", type: "boolean", category: ASK, help: "List all rules with their descriptions." },
  { name: "describe-rule", short: "l", type: "string", value: "RULE", category: ASK, help: "Describe one rule." },
  {
    name: "list",
    type: "optional",
    value: "SOURCE",
    category: ASK,
    help: "List the fields of conditions and outputs, all or those of one event source.",
  },
  { name: "list-events", type: "boolean", category: ASK, help: "List the events that rules can be about." },
  { name: "list-plugins", type: "boolean", category: ASK, help: "List the plugins that are loaded." },
  { name: "plugin-info", type: "string", value: "NAME", category: ASK, help: "Describe one plugin." },
  ...LIST_FLAGS.map((flag) => ({ ...flag, category: SHAPE })),
  { name: "verbose", short: "v", type: "boolean", category: SHAPE, help: "Say more." },
  { name: "json", short: "j", type: "boolean", category: SHAPE, help: "JSON where text or a table would be printed." },
];

/** The trace files of `falco -e`. */
const REPLAY_FLAG: Flag = {
  name: "capture",
  short: "e",
  type: "strings",
  value: "FILE",
  category: "Input",
  help: "Run the rules over a trace file.",
};

export const TOP_FLAGS: readonly Flag[] = [
  ...QUESTION_FLAGS,
  REPLAY_FLAG,
  ...RUN_FLAGS,
  ...LIVE_FLAGS,
  ...LEGACY_FLAGS,
];
