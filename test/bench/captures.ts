// SPDX-License-Identifier: Apache-2.0
// Large captures for benchmarks: the events of a small one again and again, with time going on.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventCursor } from "../../lib/scap/cursor.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { createCaptureWriter } from "../../lib/scap/writer.ts";
import { EV } from "../../lib/schema/tables/enums.ts";
import { HAS_SHARED, ROOT, sharedPath } from "../support/shared.ts";

/** Bytes of a large capture, uncompressed. */
export const LARGE = 320 * 1024 * 1024;
const CACHE = join(ROOT, "build/bench");
/** ns between the last event of a repetition and the first of the next. */
const PAUSE = 1_000_000n;

/** Events of a capture as blocks of the present layout. */
interface Run {
  bytes: Buffer;
  /** Offsets of the event headers. */
  headers: number[];
  span: bigint;
}

async function readRun(
  path: string,
  pick: Pick,
): Promise<{ run: Run; source: Awaited<ReturnType<typeof openCapture>> }> {
  const source = await openCapture(path, { asRecorded: true });
  const parts: Buffer[] = [];
  const headers: number[] = [];
  let length = 0;
  let first = 0n;
  let last = 0n;
  do {
    while (source.next() === NEXT.EVENT) {
      const c = source.cursor;
      if (!pick(c)) continue;
      const total = (10 + c.length + 4 + 3) & ~3;
      const block = Buffer.alloc(total);
      block.writeUInt32LE(0x216, 0);
      block.writeUInt32LE(total, 4);
      block.writeUInt16LE(c.cpu, 8);
      c.bytes.copy(block, 10, c.offset, c.offset + c.length);
      block.writeUInt32LE(total, total - 4);
      parts.push(block);
      headers.push(length + 10);
      length += total;
      last = c.timeExact();
      if (first === 0n) first = last;
    }
  } while (await source.more());
  await source.close();
  return { run: { bytes: Buffer.concat(parts), headers, span: last - first + PAUSE }, source };
}

/** Chooses the events that are repeated. */
type Pick = (cursor: EventCursor) => boolean;

function enlargedPath(name: string, size: number, compress: boolean): string {
  return join(CACHE, `${name}-${size}.scap${compress ? ".gz" : ""}`);
}

function isThere(path: string): boolean {
  return existsSync(path) && existsSync(`${path}.events`);
}

/** Makes the capture; the number of its events is in a file beside it. */
async function enlarge(path: string, source: Source, size: number, compress: boolean): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const { run, source: opened } = await readRun(source.from(), source.pick());
  const writer = createCaptureWriter(`${path}.part`, { compress });
  writer.writeHeader(opened.machine, opened.state);
  let n = 0;
  for (; writer.bytesTaken < size; n++) {
    const bytes = Buffer.from(run.bytes);
    const shift = run.span * BigInt(n);
    for (const at of run.headers) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) + shift, at);
    writer.writeBlocks(bytes, 0, bytes.length, run.headers.length);
    if (writer.full) await writer.drain();
  }
  await writer.close();
  writeFileSync(`${path}.events`, `${run.headers.length * n}\n`);
  renameSync(`${path}.part`, path);
}

interface Source {
  from(): string;
  pick(): Pick;
}

const all = (): Pick => () => true;

/** Events that many rules look at. */
const OPENS = new Set<number>([EV.OPENAT_2_X, EV.OPEN_X, EV.OPENAT2_X, EV.EXECVE_19_X, EV.EXECVEAT_X]);

/** All opens and program starts, and of the other events every 15th: about as many. */
function half(): Pick {
  let n = 0;
  return (c) => OPENS.has(c.type) || n++ % 15 === 0;
}

const KINDS: Readonly<Record<string, Source>> = {
  /** The present schema, all sorts of activity. */
  new: { from: () => sharedPath("golden", "mixed.scap.gz"), pick: all },
  /** The old schema, which Debian's sysdig reads too; threads are known, as in most captures. */
  old: { from: () => sharedPath("captures", "curl_google.scap"), pick: all },
  /** Context switches and page faults: next to nothing that a rule looks at. */
  calm: { from: () => sharedPath("golden", "sched.scap.gz"), pick: all },
  /** Half of the events are such that many rules look at them. */
  busy: { from: () => sharedPath("golden", "mixed.scap.gz"), pick: half },
};

export interface LargeCapture {
  path: string;
  bytes: number;
  events: number;
}

/** A large capture of one of the kinds above. */
export async function largeCapture(kind: string, compress = false, size = LARGE): Promise<LargeCapture> {
  if (!HAS_SHARED)
    throw new Error("benchmarks repeat events of the reference data, which is not beside the repository");
  const source = KINDS[kind];
  if (source === undefined) throw new Error(`no kind of capture is called ${kind}`);
  const path = enlargedPath(kind, size, compress);
  if (!isThere(path)) {
    process.stderr.write(`making ${path}\n`);
    // In a process of its own: the memory it takes would count as that of what is measured next.
    const made = Bun.spawnSync([process.execPath, import.meta.path, kind, String(size), String(compress)]);
    if (!made.success) throw new Error(made.stderr.toString());
  }
  return { path, bytes: statSync(path).size, events: Number(readFileSync(`${path}.events`, "utf8")) };
}

if (import.meta.main) {
  const [kind = "", size = "", compress = ""] = process.argv.slice(2);
  const path = enlargedPath(kind, Number(size), compress === "true");
  await enlarge(path, KINDS[kind] as Source, Number(size), compress === "true");
}
