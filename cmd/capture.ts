// SPDX-License-Identifier: Apache-2.0
// `falco capture`: see, count and write events of a trace file or of this machine.
import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import type { CaptureFiles } from "../lib/engine/capture/files.ts";
import type { RotationRules } from "../lib/engine/capture/rotation.ts";
import type { CaptureCounts, CaptureOptions, Line, LineSink } from "../lib/engine/capture/run.ts";
import type { Context, Inspector, InspectorOptions, ThreadCondition } from "../lib/sinsp/inspector.ts";
import { CAPTURE_FLAGS } from "./capture_flags.ts";
import type { Args } from "./cli/args.ts";
import { describeError, UsageError } from "./cli/errors.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";
import { obeysEscapes } from "./cli/terminal.ts";
import { embedded } from "./embedded.ts";

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

/** The format that -p asks for; the default line, tolerant of missing values and coloured on a terminal, without it. */
async function formatText(print: string | undefined): Promise<string> {
  const named = print === undefined || print === "" ? LINE : NAMED_LINES[print];
  if (named === undefined) return print as string;
  const { coloursFor } = await import("./cli/colour.ts");
  const { cyan, green, blue } = coloursFor(process.stdout);
  const coloured = named
    .replace("%proc.name", green("%proc.name"))
    .replace("%thread.tid", cyan("%thread.tid"))
    .replace("%evt.type", blue("%evt.type"));
  return `*${coloured}`;
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

interface Filter {
  matches(ctx: Context): boolean;
  /** Codes of the system calls that the filter or the state needs. */
  syscalls(): number[];
  /** Mask by event id of the types that can make it true. */
  types(): Uint8Array;
  /** The condition on threads that it comes to for some types; null without one. */
  threads(): ThreadCondition | null;
  /** Names of the fields in it. */
  readonly fields: readonly string[];
}

/** True without words, and with empty ones, as scripts have them that put a filter together. */
function noFilter(words: readonly string[]): boolean {
  return words.every((word) => word.trim() === "");
}

/** The compiled filter; null without words. Throws with the place when it is wrong. */
async function compileWords(words: readonly string[]): Promise<Filter | null> {
  if (noFilter(words)) return null;
  const { parseFilterBytes } = await import("../lib/filter/parser.ts");
  const { checkFilter } = await import("../lib/filter/checker.ts");
  const { compileFilter, threadPart } = await import("../lib/filter/compile.ts");
  const { filterFacts } = await import("../lib/filter/ast.ts");
  const { eventTypesOf, syscallsOf } = await import("../lib/filter/event_types.ts");
  const errors = await import("../lib/filter/errors.ts");
  const { builtinFields } = await import("../lib/fields/registry.ts");
  const { toBytes } = await import("../lib/scap/bytes.ts");
  const { SYSCALL_NAMES, SYSCALL_SETS } = await import("../lib/schema/tables/syscalls.ts");
  const bytes = toBytes(words.join(" "));
  try {
    const ast = parseFilterBytes(bytes);
    const checked = checkFilter(ast, builtinFields);
    const state = new Set(SYSCALL_SETS["state"]);
    return {
      matches: compileFilter(checked),
      threads: () => threadPart(checked),
      fields: filterFacts(ast).fields,
      types: () => eventTypesOf(ast),
      syscalls() {
        const wanted = syscallsOf(ast);
        return SYSCALL_NAMES.flatMap((name, code) => (wanted[code] === 1 || state.has(name) ? [code] : []));
      },
    };
  } catch (error) {
    if (error instanceof errors.FilterError) throw new Error(errors.describeFilterError(bytes, error));
    throw error;
  }
}

/** Bytes of lines that are gathered before they are written. */
const PIECE = 128 * 1024;

/** Gathers lines for standard output; escape sequences of the format may stand on a terminal. */
async function lineSink(eager: boolean, format: string): Promise<LineSink> {
  const { LineWriter } = await import("../lib/fields/line_writer.ts");
  const { colourSequences } = await import("../lib/scap/printable.ts");
  const output = Output.stdout(false, colourSequences(format));
  const out = new LineWriter(2 * PIECE);
  return {
    out,
    enough: eager ? 1 : PIECE,
    flush() {
      const length = out.at;
      out.at = 0;
      if (length > 0) output.raw(out.bytes, length);
    },
  };
}

/** How events are printed. Throws with the place when the format is wrong. */
async function lines(args: Args): Promise<{ line: Line | null; sink: LineSink; fields: string[] }> {
  const { compileFormat } = await import("../lib/format/formatter.ts");
  const { describeFormatError, FormatError } = await import("../lib/format/error.ts");
  const text = await formatText(args.string("print"));
  const sink = await lineSink(args.bool("unbuffered") || process.stdout.isTTY === true, text);
  try {
    const format = compileFormat(text, { recorded: true });
    if (args.bool("quiet") || args.has("write")) return { line: null, sink, fields: [] };
    const fields = format.fields.map((f) => f.field.name);
    return { line: args.bool("json") ? format.writeJson : format.write, sink, fields };
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

interface Session {
  inspector: Inspector;
  what: Pick<CaptureOptions, "matches" | "line" | "sink">;
  /** There is a filter. */
  filtered: boolean;
  stop: CaptureOptions["stop"];
  started: number;
}

/** Runs the capture and reports at its end, also when it failed half-way. */
async function runWith(args: Args, { inspector, what, filtered, stop, started }: Session): Promise<void> {
  const { runCapture } = await import("../lib/engine/capture/run.ts");
  const { ProgressBar } = await import("../lib/engine/progress.ts");
  const { kind, name } = inspector.source;
  const bar = kind === "file" && wantsBar(args) ? new ProgressBar((text) => process.stderr.write(text)) : null;
  const files = await outputFiles(args, inspector, filtered);
  const options: CaptureOptions = {
    ...what,
    events: files,
    limit: args.number("limit") ?? Number.POSITIVE_INFINITY,
    internal: args.bool("debug"),
    duration: (args.number("duration") ?? Number.POSITIVE_INFINITY) * 1000,
    stop,
  };
  let counts: CaptureCounts | undefined;
  if (bar !== null) options.onProgress = (fraction) => bar.update(name, fraction, counts?.read ?? 0);
  try {
    await runCapture(inspector, options, (c) => {
      counts = c;
    });
  } finally {
    bar?.clear();
    try {
      await files?.close();
    } finally {
      if (counts !== undefined) await report(args, counts, started);
    }
  }
}

/** The files that -w asks for; null without it. */
async function outputFiles(args: Args, inspector: Inspector, filtered: boolean): Promise<CaptureFiles | null> {
  const path = args.string("write");
  if (path === undefined) return null;
  const { CaptureFiles: Files } = await import("../lib/engine/capture/files.ts");
  return new Files(inspector, {
    path,
    filtered,
    compress: args.bool("compress"),
    fatfile: args.bool("fatfile"),
    // A live capture is cut by the probe already.
    snaplen:
      inspector.source.kind === "live"
        ? Number.POSITIVE_INFINITY
        : (args.number("snaplen") ?? Number.POSITIVE_INFINITY),
    rotation: rotationRules(args),
  });
}

function rotationRules(args: Args): RotationRules {
  return {
    maxBytes: (args.number("file-size") ?? 0) * 1e6,
    maxEvents: args.number("events") ?? 0,
    seconds: args.number("seconds") ?? 0,
    limit: args.number("file-limit") ?? 0,
  };
}

/** Flags that make sense only when something is written. */
const WRITE_ONLY = ["compress", "fatfile", "file-size", "events", "seconds", "file-limit"];

/** Refuses flags that do not go together. */
function checkFlags(args: Args): void {
  const write = args.string("write");
  for (const flag of WRITE_ONLY) {
    if (write === undefined && args.has(flag)) throw new UsageError(`--${flag} wants -w/--write FILE`);
  }
  if (write === undefined) return;
  const rules = rotationRules(args);
  const rotates = rules.maxBytes > 0 || rules.maxEvents > 0 || rules.seconds > 0;
  if (rules.limit > 0 && !rotates) throw new UsageError("-W/--file-limit wants -C, -e or -G");
  if (rotates && write === "-") throw new UsageError("standard output is one file: no -C, -e or -G with '-w -'");
  const read = args.string("read");
  if (read !== undefined && !rotates && isSameFile(read, write)) {
    throw new UsageError(`${write}: is the file that is read`);
  }
}

function isSameFile(a: string, b: string): boolean {
  if (a === "-" || b === "-") return false;
  const [x, y] = [statSync(a, { throwIfNoEntry: false }), statSync(b, { throwIfNoEntry: false })];
  return x !== undefined && y !== undefined && x.isFile() && x.dev === y.dev && x.ino === y.ino;
}

/** Calls `act` at the first Ctrl-C or SIGTERM; returns a function that ends this. */
function onStop(act: (signal: NodeJS.Signals) => void): () => void {
  process.once("SIGINT", act).once("SIGTERM", act);
  return () => process.off("SIGINT", act).off("SIGTERM", act);
}

/** With one of these -w writes something else than the whole file. */
const NOT_WHOLE = ["limit", "duration", "snaplen", "file-size", "events", "seconds", "summary", "verbose"];

/** True when a progress bar is to be shown. */
function wantsBar(args: Args): boolean {
  return args.bool("progress") || (obeysEscapes(process.stderr) && !process.stdout.isTTY);
}

/** --info, --raw and copies of whole files, which need no state; undefined when the flags ask for something else. */
async function withoutState(path: string, args: Args): Promise<number | undefined> {
  const { runCaptureConvert, runCaptureInfo, runCaptureRaw } = await import("./capture_file.ts");
  const progress = wantsBar(args);
  const write = args.string("write");
  if (args.bool("info") || args.bool("raw")) {
    const flag = args.bool("info") ? "--info" : "--raw";
    if (!noFilter(args.words)) throw new UsageError(`${flag} looks at the whole file: no filter can be given`);
  }
  if (args.bool("info")) await runCaptureInfo(path, { progress, json: args.bool("json") });
  else if (args.bool("raw")) {
    const limit = args.number("limit") ?? Number.POSITIVE_INFINITY;
    await runCaptureRaw(path, { progress, limit, unbuffered: args.bool("unbuffered") });
  } else if (write !== undefined && noFilter(args.words) && !NOT_WHOLE.some((flag) => args.has(flag))) {
    await runCaptureConvert(path, write, { progress, compress: args.bool("compress") });
  } else return undefined;
  return 0;
}

/** What the state is kept for: the event types and figures that somebody sees. */
async function stateNeeds(args: Args, fields: readonly string[], filter: Filter | null): Promise<InspectorOptions> {
  const { demandOf } = await import("../lib/fields/demand.ts");
  const { EVENT_MAX } = await import("../lib/schema/events.ts");
  const { everyEvent, figures } = demandOf(fields);
  // What is written is complete, figures and internal events too.
  const writes = args.has("write");
  if (everyEvent || args.bool("debug") || (writes && (filter === null || args.bool("fatfile"))))
    return { figures: figures || writes };
  const wanted = filter === null ? new Uint8Array(EVENT_MAX).fill(1) : filter.types();
  const threads = filter === null ? null : filter.threads();
  return { wanted, ...(threads === null ? {} : { threads }), internal: writes, figures: figures || writes };
}

async function fromFile(path: string, args: Args): Promise<number> {
  const status = await withoutState(path, args);
  if (status !== undefined) return status;
  const started = performance.now();
  await setDisplay(args);
  const filter = await compileWords(args.words);
  const { line, sink, fields } = await lines(args);
  const { openCapture } = await import("../lib/scap/reader.ts");
  const { Inspector } = await import("../lib/sinsp/inspector.ts");
  const { Stop } = await import("../lib/engine/capture/run.ts");
  const stop = new Stop();
  const release = onStop(() => stop.request());
  const source = await openCapture(path);
  try {
    const what = { matches: filter?.matches ?? null, line, sink };
    const inspector = new Inspector(source, await stateNeeds(args, [...fields, ...(filter?.fields ?? [])], filter));
    await runWith(args, { inspector, what, filtered: filter !== null, stop, started });
    return 0;
  } finally {
    release();
    await source.close();
  }
}

async function fromMachine(args: Args): Promise<number> {
  const started = performance.now();
  await setDisplay(args);
  const filter = await compileWords(args.words);
  const { line, sink } = await lines(args);
  const { setEmbeddedShim } = await import("../lib/scap/shim.ts");
  const { openMachine, settle } = await import("../lib/engine/machine.ts");
  const { Stop } = await import("../lib/engine/capture/run.ts");
  if (embedded.shim !== "") setEmbeddedShim(embedded.shim);
  const { source, inspector } = await openMachine({
    enterHooks: "none",
    snaplen: args.number("snaplen") ?? 80,
    ...(filter === null ? {} : { syscalls: filter.syscalls() }),
  });
  for (const text of settle(source)) process.stderr.write(`falco: ${text}\n`);
  const stop = new Stop();
  let matches = filter?.matches ?? null;
  let status = 0;
  let child: ChildProcess | null = null;
  const release = onStop((signal) => {
    if (child !== null) child.kill(signal);
    else source.stop();
  });
  try {
    if (args.rest !== null) {
      const { Follower } = await import("../lib/engine/capture/follow.ts");
      child = await start(args.rest);
      child.once("exit", (code, signal) => {
        status = signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
        source.stop();
      });
      const follower = new Follower(child.pid as number);
      const inner = matches;
      matches = inner === null ? (ctx) => follower.matches(ctx) : (ctx) => follower.matches(ctx) && inner(ctx);
    }
    await runWith(args, { inspector, what: { matches, line, sink }, filtered: matches !== null, stop, started });
    return status;
  } finally {
    release();
    await source.close();
    const { drops } = source.stats();
    if (drops > 0) process.stderr.write(`falco: ${drops} events were lost\n`);
  }
}

/** Starts a command with our input and output. Resolves once it runs; throws when it cannot be run. */
async function start(line: readonly string[]): Promise<ChildProcess> {
  const [program, ...rest] = line;
  if (program === undefined) throw new UsageError("'--' wants a command behind it");
  const { spawn } = await import("node:child_process");
  const { userEnvironment } = await import("../lib/engine/capture/user_environment.ts");
  const child = spawn(program, rest, { stdio: "inherit", env: userEnvironment(process.env) });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(new Error(`cannot run a command: ${describeError(error)}`)));
  });
  return child;
}

export const capture: Command = {
  name: "capture",
  words: "[FILTER…] [-- COMMAND…]",
  summary: "See the events of this machine, of one command, or of a trace file.",
  about: [
    "Words that belong to no flag are the filter, joined by blanks: only events that it picks are shown.",
    "Without -r the kernel of this machine is listened to, until Ctrl-C. A command after '--' is run, only it and its descendants are seen, and its exit status is handed on.",
  ],
  flags: CAPTURE_FLAGS,
  examples: [
    { line: "falco capture -r trace.scap", does: "Every event as one line." },
    { line: "falco capture -r trace.scap proc.name=nginx and evt.type=openat", does: "What nginx opened." },
    {
      line: "falco capture -r trace.scap -p '%proc.name %fd.name' evt.is_open_write=true",
      does: "Who wrote to which file.",
    },
    { line: "falco capture evt.type=execve", does: "Programs that are started on this machine, as they start." },
    { line: "falco capture -S -q -- make", does: "How often make and its children called what." },
  ],
  takesCommand: true,
  elsewhere: {
    l: "'falco list fields' lists fields",
    L: "'falco list events' lists events",
    c: "chisels are not there",
    i: "chisels are not there",
    I: "falco --list-plugins says which plugins there are",
    H: "falco --list-plugins says which plugins there are",
  },
  async run(args) {
    checkFlags(args);
    const file = args.string("read");
    if (file === undefined) {
      for (const flag of ["info", "raw"]) if (args.bool(flag)) throw new UsageError(`--${flag} wants -r/--read FILE`);
      return fromMachine(args);
    }
    if (args.rest !== null) throw new UsageError("-r/--read reads a file: no command can be run with it");
    return fromFile(file, args);
  },
};
