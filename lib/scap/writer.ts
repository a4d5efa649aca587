// SPDX-License-Identifier: Apache-2.0
// Writes trace files: a section's head with machine and state, then events as they were recorded.
import { BLOCK, MAX_EVENT_BLOCK } from "./blocks.ts";
import { EVENT_FLAG, type EventCursor } from "./cursor.ts";
import { encodeHead } from "./encode.ts";
import { type ByteOutput, openOutput } from "./output.ts";
import type { InitialState, MachineInfo } from "./source.ts";

/** Bytes that are gathered before they go to the file; what is gathered always ends with a whole block. */
const GATHER = 256 * 1024;

export interface WriterOptions {
  /** gzip what is written. */
  compress?: boolean;
}

/**
 * A trace file that is being written. Events are taken synchronously; a caller that writes many awaits `drain()`
 * whenever `full` is true. Failures are ScapIoErrors, thrown by whichever call comes next.
 */
export class CaptureWriter {
  /** Events written. */
  events = 0;
  private readonly output: ByteOutput;
  private staging: Buffer = Buffer.allocUnsafeSlow(GATHER);
  private view: DataView = new DataView(this.staging.buffer);
  private used = 0;
  /** Bytes of blocks taken so far, before compression. */
  private taken = 0;

  constructor(output: ByteOutput) {
    this.output = output;
  }

  /** Bytes of the file so far: compressed ones when it is compressed; bytes still gathered count as they are. */
  get bytesWritten(): number {
    return this.output.written + this.used;
  }

  /** Bytes of all blocks so far, before compression. */
  get bytesTaken(): number {
    return this.taken;
  }

  /** True when more waits to be written than is good for memory: await drain(). */
  get full(): boolean {
    return this.output.full;
  }

  /** Begins a section: section header, machine info, interfaces, users, processes and descriptors. */
  writeHeader(machine: MachineInfo, state: InitialState): void {
    encodeHead(machine, state, (bytes, length) => this.append(bytes, 0, length));
  }

  /** Copies whole blocks, which were checked by a reader, byte by byte. `count` is the number of events in them. */
  writeBlocks(bytes: Buffer, from: number, to: number, count: number): void {
    if (from === to) return;
    this.events += count;
    if (!this.output.immediate || to - from < GATHER / 4) {
      this.append(bytes, from, to);
      return;
    }
    this.hand();
    this.taken += to - from;
    this.output.put(bytes, from, to);
  }

  /** Writes the event under the cursor in its recorded form. */
  writeEvent(cursor: EventCursor): void {
    this.writeFlagged(cursor.recorded ?? cursor, cursor.flags);
  }

  /** Writes the event so that readers take it into their state without showing it. */
  writeHiddenEvent(cursor: EventCursor): void {
    this.writeFlagged(cursor.recorded ?? cursor, cursor.flags | EVENT_FLAG.STATE_ONLY);
  }

  private writeFlagged(event: EventCursor, eventFlags: number): void {
    const flags = eventFlags & ~EVENT_FLAG.LARGE;
    const length = event.length;
    const head = flags === 0 ? 10 : 14;
    const total = (head + length + 4 + 3) & ~3;
    const large = (eventFlags & EVENT_FLAG.LARGE) !== 0 || total > MAX_EVENT_BLOCK;
    this.reserve(total);
    const to = this.staging;
    const view = this.view;
    const at = this.used;
    if (flags === 0) view.setUint32(at, large ? BLOCK.EVENT_V2_LARGE : BLOCK.EVENT_V2, true);
    else view.setUint32(at, large ? BLOCK.EVENT_FLAGS_V2_LARGE : BLOCK.EVENT_FLAGS_V2, true);
    view.setUint32(at + 4, total, true);
    view.setUint16(at + 8, event.cpu, true);
    if (flags !== 0) view.setUint32(at + 10, flags, true);
    const from = event.bytes;
    const offset = event.offset;
    let p = at + head;
    // Short copies are faster by hand than through a call.
    if (length <= 96) for (let i = 0; i < length; i++) to[p + i] = from[offset + i]!;
    else from.copy(to, p, offset, offset + length);
    p += length;
    const end = at + total - 4;
    while (p < end) to[p++] = 0;
    view.setUint32(end, total, true);
    this.used = at + total;
    this.taken += total;
    this.events++;
  }

  /** Makes room for `n` bytes in staging. */
  private reserve(n: number): void {
    if (this.used + n <= this.staging.length) return;
    this.hand();
    if (n > this.staging.length) this.renew(n);
  }

  private append(bytes: Buffer, from: number, to: number): void {
    this.reserve(to - from);
    bytes.copy(this.staging, this.used, from, to);
    this.used += to - from;
    this.taken += to - from;
  }

  /** Hands what is gathered to the output. */
  private hand(): void {
    if (this.used === 0) return;
    const used = this.used;
    this.used = 0;
    const bytes = this.staging;
    if (!this.output.immediate) this.renew(GATHER);
    this.output.put(bytes, 0, used);
  }

  private renew(size: number): void {
    const spare = this.output.spare.pop();
    this.staging = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    this.view = new DataView(this.staging.buffer);
  }

  /** Waits until little is left to be written. */
  drain(): Promise<void> {
    return this.output.drain();
  }

  /** Puts all events taken so far where a reader of the file finds them. */
  async flush(): Promise<void> {
    this.hand();
    await this.output.flush();
  }

  /** Writes what is left and closes the file; throws when anything did not reach it. */
  async close(): Promise<void> {
    try {
      this.hand();
    } catch (error) {
      await this.output.close().catch(() => {});
      throw error;
    }
    await this.output.close();
  }
}

/** Creates (or empties) a trace file; "-" is standard output. Throws ScapIoError. */
export function createCaptureWriter(path: string, options: WriterOptions = {}): CaptureWriter {
  return new CaptureWriter(openOutput(path, options.compress === true));
}
