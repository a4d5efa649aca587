// SPDX-License-Identifier: Apache-2.0
// From the configuration to outputs: which are on, and how they and their alerts look.
import type { Config } from "../config/config.ts";
import type { AlertStyle } from "../outputs/alert.ts";
import { FileOutput } from "../outputs/file.ts";
import type { Message, Output } from "../outputs/output.ts";
import { Outputs } from "../outputs/outputs.ts";
import { ProgramOutput } from "../outputs/program.ts";
import { StdoutOutput } from "../outputs/stdout.ts";

/** The look of alerts. */
export function alertStyle(config: Config): AlertStyle {
  return {
    json: config.get("json_output"),
    isoTime: config.get("time_format_iso_8601"),
    includeOutput: config.get("json_include_output_property"),
    includeMessage: config.get("json_include_message_property"),
    includeFields: config.get("json_include_output_fields_property"),
    includeTags: config.get("json_include_tags_property"),
  };
}

export interface OutputSettings {
  /** Colours for lines on stdout; null leaves them plain. */
  paint: ((message: Message) => string) | null;
  /** Write every alert at once, whatever buffered_outputs says (-U). */
  unbuffered: boolean;
  /** The events wait for outputs (trace files). */
  patient: boolean;
  /** Nothing is sent before this settles. */
  ready?: Promise<unknown>;
  /** Where faults of outputs are told. */
  report: (text: string) => void;
}

/** One row per output: is it on, and how is it made. */
const MAKERS: readonly ((config: Config, settings: OutputSettings) => Output | null)[] = [
  (config, settings) => (config.get("stdout_output.enabled") ? new StdoutOutput(1, settings.paint) : null),
  (config) =>
    config.get("file_output.enabled")
      ? new FileOutput({
          filename: config.get("file_output.filename"),
          keepAlive: config.get("file_output.keep_alive"),
        })
      : null,
  (config) =>
    config.get("program_output.enabled")
      ? new ProgramOutput({
          program: config.get("program_output.program"),
          keepAlive: config.get("program_output.keep_alive"),
        })
      : null,
];

/** All outputs that the configuration switches on. */
export function makeOutputs(config: Config, settings: OutputSettings): Outputs {
  const list = MAKERS.flatMap((make) => make(config, settings) ?? []);
  return new Outputs(list, {
    style: alertStyle(config),
    capacity: config.get("outputs_queue.capacity"),
    timeoutMs: config.get("output_timeout"),
    buffered: config.get("buffered_outputs") && !settings.unbuffered,
    patient: settings.patient,
    ...(settings.ready === undefined ? {} : { ready: settings.ready }),
    rate: config.get("outputs.rate"),
    maxBurst: config.get("outputs.max_burst"),
    report: settings.report,
  });
}
