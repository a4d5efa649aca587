// SPDX-License-Identifier: Apache-2.0
// All that a run with rules needs before the first event: configuration, rules, outputs; and a reload of them.
import { hostname } from "node:os";
import { type Config, ConfigError, loadConfig } from "../config/config.ts";
import type { ConfigRecord } from "../config/key.ts";
import type { Environment } from "../config/node.ts";
import { demandOf } from "../fields/demand.ts";
import { display } from "../fields/settings.ts";
import { resolveHosts } from "../filter/hosts.ts";
import type { Message } from "../outputs/output.ts";
import type { Outputs } from "../outputs/outputs.ts";
import { within } from "../outputs/within.ts";
import { loadRules, type RuleSource } from "../rules/loader.ts";
import { PRIORITY, parsePriority } from "../rules/priority.ts";
import { reportText } from "../rules/report.ts";
import { compileRuleset, type Ruleset } from "../rules/ruleset.ts";
import type { Selection } from "../rules/selection.ts";
import type { InspectorOptions } from "../sinsp/inspector.ts";
import { AppendOutput } from "./append_output.ts";
import { makeDetection } from "./detection.ts";
import type { Detection } from "./engine.ts";
import type { Log } from "./log.ts";
import { alertStyle, makeOutputs } from "./output_list.ts";
import { readRuleFiles, rulePaths } from "./rule_files.ts";

/** What the command line says about a run with rules. */
export interface RunSettings {
  /** -c */
  configFile?: string;
  /** -o KEY=VALUE */
  options: readonly string[];
  /** -r: files, directories, patterns. */
  rules: readonly string[];
  /** Rules switched off and on by -t, -T, -D; after those of the configuration. */
  selection: readonly Selection[];
  /** -p */
  print?: string;
  /** -U */
  unbuffered: boolean;
  /** Rules to use when none are named anywhere. */
  builtinRules: RuleSource | null;
  /** Colours for lines on stdout. */
  paint: ((message: Message, json: boolean) => string) | null;
  env: Environment;
  log: Log;
}

/** The configuration or the rules cannot be used; the message has all mistakes, one per line or block. */
export class SetupError extends Error {
  override name = "SetupError";
}

/** Configuration and rules in force. */
export interface Loaded {
  config: Config;
  ruleset: Ruleset;
  detection: Detection;
  /** What rules ask of the state: the event types they look at (undefined when they look back at all), and figures. */
  needs: Pick<InspectorOptions, "wanted" | "figures">;
  /** Files and directories all this was read from. */
  paths: readonly string[];
  /** Settles when the host names in rules have been looked up; worth waiting for, but not for long. */
  hosts: Promise<unknown>;
}

/** ms that host names in rules may take to be looked up before the first event. */
const HOSTS_MS = 2000;

/** Waits a while for the host names in rules. */
export async function waitForHosts(loaded: Loaded, log: Log): Promise<void> {
  if (!(await within(loaded.hosts, HOSTS_MS))) {
    log.warning("some host names in rules are still being looked up; they match once their addresses are known");
  }
}

function selectionOf(records: readonly ConfigRecord[]): Selection[] {
  return records.flatMap((record) =>
    [...record].map(([key, value]): Selection => {
      const [kind, by] = key.split(".");
      const enable = kind === "enable";
      return by === "rule" ? { enable, rule: String(value) } : { enable, tag: String(value) };
    }),
  );
}

/** Reads the configuration. Throws SetupError with everything that is wrong in it. */
export function readConfig(settings: RunSettings): Config {
  const { env, log, configFile, options } = settings;
  try {
    const config = loadConfig({ ...(configFile === undefined ? {} : { file: configFile }), options, env });
    log.configure(config.get("log_level"), config.get("log_stderr"));
    for (const w of config.warnings) log.warning(`${w.place}: ${w.text}`);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) throw new SetupError(error.message);
    throw error;
  }
}

/** Reads configuration and rules. Throws SetupError with everything that is wrong in either. */
export function load(settings: RunSettings, config = readConfig(settings)): Loaded {
  const { env, log } = settings;
  const append = new AppendOutput(config, settings.print);
  const paths = rulePaths(config, settings.rules);
  let sources = readRuleFiles(paths);
  if (paths.length === 0 && settings.builtinRules !== null) sources = [settings.builtinRules];
  const result = loadRules(sources, { sources: new Map([["syscall", append.registry]]) });
  const mistakes = [...append.errors];
  if (!result.successful) mistakes.push(reportText(result.files.filter((f) => !f.successful)));
  if (sources.length === 0)
    mistakes.push("no rules: name rule files with -r, or with rules_files in the configuration");
  if (mistakes.length > 0) throw new SetupError(mistakes.join("\n"));
  for (const file of result.files) {
    const n = file.warnings.length + file.moreWarnings.length;
    if (n === 0 || file.name === settings.builtinRules?.name) continue;
    log.warning(`${file.name}: ${n} warning${n === 1 ? "" : "s"}; 'falco validate -v ${file.name}' shows them`);
  }

  const ruleset = compileRuleset(result, {
    matching: config.get("rule_matching") as "first" | "all",
    minPriority: parsePriority(config.get("priority")) ?? PRIORITY.DEBUG,
    selection: [...selectionOf(config.get("rules")), ...settings.selection],
    appendOutput: (rule) => append.text(rule),
  });
  // One process has one display, see lib/fields/settings.ts.
  display.buffer = config.get("buffer_format_base64") ? "base64" : "dots";
  display.bufferLimit = 0;
  const host = env["FALCO_HOSTNAME"] ?? hostname();
  const extra = ruleset.rules.flatMap((rule) => append.fields(rule).flatMap((f) => f.fields));
  const { everyEvent, figures } = demandOf([...ruleset.fields(), ...extra]);
  return {
    config,
    ruleset,
    needs: { figures, ...(everyEvent ? {} : { wanted: ruleset.eventTypes }) },
    detection: makeDetection(ruleset, append, alertStyle(config), host),
    paths: [...config.files, ...paths, ...sources.map((s) => s.name)],
    hosts: Promise.all(result.compiled.rules.map((rule) => resolveHosts(rule.checked))),
  };
}

/** Limits of the state. */
export function stateOptions(config: Config): InspectorOptions {
  return {
    maxThreads: config.get("falco_libs.thread_table_size"),
    purgeIntervalNs: config.get("falco_libs.thread_table_auto_purging_interval_s") * 1e9,
    purgeAfterNs: config.get("falco_libs.thread_table_auto_purging_thread_timeout_s") * 1e9,
  };
}

/** The outputs of a configuration. `patient`: events wait for them. Nothing is sent before `ready` settles. */
export function openOutputs(
  settings: RunSettings,
  config: Config,
  patient: boolean,
  ready: Promise<unknown> = Promise.resolve(),
): Outputs {
  const { paint, log, unbuffered } = settings;
  const json = config.get("json_output");
  return makeOutputs(config, {
    paint: paint === null ? null : (message) => paint(message, json),
    unbuffered,
    patient,
    ready,
    report: (text) => log.warning(text),
  });
}
