// SPDX-License-Identifier: Apache-2.0
// The one mutable cursor over events: points at a v2 event in a buffer and reads its header and parameters.
import { noInline } from "bun:jsc";
import { EVENT_LARGE } from "../schema/events.ts";
import { internedText } from "./interned.ts";

/** Size of the v2 event header: u64 ts, i64 tid, u32 len, u16 type, u32 nparams. */
export const EVENT_HEADER_SIZE = 26;
/** Most parameters an event type has. */
export const MAX_PARAMS = 32;

/** Bits of `EventCursor.flags`, as stored in trace files. */
export const EVENT_FLAG = Object.freeze({
  /** The event only updates state and is not shown. */
  STATE_ONLY: 1,
  /** In memory only: the event is written as a LARGE block. */
  LARGE: 4,
} as const);

/**
 * A 64-bit integer as the layers above see it: a plain number when it is exact (|v| ≤ 2^53 − 1), else a BigInt.
 * Because the form is canonical, `===`, `<` and Map keys work on it.
 */
export type Int64 = number | bigint;

const TWO32 = 4294967296;

/** Brings the parameters of recorded events into their current form. */
export interface Completion {
  /**
   * Either says by place() where each parameter of `cursor` lies in its memory and returns true, or points `bytes`, `view`,
   * `offset` and `length` at an event in the current form and returns false. `recorded` is the event as it was.
   */
  complete(cursor: EventCursor, recorded: EventCursor): boolean;
}

/**
 * Signed 64-bit integer at `at` as a double. What fits in 32 bits, nearly everything, comes as the engine's small
 * integer and not as a double, so that ids and descriptor numbers are cheap keys.
 */
export function readInt64(view: DataView, at: number): number {
  const low = view.getInt32(at, true);
  const high = view.getInt32(at + 4, true);
  return high === low >> 31 ? low : high * TWO32 + (low >>> 0);
}

/**
 * Event under the cursor. Sources move it; everything above reads it and keeps nothing of it past the next event.
 * Strings are *byte strings*: one char (0–255) per byte of the trace, see lib/scap/bytes.ts.
 */
export class EventCursor {
  /**
   * Memory that holds the event, with `view` and `offset`. To be read after a call of paramLength() or paramOffset(): the
   * first one of an event may switch them, as sources may between events.
   */
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Offset of the event header in `bytes`. */
  offset = 0;
  /** Event type id in the current schema (after conversion). */
  type = 0;
  /** Thread id; −1 when the event has none. */
  tid = -1;
  /** CPU the event was recorded on. */
  cpu = 0;
  /** Nanoseconds since `CaptureSource.baseTime`; exact for 104 days, negative before the base. */
  ts = 0;
  /** Ordinal of the event in the capture, 1-based, counting every delivered event. */
  num = 0;
  /** EVENT_FLAG bits. */
  flags = 0;
  /** Number of parameters present. */
  nparams = 0;
  /** Total length in bytes: header, lengths and parameters. */
  length = 0;
  /**
   * True for an enter event of an old capture that the converter kept aside or dropped: it is there to be displayed
   * (and for latency), it is in its recorded form, and rules and state see its data in the exit event instead.
   */
  legacyEnter = false;
  /** Event type id as recorded, when conversion changes the event; −1 when the event is as recorded. */
  recordedType = -1;

  /** Number of parameters as recorded. */
  private recordedCount = 0;
  /** Puts the parameters into their current form; null when they are. */
  private completion: Completion | null = null;
  /** The event as recorded; good when `recordedIsSet`. */
  private recordedCursor: EventCursor | null = null;
  private recordedIsSet = false;

  /** Absolute offsets and lengths of parameters, filled on demand. */
  private readonly starts = new Uint32Array(MAX_PARAMS + 1);
  private readonly lengths = new Uint32Array(MAX_PARAMS + 1);
  /** Number of parameters located; −1 before that. */
  private known = -1;

  /** Must be called by the source after it has set `bytes`, `view`, `offset`, `type` and `nparams` of a new event. */
  reset(): void {
    this.known = -1;
  }

  /** The event as it was recorded, when conversion changes it; null when the event is as recorded. */
  get recorded(): EventCursor | null {
    if (this.recordedType < 0) return null;
    if (!this.recordedIsSet) this.setRecorded();
    return this.recordedCursor;
  }

  /**
   * The source has put the cursor on a recorded event that is to be seen as one of `type` with `nparams` parameters:
   * `completion` is called when the first of them is asked for, which for most events is never.
   */
  convertTo(type: number, nparams: number, completion: Completion): void {
    this.recordedType = this.type;
    this.recordedCount = this.nparams;
    this.recordedIsSet = false;
    this.completion = completion;
    this.type = type;
    this.nparams = nparams;
  }

  /** The event is as recorded, and no enter event. */
  unconverted(): void {
    this.legacyEnter = false;
    this.recordedType = -1;
    this.completion = null;
  }

  private setRecorded(): void {
    this.recordedCursor ??= new EventCursor();
    const r = this.recordedCursor;
    r.bytes = this.bytes;
    r.view = this.view;
    r.offset = this.offset;
    r.type = this.recordedType;
    r.tid = this.tid;
    r.cpu = this.cpu;
    r.ts = this.ts;
    r.num = this.num;
    r.flags = this.flags;
    r.nparams = this.recordedCount;
    r.length = this.length;
    r.reset();
    this.recordedIsSet = true;
  }

  private locate(): void {
    const completion = this.completion;
    if (completion !== null) {
      if (!this.recordedIsSet) this.setRecorded();
      this.completion = null;
      if (completion.complete(this, this.recordedCursor as EventCursor)) {
        this.known = this.nparams;
        return;
      }
    }
    const view = this.view;
    const { starts, lengths } = this;
    const n = this.nparams > MAX_PARAMS ? MAX_PARAMS : this.nparams;
    const wide = EVENT_LARGE[this.type] === 1;
    let at = this.offset + EVENT_HEADER_SIZE;
    let data = at + this.nparams * (wide ? 4 : 2);
    for (let i = 0; i < n; i++) {
      const length = wide ? view.getUint32(at, true) : view.getUint16(at, true);
      starts[i] = data;
      lengths[i] = length;
      data += length;
      at += wide ? 4 : 2;
    }
    this.known = n;
  }

  /** For completions: parameter `i` is the `length` bytes at `start` of `bytes`. */
  place(i: number, start: number, length: number): void {
    this.starts[i] = start;
    this.lengths[i] = length;
  }

  /** Offset in `bytes` of parameter `i`; meaningful only when `i < nparams`. */
  paramOffset(i: number): number {
    if (this.known < 0) this.locate();
    return this.starts[i] as number;
  }

  /** Length in bytes of parameter `i`; 0 when it is absent or was not captured. */
  paramLength(i: number): number {
    if (this.known < 0) this.locate();
    return i >= this.known ? 0 : (this.lengths[i] as number);
  }

  /** Unsigned 32-bit integer in parameter `i` (little endian). `absent` when it is shorter. */
  u32(i: number, absent = 0): number {
    return this.paramLength(i) >= 4 ? this.view.getUint32(this.starts[i] as number, true) : absent;
  }

  /** Signed 32-bit integer in parameter `i`. */
  i32(i: number, absent = 0): number {
    return this.paramLength(i) >= 4 ? this.view.getInt32(this.starts[i] as number, true) : absent;
  }

  u16(i: number, absent = 0): number {
    return this.paramLength(i) >= 2 ? this.view.getUint16(this.starts[i] as number, true) : absent;
  }

  u8(i: number, absent = 0): number {
    return this.paramLength(i) >= 1 ? this.view.getUint8(this.starts[i] as number) : absent;
  }

  /** Signed 64-bit integer as a double: exact within ±2^53, rounded beyond. For return values, fds, pids, sizes. */
  i64(i: number, absent = 0): number {
    if (this.paramLength(i) < 8) return absent;
    return readInt64(this.view, this.starts[i] as number);
  }

  /** Unsigned 64-bit integer as a double: exact up to 2^53, rounded beyond. */
  u64(i: number, absent = 0): number {
    if (this.paramLength(i) < 8) return absent;
    const at = this.starts[i] as number;
    return this.view.getUint32(at + 4, true) * TWO32 + this.view.getUint32(at, true);
  }

  /** Signed 64-bit integer, always exact. */
  i64Exact(i: number): Int64 {
    const v = this.i64(i);
    return Number.isSafeInteger(v) ? v : this.view.getBigInt64(this.paramOffset(i), true);
  }

  /** Unsigned 64-bit integer, always exact. */
  u64Exact(i: number): Int64 {
    const v = this.u64(i);
    return Number.isSafeInteger(v) ? v : this.view.getBigUint64(this.paramOffset(i), true);
  }

  /** All bytes of parameter `i` as a byte string. */
  raw(i: number): string {
    const n = this.paramLength(i);
    if (n === 0) return "";
    const at = this.starts[i] as number;
    return this.bytes.latin1Slice(at, at + n);
  }

  /** NUL-terminated text in parameter `i` as a byte string, up to the first NUL; "" when absent. */
  str(i: number): string {
    const n = this.paramLength(i);
    return n === 0 ? "" : internedText(this.bytes, this.view, this.starts[i] as number, n);
  }

  /** Exact time of the event in nanoseconds since the epoch. For display only: it makes a BigInt. */
  timeExact(): bigint {
    return this.view.getBigUint64(this.offset, true);
  }
}

// Inlined into every handler and extractor, these make the JIT's work several times larger and save next to nothing.
{
  const c = EventCursor.prototype;
  for (const method of [c.i64, c.u64, c.u32, c.u16, c.u8, c.i64Exact, c.u64Exact, c.raw, c.str]) noInline(method);
}
