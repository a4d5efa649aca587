// SPDX-License-Identifier: Apache-2.0
// `falco --support`: all that someone who helps needs to know, as one JSON object.
import { hostname, machine, release, type, version } from "node:os";
import type { Args } from "./cli/args.ts";
import { Output } from "./cli/output.ts";
import { ENGINE_VERSION, versionJson } from "./version.ts";

/** Puts a value at a dotted path. */
function place(root: Record<string, unknown>, key: string, value: unknown): void {
  const parts = key.split(".");
  const last = parts.pop() as string;
  let at = root;
  for (const part of parts) {
    at[part] ??= {};
    at = at[part] as Record<string, unknown>;
  }
  at[last] = value;
}

/** Maps, which JSON does not know, as objects. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** Prints versions, system, command line, configuration in force and rule files. Resolves to the exit status. */
export async function printSupport(args: Args, commandLine: readonly string[]): Promise<number> {
  const { loadConfig } = await import("../lib/config/config.ts");
  const { SPECS } = await import("../lib/config/schema.ts");
  const { readRuleFiles, rulePaths } = await import("../lib/engine/rule_files.ts");
  const file = args.string("config");
  const config = loadConfig({
    ...(file === undefined ? {} : { file }),
    options: args.strings("option"),
    env: process.env,
  });
  const settings: Record<string, unknown> = {};
  for (const key of SPECS.keys()) place(settings, key, plain(config.get(key as Parameters<typeof config.get>[0])));
  const rules = readRuleFiles(rulePaths(config, args.strings("rules"))).map((source) => {
    if ("error" in source) return { name: source.name, error: source.error };
    return { name: source.name, variants: [{ content: Buffer.from(source.content).toString("utf8") }] };
  });
  const report = {
    cmdline: ["falco", ...commandLine].join(" "),
    config: settings,
    engine_info: { engine_version: versionJson()["engine_version"], engine_version_semver: ENGINE_VERSION },
    rules_files: rules,
    system_info: {
      machine: machine(),
      nodename: process.env["FALCO_HOSTNAME"] ?? hostname(),
      release: release(),
      sysname: type(),
      version: version(),
    },
    version: versionJson()["falco_version"],
  };
  Output.stdout().text(`${JSON.stringify(report, null, 2)}\n`);
  return 0;
}
