// SPDX-License-Identifier: Apache-2.0
// Enter events of old captures, kept per thread until the exit event comes that draws from them; bounded.
import type { EventCursor } from "./cursor.ts";

/** Threads and bytes that are kept at most; the longest kept thread goes first. */
const MAX_THREADS = 65536;
const MAX_BYTES = 32 * 1024 * 1024;

/** No event. */
const NONE = -1;

/** The memory of an entry that holds nothing. */
const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(new ArrayBuffer(0));

/** A kept event: where it was found, or a copy of it. */
export class KeptEvent {
  type = NONE;
  nparams = 0;
  length = 0;
  offset = 0;
  bytes: Buffer = EMPTY;
  view: DataView = EMPTY_VIEW;
  /** Memory of this entry for copies. */
  own: Buffer = EMPTY;
  ownView: DataView = EMPTY_VIEW;
}

/** One kept enter event per thread id. */
export class EnterStore {
  private readonly kept = new Map<number, KeptEvent>();
  private size = 0;
  /** Entry looked up last, and its thread. */
  private lastTid = Number.NaN;
  private last: KeptEvent | undefined;
  /** Entries whose event lies where it was found. */
  private readonly attached: KeptEvent[] = [];

  get(tid: number): KeptEvent | undefined {
    if (tid !== this.lastTid) {
      this.last = this.kept.get(tid);
      this.lastTid = tid;
    }
    return this.last;
  }

  private entry(tid: number): KeptEvent {
    const known = this.get(tid);
    if (known !== undefined) return known;
    const entry = new KeptEvent();
    this.kept.set(tid, entry);
    this.last = entry;
    if (this.kept.size > MAX_THREADS) this.evict(tid);
    return entry;
  }

  /** Keeps the event under `c`, in place of its thread's former one. It may lie where it is until `detach` is called. */
  keep(c: EventCursor): void {
    const entry = this.entry(c.tid);
    if (entry.bytes === entry.own) this.attached.push(entry);
    entry.type = c.type;
    entry.nparams = c.nparams;
    entry.length = c.length;
    entry.offset = c.offset;
    entry.bytes = c.bytes;
    entry.view = c.view;
  }

  /** Keeps a copy of the event at `from[0 … length)`. */
  keepCopy(tid: number, type: number, nparams: number, from: Buffer, length: number): void {
    const entry = this.entry(tid);
    entry.type = type;
    entry.nparams = nparams;
    this.copy(entry, from, 0, length);
    this.evict(tid);
  }

  /** Forgets the thread's event. */
  forget(tid: number): void {
    const entry = this.get(tid);
    if (entry !== undefined) entry.type = NONE;
  }

  /** Takes copies of the events that lie where they were found: that memory is about to change. */
  detach(): void {
    const attached = this.attached;
    for (const entry of attached) {
      if (entry.bytes === entry.own) continue;
      if (entry.type === NONE) {
        entry.bytes = entry.own;
        entry.view = entry.ownView;
      } else this.copy(entry, entry.bytes, entry.offset, entry.length);
    }
    attached.length = 0;
    this.evict(Number.NaN);
  }

  private copy(entry: KeptEvent, from: Buffer, offset: number, length: number): void {
    if (entry.own.length < length) {
      this.size -= entry.own.length;
      const capacity = (length + 127) & ~127;
      entry.own = Buffer.allocUnsafeSlow(capacity);
      entry.ownView = new DataView(entry.own.buffer);
      this.size += capacity;
    }
    from.copy(entry.own, 0, offset, offset + length);
    entry.bytes = entry.own;
    entry.view = entry.ownView;
    entry.offset = 0;
    entry.length = length;
  }

  private evict(except: number): void {
    if (this.kept.size <= MAX_THREADS && this.size <= MAX_BYTES) return;
    this.lastTid = Number.NaN;
    for (const [tid, entry] of this.kept) {
      if (tid === except) continue;
      this.kept.delete(tid);
      this.size -= entry.own.length;
      entry.bytes = entry.own;
      if (this.kept.size <= MAX_THREADS && this.size <= MAX_BYTES) return;
    }
  }

  clear(): void {
    this.kept.clear();
    this.attached.length = 0;
    this.size = 0;
    this.lastTid = Number.NaN;
  }
}
