// SPDX-License-Identifier: Apache-2.0
// `falco replay`: rules over trace files, one after the other, and the summary.
import type { OutputsStats } from "../outputs/outputs.ts";
import { ScapFormatError, ScapIoError } from "../scap/errors.ts";
import { openCapture } from "../scap/reader.ts";
import { Inspector, type InspectorOptions } from "../sinsp/inspector.ts";
import { Engine } from "./engine.ts";
import { ProgressBar } from "./progress.ts";
import { load, openOutputs, type RunSettings, SetupError, stateOptions, waitForHosts } from "./session.ts";
import { onSignals } from "./signals.ts";
import { Statistics } from "./statistics.ts";

export interface ReplaySettings extends RunSettings {
  /** Trace files in order; "-" is standard input. When empty, engine.replay.capture_file counts. */
  captures: readonly string[];
  /** -n: events to look at; -M: seconds of event time. */
  maxEvents?: number;
  maxSeconds?: number;
  /** Writes to the terminal on stderr; null when there is none to draw a progress bar on. */
  terminal: ((text: string) => void) | null;
  /** Takes the summary for standard output. */
  summary: (text: string) => void;
  /** Stop before the first event, once everything has been checked. */
  dryRun: boolean;
}

/** Says what outputs lost and the rate limit held back. */
export function outputLosses(stats: OutputsStats): string[] {
  const lines = stats.lanes
    .filter((lane) => lane.lost > 0)
    .map((lane) => `output '${lane.name}': ${lane.lost} of ${lane.sent + lane.lost} alerts were lost`);
  if (stats.limited > 0) lines.push(`the rate limit held back ${stats.limited} alerts`);
  return lines;
}

/** Takes the bar away before an alert comes to stand on the same terminal. */
function besideBar(bar: ProgressBar, paint: RunSettings["paint"]): NonNullable<RunSettings["paint"]> {
  return (message, json) => {
    bar.clear();
    return paint === null ? message.line : paint(message, json);
  };
}

/** Runs the rules over all captures. Resolves to the exit status: 1 when a capture could not be read to its end. */
export async function replay(settings: ReplaySettings, loaded = load(settings)): Promise<number> {
  const { log } = settings;
  const { config, ruleset, detection } = loaded;
  const one = config.get("engine.replay.capture_file");
  const captures = settings.captures.length > 0 ? settings.captures : one === "" ? [] : [one];
  if (captures.length === 0) throw new SetupError("no trace file: name one with -e or engine.replay.capture_file");
  if (settings.dryRun) return 0;
  await waitForHosts(loaded, log);

  const statistics = new Statistics();
  const bar = settings.terminal === null ? null : new ProgressBar(settings.terminal);
  const outputs = openOutputs(
    bar === null ? settings : { ...settings, paint: besideBar(bar, settings.paint) },
    config,
    true,
  );
  const engine = new Engine({
    detection,
    outputs,
    statistics,
    ...(settings.maxEvents === undefined ? {} : { maxEvents: settings.maxEvents }),
    ...(settings.maxSeconds === undefined ? {} : { maxSeconds: settings.maxSeconds }),
    onPause: (inspector) => bar?.update(inspector.source.name, inspector.source.progress(), statistics.events),
  });
  const release = onSignals({ stop: () => engine.stop(), reopen: () => outputs.reopen() });
  // A limit counts all events, whether or not a rule looks at them.
  const { wanted, ...always } = loaded.needs;
  const selective = settings.maxEvents === undefined && wanted !== undefined;
  const state = { ...stateOptions(config), ...always, ...(selective ? { wanted } : {}) };
  let status = 0;
  try {
    for (const path of captures) {
      if (engine.stopped) break;
      try {
        await replayOne(engine, path, state);
      } catch (error) {
        // A damaged or missing file does not keep the next ones from being read.
        if (!(error instanceof ScapFormatError || error instanceof ScapIoError)) throw error;
        bar?.clear();
        log.error(error.message);
        status = 1;
      }
    }
  } finally {
    bar?.clear();
    await outputs.close();
    release();
  }
  settings.summary(statistics.summary(ruleset.rules.map((rule) => rule.name)));
  for (const line of outputLosses(outputs.stats())) log.warning(line);
  return status;
}

async function replayOne(engine: Engine, path: string, options: InspectorOptions): Promise<void> {
  const source = await openCapture(path);
  try {
    await engine.run(new Inspector(source, options));
  } finally {
    await source.close();
  }
}
