// SPDX-License-Identifier: Apache-2.0
// Command lines without a subcommand: `falco -e trace.scap`, `falco -V rules.yaml`, `falco --version` and the like.
import type { Args } from "./cli/args.ts";
import { UsageError } from "./cli/errors.ts";
import type { Command } from "./cli/flags.ts";
import { programHelp } from "./cli/help.ts";
import { Output } from "./cli/output.ts";
import { TOP_FLAGS } from "./top_flags.ts";
import { versionJson, versionText } from "./version.ts";

function print(text: string): number {
  Output.stdout().text(text);
  return 0;
}

/** True when JSON is asked for, by -j or as Falco has it, by the configuration. */
async function wantsJson(args: Args): Promise<boolean> {
  if (args.bool("json")) return true;
  const file = args.string("config");
  if (file === undefined && args.strings("option").length === 0) return false;
  const { loadConfig } = await import("../lib/config/config.ts");
  const config = loadConfig({
    ...(file === undefined ? {} : { file }),
    options: args.strings("option"),
    env: process.env,
  });
  return config.get("json_output");
}

async function describe(args: Args, rule: string | undefined): Promise<number> {
  const { describeRules } = await import("./describe.ts");
  return describeRules({
    configFile: args.string("config"),
    options: args.strings("option"),
    rules: args.strings("rules"),
    rule,
    json: args.bool("json"),
  });
}

async function validate(args: Args): Promise<number> {
  const { validateFiles } = await import("./validate.ts");
  return validateFiles({
    paths: [...args.strings("validate"), ...args.words],
    json: await wantsJson(args),
    warnings: args.bool("verbose"),
    describe: args.bool("list-rules"),
  });
}

async function ignoredEvents(): Promise<number> {
  const { SYSCALL_SETS } = await import("../lib/schema/tables/syscalls.ts");
  return print(`Ignored syscall(s):\n${(SYSCALL_SETS["falco_ignored"] ?? []).map((name) => `- ${name}\n`).join("")}`);
}

async function listFields(args: Args): Promise<number> {
  const { fieldsText } = await import("./list.ts");
  return print(await fieldsText(args, args.string("list") ?? ""));
}

async function listEvents(args: Args): Promise<number> {
  const { listSupportedEvents } = await import("../lib/format/list_supported.ts");
  const { listFormat } = await import("./list.ts");
  return print(listSupportedEvents(listFormat(args)));
}

async function listPlugins(args: Args): Promise<number> {
  const { pluginsText } = await import("./list.ts");
  return print(pluginsText(args));
}

async function pluginInfo(args: Args): Promise<number> {
  throw new Error(`there is no plugin '${args.string("plugin-info")}': this version loads none`);
}

async function configSchema(): Promise<number> {
  const { configSchema: schema } = await import("../lib/config/render.ts");
  return print(`${JSON.stringify(schema(), null, 2)}\n`);
}

async function ruleSchema(): Promise<number> {
  const { ruleSchema: schema } = await import("../lib/rules/json_schema.ts");
  return print(`${JSON.stringify(schema(), null, 2)}\n`);
}

async function pageSize(): Promise<number> {
  const { readFileSync } = await import("node:fs");
  // The kernel hands it to every process in the auxiliary vector: pairs of machine words, 6 = AT_PAGESZ.
  const words = new BigUint64Array(new Uint8Array(readFileSync("/proc/self/auxv")).buffer);
  for (let i = 0; i + 1 < words.length; i += 2)
    if (words[i] === 6n) return print(`Your system page size is: ${words[i + 1]} bytes\n`);
  throw new Error("/proc/self/auxv: the kernel gives no page size");
}

/** What a flag asks for, in the order in which Falco heeds them. */
const QUESTIONS: readonly (readonly [
  flag: string,
  answer: (args: Args, argv: readonly string[]) => Promise<number>,
])[] = [
  ["config-schema", configSchema],
  ["rule-schema", ruleSchema],
  ["ignored-events", ignoredEvents],
  ["list-events", listEvents],
  ["version", async (args) => print((await wantsJson(args)) ? `${JSON.stringify(versionJson())}\n` : versionText())],
  ["page-size", pageSize],
  ["list", listFields],
  ["list-plugins", listPlugins],
  ["plugin-info", pluginInfo],
  ["validate", validate],
  ["list-rules", (args) => describe(args, undefined)],
  ["describe-rule", (args) => describe(args, args.string("describe-rule"))],
  ["support", async (args, argv) => (await import("./support.ts")).printSupport(args, argv)],
];

/** Runs a command line that begins with a flag. `commands` are for the help. */
export async function topCommand(
  argv: readonly string[],
  commands: readonly Command[],
  width: number,
): Promise<number> {
  if (argv.length === 1 && argv[0] === "--version") return print(versionText());
  const { parseArgs } = await import("./cli/parse.ts");
  const args = parseArgs(TOP_FLAGS, argv);
  if (args.bool("help")) return print(programHelp(commands, TOP_FLAGS, width));
  for (const [flag, answer] of QUESTIONS) if (args.has(flag)) return answer(args, argv);
  if (args.words.length > 0) throw new UsageError(`what is '${args.words[0]}'? A command comes before its flags`);
  if (args.has("capture")) return (await import("./replay.ts")).runReplay(args);
  return (await import("./run.ts")).runLive(args);
}
