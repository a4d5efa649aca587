// SPDX-License-Identifier: Apache-2.0
// Enter events of old captures, kept per thread until the exit event comes that draws from them; bounded.
import type { EventCursor } from "./cursor.ts";

/** Threads and bytes that are kept at most; the longest kept thread goes first. */
const MAX_THREADS = 65536;
const MAX_BYTES = 32 * 1024 * 1024;

/** Entries that are found without the map. */
const LATELY = 256;

/** No event. */
const NONE = -1;

/** The memory of an entry that holds nothing. */
const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(new ArrayBuffer(0));

/** A kept event of a thread: where it was found, or a copy of it. */
export class KeptEvent {
  constructor(public tid: number) {}
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
  /** Entries looked up lately, each at the lowest bits of its thread's id. */
  private readonly lately: KeptEvent[] = new Array(LATELY).fill(new KeptEvent(Number.NaN));
  /** Entries whose event lies where it was found. */
  private readonly attached: KeptEvent[] = [];

  get(tid: number): KeptEvent | undefined {
    const lately = this.lately[tid & (LATELY - 1)]!;
    if (lately.tid === tid) return lately;
    const entry = this.kept.get(tid);
    if (entry !== undefined) this.lately[tid & (LATELY - 1)] = entry;
    return entry;
  }

  private entry(tid: number): KeptEvent {
    const known = this.get(tid);
    if (known !== undefined) return known;
    const entry = new KeptEvent(tid);
    this.kept.set(tid, entry);
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
    for (const [tid, entry] of this.kept) {
      if (tid === except) continue;
      this.drop(entry);
      this.size -= entry.own.length;
      entry.bytes = entry.own;
      if (this.kept.size <= MAX_THREADS && this.size <= MAX_BYTES) return;
    }
  }

  private drop(entry: KeptEvent): void {
    this.kept.delete(entry.tid);
    entry.tid = Number.NaN;
  }

  clear(): void {
    for (const entry of this.kept.values()) this.drop(entry);
    this.attached.length = 0;
    this.size = 0;
  }
}
