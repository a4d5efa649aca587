// SPDX-License-Identifier: Apache-2.0
// `falco capture`: see, count and write events of a trace file or of this machine.
import type { CaptureCounts, CaptureOptions, LineSink } from "../lib/engine/capture/run.ts";
import type { Context, Inspector } from "../lib/sinsp/inspector.ts";
import { CAPTURE_FLAGS } from "./capture_flags.ts";
import type { Args } from "./cli/args.ts";
import { UsageError } from "./cli/errors.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";

/** The line of an event, as scripts written for sysdig expect it. */
const LINE = "%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";
const CONTAINER_LINE =
  "%evt.num %evt.outputtime %evt.cpu %container.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info";
const KUBERNETES_LINE =
  "%evt.num %evt.outputtime %evt.cpu %k8s.pod.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info";

const NAMED_LINES: Readonly<Record<string, string>> = {
  c: CONTAINER_LINE,
  container: CONTAINER_LINE,
  k: KUBERNETES_LINE,
  kubernetes: KUBERNETES_LINE,
};

/** The format that -p asks for; the default line, tolerant of missing values, without it. */
function formatText(print: string | undefined): string {
  if (print === undefined || print === "") return `*${LINE}`;
  const named = NAMED_LINES[print];
  return named === undefined ? print : `*${named}`;
}

/** Sets how buffers and times are shown. */
async function setDisplay(args: Args): Promise<void> {
  const { display } = await import("../lib/fields/settings.ts");
  if (args.bool("print-ascii")) display.buffer = "ascii";
  if (args.bool("print-hex")) display.buffer = "hex";
  if (args.bool("print-hex-ascii")) display.buffer = "hexascii";
  if (args.bool("print-base64")) display.buffer = "base64";
  const snaplen = args.number("snaplen");
  if (snaplen !== undefined) display.bufferLimit = snaplen;
  if (args.bool("verbose")) display.bufferLimit = 0;
  const time = args.string("time");
  if (time !== undefined) display.time = time as typeof display.time;
}

/** The compiled filter; null without words. Throws with the place when it is wrong. */
async function compileWords(words: readonly string[]): Promise<((ctx: Context) => boolean) | null> {
  if (words.length === 0) return null;
  const [{ parseFilterBytes }, { checkFilter }, { compileFilter }, errors, { builtinFields }, { toBytes }] =
    await Promise.all([
      import("../lib/filter/parser.ts"),
      import("../lib/filter/checker.ts"),
      import("../lib/filter/compile.ts"),
      import("../lib/filter/errors.ts"),
      import("../lib/fields/registry.ts"),
      import("../lib/scap/bytes.ts"),
    ]);
  const bytes = toBytes(words.join(" "));
  try {
    return compileFilter(checkFilter(parseFilterBytes(bytes), builtinFields));
  } catch (error) {
    if (error instanceof errors.FilterError) throw new Error(errors.describeFilterError(bytes, error));
    throw error;
  }
}

interface Lines {
  line: ((ctx: Context) => string | null) | null;
  sink: LineSink;
}

/** How events are printed. Throws with the place when the format is wrong. */
async function lines(args: Args): Promise<Lines> {
  const { compileFormat } = await import("../lib/format/formatter.ts");
  const { describeFormatError, FormatError } = await import("../lib/format/error.ts");
  const output = Output.stdout(args.bool("unbuffered") || process.stdout.isTTY === true);
  const none = args.bool("quiet") || (args.has("write") && !args.has("print") && !args.bool("json"));
  try {
    const format = compileFormat(formatText(args.string("print")), { recorded: true });
    if (none) return { line: null, sink: output };
    if (!args.bool("json")) return { line: format.text, sink: output };
    const sink = { line: (text: string) => output.textLine(text), flush: () => output.flush() };
    return { line: format.json, sink };
  } catch (error) {
    if (error instanceof FormatError) throw new Error(describeFormatError(error));
    throw error;
  }
}

/** What -S and -v ask for at the end. */
async function report(args: Args, counts: CaptureCounts, started: number): Promise<void> {
  if (args.bool("summary")) {
    const { summaryRows, summaryText } = await import("../lib/engine/capture/summary.ts");
    const text = args.bool("json") ? `${JSON.stringify({ summary: summaryRows(counts) })}\n` : summaryText(counts);
    process.stderr.write(text);
  }
  if (args.bool("verbose")) {
    const seconds = (performance.now() - started) / 1000;
    const rate = Math.round(counts.read / Math.max(seconds, 1e-9));
    process.stderr.write(
      `${counts.read} events in ${seconds.toFixed(3)} s (${rate}/s), ${counts.shown} of them shown\n`,
    );
  }
}

async function readFile(path: string, args: Args): Promise<number> {
  const started = performance.now();
  await setDisplay(args);
  const matches = await compileWords(args.words);
  const { line, sink } = await lines(args);
  const { openCapture } = await import("../lib/scap/reader.ts");
  const { Inspector } = await import("../lib/sinsp/inspector.ts");
  const source = await openCapture(path);
  try {
    const inspector = new Inspector(source);
    await runWith(args, inspector, { matches, line, sink }, started);
    return 0;
  } finally {
    await source.close();
  }
}

async function runWith(
  args: Args,
  inspector: Inspector,
  what: Pick<CaptureOptions, "matches" | "line" | "sink">,
  started: number,
): Promise<void> {
  const { runCapture } = await import("../lib/engine/capture/run.ts");
  const { ProgressBar } = await import("../lib/engine/progress.ts");
  const stop = { requested: false };
  const onSignal = () => {
    stop.requested = true;
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  const wanted = args.bool("progress") || (process.stderr.isTTY && !process.stdout.isTTY);
  const bar = wanted ? new ProgressBar((text) => process.stderr.write(text)) : null;
  let counts: CaptureCounts | undefined;
  try {
    await runCapture(
      inspector,
      {
        ...what,
        events: null,
        limit: args.number("limit") ?? Number.POSITIVE_INFINITY,
        internal: args.bool("debug"),
        duration: (args.number("duration") ?? Number.POSITIVE_INFINITY) * 1000,
        stop,
        ...(bar === null
          ? {}
          : { onProgress: (fraction: number) => bar.update(inspector.source.name, fraction, counts?.read ?? 0) }),
      },
      (c) => {
        counts = c;
      },
    );
  } finally {
    bar?.clear();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    if (counts !== undefined) await report(args, counts, started);
  }
}

export const capture: Command = {
  name: "capture",
  words: "[FILTER…]",
  summary: "See the events of a trace file, all or those that a filter picks.",
  about: ["Words that belong to no flag are the filter, joined by blanks."],
  flags: CAPTURE_FLAGS,
  examples: [
    { line: "falco capture -r trace.scap", does: "Every event as one line." },
    { line: "falco capture -r trace.scap proc.name=nginx and evt.type=openat", does: "What nginx opened." },
    {
      line: "falco capture -r trace.scap -p '%proc.name %fd.name' evt.is_open_write=true",
      does: "Who wrote to which file.",
    },
  ],
  async run(args) {
    const file = args.string("read");
    if (file === undefined) throw new UsageError("name a trace file with -r FILE");
    return readFile(file, args);
  },
};
