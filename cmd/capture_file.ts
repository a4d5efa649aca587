// SPDX-License-Identifier: Apache-2.0
// What `falco capture` does with a trace file without keeping state: --info, --raw and copying to another file.
import { statSync } from "node:fs";
import { ProgressBar } from "../lib/engine/progress.ts";
import { copyCapture } from "../lib/scap/copy.ts";
import { type CaptureInfo, gatherInfo, type SectionInfo } from "../lib/scap/info.ts";
import { rawLine } from "../lib/scap/raw.ts";
import { type FileSource, openCapture } from "../lib/scap/reader.ts";
import { NEXT } from "../lib/scap/source.ts";
import { createCaptureWriter } from "../lib/scap/writer.ts";
import { Output } from "./cli/output.ts";
import { table } from "./cli/table.ts";

export interface CaptureFileOptions {
  /** Show a progress bar on stderr. */
  progress: boolean;
}

/** What the work on a file is given. */
interface Work {
  source: FileSource;
  /** Reports progress. */
  tick(): void;
  /** Like source.more(), and false after Ctrl-C or SIGTERM. */
  more(): Promise<boolean>;
}

/** Opens `path` without conversion, does the work and closes it again. */
async function withFile<T>(path: string, options: CaptureFileOptions, work: (w: Work) => Promise<T>): Promise<T> {
  const source = await openCapture(path, { asRecorded: true });
  const bar = options.progress ? new ProgressBar((text) => process.stderr.write(text)) : null;
  const stop = Promise.withResolvers<false>();
  const onSignal = (): void => stop.resolve(false);
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    return await work({
      source,
      tick: () => bar?.update(source.name, source.progress(), source.stats().events),
      more: () => Promise.race([stop.promise, source.more()]),
    });
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    bar?.clear();
    await source.close();
  }
}

const MIB = 1024 * 1024;

function sectionText(s: SectionInfo, ordinal: string): string {
  const types = Object.entries(s.descriptorsByType).map(([name, n]) => `${n} ${name}`);
  const memory = `${(s.memoryBytes / MIB).toFixed(0)} MiB of memory`;
  const rows = [
    [
      "machine",
      `${s.hostname === "" ? "unknown host" : s.hostname}, ${s.cpus} CPUs, ${memory}, pids up to ${s.maxPid}`,
    ],
    ["booted", s.bootTime ?? "unknown"],
    ["format", s.format],
    ["processes", `${s.processes} (${s.threads} threads)`],
    ["descriptors", types.length === 0 ? "0" : `${s.descriptors}: ${types.join(", ")}`],
    ["interfaces", String(s.interfaces)],
    ["users", `${s.users}, groups ${s.groups}`],
    ["events", String(s.events)],
    ["from", s.firstEvent ?? "no event"],
    ["to", s.lastEvent === null ? "no event" : `${s.lastEvent} (${s.duration.toFixed(9)} s)`],
  ];
  const lines = rows.map(([name, value]) => `${name?.padEnd(12)}${value}\n`);
  return `${ordinal}${lines.join("")}`;
}

/** The report of --info for people. */
export function infoText(info: CaptureInfo): string {
  const many = info.sections.length > 1;
  const parts = [`file        ${info.file} (${info.packing})\n`];
  if (many) parts[0] += `sections    ${info.sections.length}\n`;
  info.sections.forEach((s, i) => {
    parts.push(sectionText(s, many ? `section     ${i + 1}\n` : ""));
  });
  const blocks = info.blocks.map((b) => [b.name, b.id, String(b.count)]);
  parts.push(table(["BLOCK", "ID", "COUNT"], blocks, [2]));
  const events = info.eventsByType.map((e) => [e.direction, e.name, String(e.id), String(e.count)]);
  parts.push(table(["", "EVENT", "ID", "COUNT"], events, [2, 3]));
  if (info.unknownEvents > 0) parts.push(`events of unknown types: ${info.unknownEvents}\n`);
  return parts.join("\n");
}

/**
 * `falco capture -r FILE --info`: prints what the file holds. Throws the file's damage as an error after what lies
 * before it was printed.
 */
export async function runCaptureInfo(path: string, options: CaptureFileOptions & { json: boolean }): Promise<void> {
  let damage: unknown = null;
  const info = await withFile(path, options, async ({ source, tick, more }) => {
    const result = await gatherInfo(source, { onBatch: tick, more });
    if (result.damage !== null) damage = new Error(result.damage);
    return result;
  });
  Output.stdout().text(options.json ? `${JSON.stringify(info, null, 2)}\n` : infoText(info));
  if (damage !== null) throw damage;
}

/** `falco capture -r FILE --raw`: prints up to `limit` events by their wire types, without any state. */
export async function runCaptureRaw(
  path: string,
  options: CaptureFileOptions & { limit: number; unbuffered: boolean },
): Promise<void> {
  const output = Output.stdout(options.unbuffered);
  try {
    await withFile(path, options, async ({ source, tick, more }) => {
      // Whoever waits at the other end of a pipe sees events as they come.
      const streams = Number.isNaN(source.progress());
      let left = options.limit;
      do {
        let result = source.next();
        for (; result === NEXT.EVENT || result === NEXT.SECTION; result = source.next()) {
          if (result === NEXT.SECTION) continue;
          if (left-- <= 0) return;
          output.line(rawLine(source.cursor));
        }
        tick();
        if (streams) output.flush();
      } while (await more());
    });
  } finally {
    output.flush();
  }
}

function isSameFile(a: string, b: string): boolean {
  if (a === "-" || b === "-") return false;
  const from = statSync(a, { throwIfNoEntry: false });
  const to = statSync(b, { throwIfNoEntry: false });
  return to?.isFile() === true && from?.dev === to.dev && from.ino === to.ino;
}

/**
 * `falco capture -r FILE -w FILE [-z]` without a filter: copies all events and the state, in the current layout.
 * Damage of the input is thrown after all whole events before it are in the output.
 */
export async function runCaptureConvert(
  from: string,
  to: string,
  options: CaptureFileOptions & { compress: boolean },
): Promise<void> {
  if (isSameFile(from, to)) throw new Error(`${to}: cannot write: it is the file that is read`);
  await withFile(from, options, async ({ source, tick, more }) => {
    const writer = createCaptureWriter(to, { compress: options.compress });
    try {
      await copyCapture(source, writer, { onBatch: tick, more });
    } finally {
      await writer.close();
    }
  });
}
