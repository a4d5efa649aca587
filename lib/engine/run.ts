// SPDX-License-Identifier: Apache-2.0
// `falco run`: rules over the events of this machine, with reload, drop detection and a clean end.
import { rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import type { Outputs } from "../outputs/outputs.ts";
import { type LiveOptions, type LiveSource, probeEngine, releaseMemory } from "../scap/live.ts";
import { DropMonitor, LOOK_MS, nowNs } from "./drop_monitor.ts";
import { Engine } from "./engine.ts";
import { selectSyscalls } from "./interesting.ts";
import { beginMachine, type MachineLoading, settle } from "./machine.ts";
import { outputLosses, replay } from "./replay.ts";
import {
  type Loaded,
  load,
  openOutputs,
  type RunSettings,
  readConfig,
  SetupError,
  stateOptions,
  waitForHosts,
} from "./session.ts";
import { onSignals } from "./signals.ts";
import { Statistics } from "./statistics.ts";
import { FileWatch } from "./watch.ts";

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

/** When the first seconds of a run are over, in ms. */
const SETTLED_MS = 3000;
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

function liveOptions(config: Config): LiveOptions {
  return {
    ringBytes: 2 ** (config.get("engine.modern_ebpf.buf_size_preset") - 1) * 1024 * 1024,
    cpusPerRing: config.get("engine.modern_ebpf.cpus_for_each_buffer"),
    dropFailed: config.get("engine.modern_ebpf.drop_failed_exit"),
    snaplen: config.get("falco_libs.snaplen"),
    iterators: !config.get("engine.modern_ebpf.disable_iterators"),
  };
}

/** A live run: what is in force, and what changes it. */
class LiveRun {
  readonly statistics = new Statistics();
  status = 0;
  syscalls: number[];
  readonly engine: Engine;
  readonly monitor: DropMonitor;
  private outputs: Outputs;
  private source: LiveSource | null = null;
  private watch: FileWatch | null = null;

  constructor(
    private readonly settings: LiveSettings,
    private loaded: Loaded,
  ) {
    const { config, detection } = loaded;
    this.syscalls = syscallsOf(loaded, settings);
    this.outputs = openOutputs(settings, config, false);
    this.monitor = this.makeMonitor(config);
    this.engine = new Engine({
      detection,
      outputs: this.outputs,
      statistics: this.statistics,
      ...(settings.maxEvents === undefined ? {} : { maxEvents: settings.maxEvents }),
      ...(settings.maxSeconds === undefined ? {} : { maxSeconds: settings.maxSeconds }),
    });
  }

  /** Watches the machine until the engine stops, then closes everything. */
  async watchMachine(engineName: string, loading: MachineLoading): Promise<void> {
    const { settings, engine, monitor } = this;
    const { config } = this.loaded;
    const { pidFile } = settings;
    const { source, inspector, fromProc } = await loading.finish(this.syscalls, stateOptions(config));
    this.source = source;
    if (fromProc !== null) settings.log.debug(`start-up state from /proc alone: ${fromProc}`);
    for (const text of settle(source)) settings.log.warning(text);
    // What the start left behind (30 MB with the shipped rules) would stay for as long as the run lasts. It goes when the first
    // seconds, in which much is done for the first time, are over.
    const settled = setTimeout(releaseMemory, SETTLED_MS);
    this.say(`engine ${engineName}`);
    this.watchFiles();
    const reopen = (): void => this.outputs.reopen();
    const release = onSignals({ stop: () => engine.stop(), reopen, reload: () => this.reload() });
    monitor.look(source.stats(), nowNs());
    const look = setInterval(() => {
      if (monitor.look(source.stats(), nowNs())) inspector.afterLoss();
    }, LOOK_MS);
    const end = settings.maxSeconds === undefined ? null : setTimeout(() => engine.stop(), settings.maxSeconds * 1000);
    try {
      if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
      await engine.run(inspector);
    } finally {
      if (pidFile !== undefined) rmSync(pidFile, { force: true });
      clearInterval(look);
      clearTimeout(settled);
      if (end !== null) clearTimeout(end);
      this.watch?.close();
      await source.close();
      monitor.look(source.stats(), nowNs());
      await this.outputs.close();
      release();
    }
  }

  /** Prints what was seen and lost. */
  summarize(): void {
    const { settings, statistics, monitor } = this;
    settings.summary(statistics.summary(this.loaded.ruleset.rules.map((rule) => rule.name)));
    settings.dropSummary(monitor.summary());
    for (const line of outputLosses(this.outputs.stats())) settings.log.warning(line);
  }

  /** Reads configuration and rules again; when they have mistakes, those in force stay. */
  private reload(): void {
    const { settings } = this;
    let fresh: Loaded;
    try {
      fresh = load(settings);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      settings.log.error(`reload refused, the rules in force stay: ${error.message}`);
      return;
    }
    // The old outputs finish what they have before the new ones begin.
    this.outputs = openOutputs(settings, fresh.config, false, this.outputs.close());
    this.syscalls = syscallsOf(fresh, settings);
    this.source?.select(this.syscalls);
    this.engine.replace(fresh.detection, this.outputs);
    this.loaded = fresh;
    this.watchFiles();
    this.say("reloaded");
  }

  private watchFiles(): void {
    const { config, paths } = this.loaded;
    this.watch?.close();
    this.watch = null;
    if (!config.get("watch_config_files")) return;
    this.watch = new FileWatch(
      paths,
      () => this.reload(),
      (text) => this.settings.log.warning(text),
    );
  }

  private say(what: string): void {
    const { rules } = this.loaded.ruleset;
    this.settings.log.info(`${what}: ${rules.length} rules, ${this.syscalls.length} system calls are watched`);
  }

  private makeMonitor(config: Config): DropMonitor {
    const { log, env } = this.settings;
    return new DropMonitor({
      threshold: config.get("syscall_event_drops.threshold"),
      actions: config.get("syscall_event_drops.actions"),
      rate: config.get("syscall_event_drops.rate"),
      maxBurst: config.get("syscall_event_drops.max_burst"),
      simulate: config.get("syscall_event_drops.simulate_drops"),
      maxTimeouts: config.get("syscall_event_timeouts.max_consecutives"),
      hostname: env["FALCO_HOSTNAME"] ?? hostname(),
      log: (text) => log.warning(text),
      emit: (alert) => this.outputs.emit(alert),
      exit: (reason) => {
        log.error(reason);
        this.status = 1;
        this.engine.stop();
      },
    });
  }
}

/** Runs until a signal, a limit or an error. Resolves to the exit status. */
export async function run(settings: LiveSettings): Promise<number> {
  const config = readConfig(settings);
  const kind = settings.engine ?? config.get("engine.kind");
  if (kind === "replay") return replay({ ...settings, captures: [] }, load(settings, config));
  if (settings.dryRun) {
    load(settings, config);
    return 0;
  }
  const engineName = chooseEngine(kind);
  // The kernel checks the probe while the rules are read.
  const loading = beginMachine(liveOptions(config));
  let live: LiveRun;
  try {
    const loaded = load(settings, config);
    await waitForHosts(loaded, settings.log);
    live = new LiveRun(settings, loaded);
  } catch (error) {
    loading.cancel();
    throw error;
  }
  await live.watchMachine(engineName, loading);
  live.summarize();
  return live.status;
}
