// SPDX-License-Identifier: Apache-2.0
// `falco describe`: what rules, macros and lists come to.
import type { CompiledRule } from "../lib/rules/compile.ts";
import type { ExtraOutput, RuleDescription } from "../lib/rules/describe.ts";
import { UsageError } from "./cli/errors.ts";
import type { Command, Flag } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";
import { builtinRules } from "./run_flags.ts";

export interface DescribeSettings {
  configFile: string | undefined;
  /** KEY=VALUE settings that win over the file. */
  options: readonly string[];
  /** Rule files, directories and patterns; none = those of the configuration, or the rules inside the program. */
  rules: readonly string[];
  /** Name of the one rule to describe; undefined = all. */
  rule: string | undefined;
  json: boolean;
}

/** One rule as text: what it says about itself, then its condition, output and events. */
function ruleText({ info, details }: RuleDescription): string {
  return [
    `Rule:        ${info.name}`,
    `Description: ${info.description.trim()}`,
    `Priority:    ${info.priority}`,
    `Source:      ${info.source}`,
    `Tags:        ${info.tags.join(", ")}`,
    `Condition:   ${info.condition.trim()}`,
    `Output:      ${info.output.trim()}`,
    `Resolved:    ${details.condition_compiled}`,
    "",
  ].join("\n");
}

/** Prints what rules come to. Resolves to the exit status. */
export async function describeRules(settings: DescribeSettings): Promise<number> {
  const { loadConfig } = await import("../lib/config/config.ts");
  const { readRuleFiles, rulePaths } = await import("../lib/engine/rule_files.ts");
  const { loadRules } = await import("../lib/rules/loader.ts");
  const { reportText } = await import("../lib/rules/report.ts");
  const { AppendOutput } = await import("../lib/engine/append_output.ts");
  const { describeAll, describeRule, describeText } = await import("../lib/rules/describe.ts");
  const config = loadConfig({
    ...(settings.configFile === undefined ? {} : { file: settings.configFile }),
    options: settings.options,
    env: process.env,
  });
  const append = new AppendOutput(config);
  if (append.errors.length > 0) throw new Error(append.errors.join("\n"));
  const paths = rulePaths(config, settings.rules);
  const files = paths.length > 0 ? readRuleFiles(paths) : [await builtinRules()];
  const result = loadRules(files, { sources: new Map([["syscall", append.registry]]) });
  if (!result.successful) throw new Error(reportText(result.files.filter((f) => !f.successful)));
  const extra = ({ definition }: CompiledRule): ExtraOutput => append.describe(definition);
  const output = Output.stdout();
  const json = settings.json || config.get("json_output");
  const { rules } = result.compiled;
  if (settings.rule === undefined) {
    if (json) output.text(`${JSON.stringify(describeAll(result, extra))}\n`);
    else
      output.text(
        `${describeText(rules.map(({ definition: d }) => ({ name: d.name, description: d.description })))}\n`,
      );
    return 0;
  }
  const found = rules.find((r) => r.definition.name === settings.rule);
  if (found === undefined) {
    const { nearest } = await import("../lib/schema/nearest.ts");
    const near = nearest(
      settings.rule,
      rules.map((r) => r.definition.name),
    );
    throw new Error(`there is no rule '${settings.rule}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
  }
  const description = describeRule(found, result, extra(found));
  output.text(json ? `${JSON.stringify({ rules: [description] })}\n` : ruleText(description));
  return 0;
}

const FLAGS: readonly Flag[] = [
  {
    name: "rules",
    short: "r",
    type: "strings",
    value: "FILE",
    category: "Input",
    help: "Rule file, directory or pattern; may be given more than once.",
  },
  { name: "config", short: "c", type: "string", value: "FILE", category: "Input", help: "Configuration file." },
  {
    name: "option",
    short: "o",
    type: "strings",
    value: "KEY=VALUE",
    category: "Input",
    help: "Setting that wins over the configuration file.",
  },
  { name: "json", short: "j", type: "boolean", category: "Output", help: "Print JSON, with everything that is known." },
];

export const describe: Command = {
  name: "describe",
  words: "[RULE]",
  summary: "Say what rules, macros and lists come to.",
  about: ["Without a name, all rules are listed."],
  flags: FLAGS,
  examples: [
    { line: "falco describe", does: "The rules inside the program, with their descriptions." },
    { line: "falco describe -r rules.yaml -j 'Password file read'", does: "Everything about one rule of a file." },
  ],
  async run(args) {
    const [rule, more] = args.words;
    if (more !== undefined) throw new UsageError(`one word too many: '${more}' (put the rule's name in quotes)`);
    return describeRules({
      configFile: args.string("config"),
      options: args.strings("option"),
      rules: args.strings("rules"),
      rule,
      json: args.bool("json"),
    });
  },
};
