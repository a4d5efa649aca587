// SPDX-License-Identifier: Apache-2.0
// Enter events of old captures, kept per thread until the exit event comes that draws from them; bounded.

/** Threads and bytes that are kept at most; the longest kept thread goes first. */
const MAX_THREADS = 65536;
const MAX_BYTES = 32 * 1024 * 1024;

/** A kept event. */
export class KeptEvent {
  type = -1;
  nparams = 0;
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
}

/** One kept enter event per thread id. */
export class EnterStore {
  private readonly kept = new Map<number, KeptEvent>();
  private size = 0;

  get(tid: number): KeptEvent | undefined {
    return this.kept.get(tid);
  }

  /** Keeps a copy of the event at `from[offset … offset+length)`, in place of the thread's former one. */
  keep(tid: number, type: number, nparams: number, from: Buffer, offset: number, length: number): void {
    let entry = this.kept.get(tid);
    if (entry === undefined) {
      entry = new KeptEvent();
      this.kept.set(tid, entry);
    }
    if (entry.bytes.length < length) {
      this.size -= entry.bytes.length;
      const capacity = (length + 127) & ~127;
      entry.bytes = Buffer.allocUnsafeSlow(capacity);
      entry.view = new DataView(entry.bytes.buffer);
      this.size += capacity;
      this.evict(tid);
    }
    const to = entry.bytes;
    // Short copies are faster by hand than through a call.
    if (length <= 64) for (let i = 0; i < length; i++) to[i] = from[offset + i]!;
    else from.copy(to, 0, offset, offset + length);
    entry.type = type;
    entry.nparams = nparams;
  }

  private evict(except: number): void {
    if (this.kept.size <= MAX_THREADS && this.size <= MAX_BYTES) return;
    for (const [tid, entry] of this.kept) {
      if (tid === except) continue;
      this.kept.delete(tid);
      this.size -= entry.bytes.length;
      if (this.kept.size <= MAX_THREADS && this.size <= MAX_BYTES) return;
    }
  }

  clear(): void {
    this.kept.clear();
    this.size = 0;
  }
}
