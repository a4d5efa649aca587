// SPDX-License-Identifier: Apache-2.0
// `falco validate`: checks rule files.
import { UsageError } from "./cli/errors.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";

export interface ValidateSettings {
  /** Files, directories and patterns, in order. */
  paths: readonly string[];
  json: boolean;
  /** List warnings too. */
  warnings: boolean;
  /** Put the description of what was loaded into the JSON as well. */
  describe: boolean;
}

/** Checks rule files as one set, each on top of those before it, and prints the verdicts. Resolves to the exit status. */
export async function validateFiles(settings: ValidateSettings): Promise<number> {
  const { readRuleFiles } = await import("../lib/engine/rule_files.ts");
  const { loadRules } = await import("../lib/rules/loader.ts");
  const { reportJson, reportText } = await import("../lib/rules/report.ts");
  const files = readRuleFiles(settings.paths);
  if (files.length === 0) throw new Error(`no rule file in ${settings.paths.join(", ")}`);
  const result = loadRules(files);
  const output = Output.stdout();
  if (settings.json) {
    const { describeAll } = await import("../lib/rules/describe.ts");
    const described = settings.describe && result.successful ? { falco_describe_results: describeAll(result) } : {};
    output.text(`${JSON.stringify({ ...described, ...reportJson(result.files) })}\n`);
  } else {
    const { coloursFor } = await import("./cli/colour.ts");
    const { green: good, red: bad, yellow: doubtful } = coloursFor(process.stdout);
    const style = { good, bad, doubtful };
    output.text(`${reportText(result.files, { warnings: settings.warnings, style })}\n`);
  }
  return result.successful ? 0 : 1;
}

export const validate: Command = {
  name: "validate",
  words: "FILE…",
  summary: "Check rule files and say what is wrong with them, and where.",
  about: [
    "Files are read in order as one set: a later one may change what an earlier one defined. A directory stands for the YAML files in it.",
    "The exit status is 1 when any file has an error.",
  ],
  flags: [
    { name: "json", short: "j", type: "boolean", category: "Output", help: "Print one JSON object." },
    { name: "verbose", short: "v", type: "boolean", category: "Output", help: "List warnings too." },
  ],
  examples: [{ line: "falco validate rules.yaml local.yaml", does: "Checks local.yaml on top of rules.yaml." }],
  async run(args) {
    if (args.words.length === 0) throw new UsageError("name the rule files to check");
    return validateFiles({
      paths: args.words,
      json: args.bool("json"),
      warnings: args.bool("verbose"),
      describe: false,
    });
  },
};
