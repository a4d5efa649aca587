// SPDX-License-Identifier: Apache-2.0
// `falco run`: rules over the events of this machine, with reload, drop detection and a clean end.
import { rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import type { Outputs } from "../outputs/outputs.ts";
import { type LiveOptions, probeEngine } from "../scap/live.ts";
import { DropMonitor, LOOK_MS, nowNs } from "./drop_monitor.ts";
import { Engine } from "./engine.ts";
import { selectSyscalls } from "./interesting.ts";
import { openMachine } from "./machine.ts";
import { outputLosses, replay } from "./replay.ts";
import { type Loaded, load, openOutputs, type RunSettings, SetupError, stateOptions } from "./session.ts";
import { onSignals } from "./signals.ts";
import { Statistics } from "./statistics.ts";

export interface LiveSettings extends RunSettings {
  /** --engine; wins over engine.kind. */
  engine?: string;
  /** -M */
  maxSeconds?: number;
  /** -n */
  maxEvents?: number;
  /** -P: file to hold the process id while it runs. */
  pidFile?: string;
  /** Takes the summary for standard output. */
  summary: (text: string) => void;
  /** Takes the lines about drops for standard error. */
  dropSummary: (text: string) => void;
  /** See ReplaySettings; for engine.kind replay. */
  terminal: ((text: string) => void) | null;
  dryRun: boolean;
}

/** Engines that can run here. */
const LIVE_ENGINES: readonly string[] = ["auto", "modern_ebpf"];

/** The engine to use. Throws SetupError with the reason when there is none. */
function chooseEngine(kind: string): string {
  if (!LIVE_ENGINES.includes(kind)) throw new SetupError(`engine ${kind} is not there yet; modern_ebpf is`);
  const reason = probeEngine();
  if (reason === null) return "modern_ebpf";
  const asked = kind === "auto" ? "no engine works here" : `engine ${kind} does not work here`;
  throw new SetupError(`${asked}: modern_ebpf: ${reason}`);
}

/** System calls to switch on for a configuration and its rules. */
function syscallsOf(loaded: Loaded, settings: LiveSettings): number[] {
  const { config, ruleset } = loaded;
  const { codes, remarks } = selectSyscalls(ruleset.syscalls(), {
    customSet: config.get("base_syscalls.custom_set"),
    repair: config.get("base_syscalls.repair"),
    all: config.get("base_syscalls.all"),
  });
  for (const remark of remarks) settings.log.warning(remark);
  return codes;
}

function liveOptions(config: Config, syscalls: number[]): LiveOptions {
  return {
    syscalls,
    ringBytes: 2 ** (config.get("engine.modern_ebpf.buf_size_preset") - 1) * 1024 * 1024,
    cpusPerRing: config.get("engine.modern_ebpf.cpus_for_each_buffer"),
    dropFailed: config.get("engine.modern_ebpf.drop_failed_exit"),
    snaplen: config.get("falco_libs.snaplen"),
  };
}

function monitorOf(
  config: Config,
  settings: LiveSettings,
  outputs: () => Outputs,
  exit: (reason: string) => void,
): DropMonitor {
  return new DropMonitor({
    threshold: config.get("syscall_event_drops.threshold"),
    actions: config.get("syscall_event_drops.actions"),
    rate: config.get("syscall_event_drops.rate"),
    maxBurst: config.get("syscall_event_drops.max_burst"),
    simulate: config.get("syscall_event_drops.simulate_drops"),
    maxTimeouts: config.get("syscall_event_timeouts.max_consecutives"),
    hostname: settings.env["FALCO_HOSTNAME"] ?? hostname(),
    log: (text) => settings.log.warning(text),
    emit: (alert) => outputs().emit(alert),
    exit,
  });
}

/** Runs until a signal, a limit or an error. Resolves to the exit status. */
export async function run(settings: LiveSettings): Promise<number> {
  const { log } = settings;
  let loaded = load(settings);
  const kind = settings.engine ?? loaded.config.get("engine.kind");
  if (kind === "replay") return replay({ ...settings, captures: [] }, loaded);
  const name = chooseEngine(kind);
  let syscalls = syscallsOf(loaded, settings);
  if (settings.dryRun) return 0;

  const statistics = new Statistics();
  let outputs = openOutputs(settings, loaded.config, false);
  const engine = new Engine({
    detection: loaded.detection,
    outputs,
    statistics,
    ...(settings.maxEvents === undefined ? {} : { maxEvents: settings.maxEvents }),
    ...(settings.maxSeconds === undefined ? {} : { maxSeconds: settings.maxSeconds }),
  });
  let status = 0;
  const monitor = monitorOf(
    loaded.config,
    settings,
    () => outputs,
    (reason) => {
      log.error(reason);
      status = 1;
      engine.stop();
    },
  );
  if (settings.pidFile !== undefined) writeFileSync(settings.pidFile, `${process.pid}\n`);
  const { source, inspector } = await openMachine(liveOptions(loaded.config, syscalls), stateOptions(loaded.config));
  log.info(`engine ${name}: ${loaded.ruleset.rules.length} rules, ${syscalls.length} system calls are watched`);

  const reload = (): void => {
    let fresh: Loaded;
    try {
      fresh = load(settings);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      log.error(`reload refused, the rules in force stay: ${error.message}`);
      return;
    }
    // The old outputs finish what they have before the new ones begin.
    outputs = openOutputs(settings, fresh.config, false, outputs.close());
    syscalls = syscallsOf(fresh, settings);
    source.select(syscalls);
    engine.replace(fresh.detection, outputs);
    loaded = fresh;
    log.info(`reloaded: ${fresh.ruleset.rules.length} rules, ${syscalls.length} system calls are watched`);
  };
  const release = onSignals({ stop: () => engine.stop(), reopen: () => outputs.reopen(), reload });
  const look = setInterval(() => {
    if (monitor.look(source.stats(), nowNs())) inspector.afterLoss();
  }, LOOK_MS);
  const end = settings.maxSeconds === undefined ? null : setTimeout(() => engine.stop(), settings.maxSeconds * 1000);
  try {
    await engine.run(inspector);
  } finally {
    clearInterval(look);
    if (end !== null) clearTimeout(end);
    await source.close();
    monitor.look(source.stats(), nowNs());
    await outputs.close();
    release();
    if (settings.pidFile !== undefined) rmSync(settings.pidFile, { force: true });
  }
  settings.summary(statistics.summary(loaded.ruleset.rules.map((rule) => rule.name)));
  settings.dropSummary(monitor.summary());
  for (const line of outputLosses(outputs.stats())) log.warning(line);
  return status;
}
