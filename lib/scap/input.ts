// SPDX-License-Identifier: Apache-2.0
// Bytes of a trace file in order, whatever they are packed in: plain, gzip or zstd, from a file or standard input.
import { close, closeSync, fstatSync, openSync, read, readSync } from "node:fs";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { errorCode, inputName, ioError, ScapFormatError } from "./errors.ts";
import { ZstdFrames } from "./zstd_frames.ts";

/** A stream of bytes that is pulled. */
export interface ByteInput {
  /** How the bytes are packed. */
  readonly packing: "plain" | "gzip" | "zstd";
  /**
   * Puts up to `max` bytes into `target` at `at` and resolves to their number; 0 only at the end.
   * Throws ScapIoError or, when packed data are damaged, ScapFormatError after all bytes before the damage.
   */
  read(target: Buffer, at: number, max: number): Promise<number>;
  /** 0–1 of the file read; NaN when its size is unknown. */
  progress(): number;
  close(): Promise<void>;
}

/** Bytes of packed input given to the decompressor at a time: bounds what one step can blow up to (1032-fold). */
const STEP = 16 * 1024;
/** After damage, packed bytes are given again in pieces of these sizes, to get all that lies before it. */
const FINE_STEPS = [64, 1] as const;
/** Unpacked bytes kept ready ahead of the reader. */
const AHEAD = 2 * 1024 * 1024;
const CHUNK = 64 * 1024;
/** Bytes of a packed pipe that are kept, so that what lies before damage in them can be had in a second pass. */
const KEPT = 32 * 1024 * 1024;
/** Bytes of a regular file that are read before the event loop gets a turn. */
const TURN = 8 * 1024 * 1024;

/** An open file descriptor read from front to back. */
class FileBytes implements ByteInput {
  readonly packing = "plain";
  readonly name: string;
  private readonly fd: number;
  /** Size in bytes; NaN when it is not a regular file. */
  private readonly size: number;
  private position = 0;
  private head: Buffer = Buffer.alloc(0);
  private closed = false;
  /** What was read so far of an input that cannot be opened anew; null when it is too much, or not wanted. */
  private kept: Buffer[] | null = null;
  private keptBytes = 0;
  /** Bytes read since the event loop had a turn. */
  private sinceTurn = 0;

  constructor(path: string) {
    this.name = inputName(path);
    try {
      this.fd = path === "-" ? 0 : openSync(path, "r");
    } catch (error) {
      throw ioError(this.name, "open", error);
    }
    try {
      const stat = fstatSync(this.fd);
      if (stat.isDirectory()) throw Object.assign(new Error("it is a directory"), { code: "EISDIR" });
      this.size = stat.isFile() ? stat.size : Number.NaN;
    } catch (error) {
      if (this.fd !== 0) closeSync(this.fd);
      throw ioError(this.name, "read", error);
    }
  }

  /** True when rewind() works: for a named regular file, and for as much of another input as is kept. */
  get rewindable(): boolean {
    return this.reopens || this.kept !== null;
  }

  private get reopens(): boolean {
    return this.size > 0 && this.fd !== 0;
  }

  /** Keeps what is read from now on, where the input cannot be opened anew. To be called before the first read. */
  keep(): void {
    if (!this.reopens) this.kept = [];
  }

  /** Keeps nothing any more. */
  forget(): void {
    this.kept = null;
  }

  /** The input from its first byte on, to be used instead of this object. */
  async rewind(path: string): Promise<FileBytes> {
    if (this.reopens) {
      await this.close();
      return new FileBytes(path);
    }
    this.head = Buffer.concat(this.kept ?? []);
    return this;
  }

  private remember(target: Buffer, at: number, n: number): void {
    this.position += n;
    if (this.kept === null) return;
    this.keptBytes += n;
    if (this.keptBytes > KEPT) this.kept = null;
    else this.kept.push(Buffer.from(target.subarray(at, at + n)));
  }

  get offset(): number {
    return this.position - this.head.length;
  }

  /** The first `n` bytes (fewer at the end of the file), which are delivered again by read(). */
  async peek(n: number): Promise<Buffer> {
    const bytes = Buffer.alloc(n);
    let have = 0;
    while (have < n) {
      const got = await this.read(bytes, have, n - have);
      if (got === 0) break;
      have += got;
    }
    this.head = bytes.subarray(0, have);
    return this.head;
  }

  read(target: Buffer, at: number, max: number): Promise<number> {
    if (this.head.length > 0) {
      const n = Math.min(max, this.head.length);
      this.head.copy(target, at, 0, n);
      this.head = this.head.subarray(n);
      return Promise.resolve(n);
    }
    return this.size > 0 ? this.readNow(target, at, max) : this.readWaiting(target, at, max);
  }

  /** A regular file: a direct read costs less than a trip to another thread, and its pages stay in the cache. */
  private async readNow(target: Buffer, at: number, max: number): Promise<number> {
    if (this.sinceTurn >= TURN) {
      // Signals and timers get their turn.
      this.sinceTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    try {
      const n = readSync(this.fd, target, at, max, null);
      this.remember(target, at, n);
      this.sinceTurn += n;
      return n;
    } catch (error) {
      throw ioError(this.name, "read", error);
    }
  }

  private readWaiting(target: Buffer, at: number, max: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        read(this.fd, target, at, max, null, (error, n) => {
          if (error === null) {
            this.remember(target, at, n);
            resolve(n);
          } else if (errorCode(error) === "EAGAIN") setTimeout(attempt, 5);
          else reject(ioError(this.name, "read", error));
        });
      };
      attempt();
    });
  }

  progress(): number {
    return this.size > 0 ? Math.min(1, this.position / this.size) : Number.NaN;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // Never twice: by then the number may be another file's.
      if (this.closed || this.fd === 0) resolve();
      else close(this.fd, () => resolve());
      this.closed = true;
    });
  }
}

/** What one step of a decompressor came to. */
type StepResult = "more" | "end" | Error;

/** A decompressor fed step by step; the work itself is done on a thread of the runtime's pool. */
class Unpacker {
  readonly ready: Buffer[] = [];
  readyBytes = 0;
  /** Unpacked bytes still to be thrown away, because an earlier pass delivered them. */
  skip = 0;
  /** Unpacked bytes so far, those thrown away too. */
  produced = 0;
  private readonly stream: Transform;
  private failure: Error | null = null;
  private ended = false;
  private wake: (() => void) | null = null;

  constructor(packing: "gzip" | "zstd") {
    const options = { chunkSize: CHUNK };
    this.stream = packing === "gzip" ? createGunzip(options) : createZstdDecompress(options);
    this.stream.on("data", (chunk: Buffer) => {
      this.produced += chunk.length;
      const drop = Math.min(this.skip, chunk.length);
      this.skip -= drop;
      if (drop === chunk.length) return;
      const rest = drop > 0 ? chunk.subarray(drop) : chunk;
      this.ready.push(rest);
      this.readyBytes += rest.length;
    });
    this.stream.on("error", (error: Error) => {
      this.failure = error;
      this.wake?.();
    });
    this.stream.on("end", () => {
      this.ended = true;
      this.wake?.();
    });
  }

  private step(start: (done: () => void) => void): Promise<StepResult> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.wake = null;
        resolve(this.failure ?? (this.ended ? "end" : "more"));
      };
      this.wake = done;
      if (this.failure !== null || this.ended) done();
      else start(done);
    });
  }

  /** Unpacks `packed`; all that comes of it is in `ready` when the promise resolves. */
  write(packed: Buffer): Promise<StepResult> {
    return this.step((done) => this.stream.write(packed, () => done()));
  }

  /** Says that there is no more input. */
  finish(): Promise<StepResult> {
    return this.step(() => this.stream.end());
  }

  destroy(): void {
    this.stream.destroy();
  }
}

/** Unpacks gzip (any number of members) and zstd (any number of frames). */
class PackedBytes implements ByteInput {
  readonly packing: "gzip" | "zstd";
  private readonly path: string;
  private file: FileBytes;
  private unpacker: Unpacker;
  private pumping = false;
  /** Tells a waiting read() that something came. */
  private wake: (() => void) | null = null;
  private finished = false;
  private failure: Error | null = null;
  /** Packed input from this offset on is given in pieces of `fineStep`. */
  private fineFrom = Number.POSITIVE_INFINITY;
  private fineStep = 0;
  /** Offset of the packed bytes given last. */
  private givenAt = 0;
  /** Follows zstd frames; null for gzip, which tells itself when it ends too early. */
  private readonly frames: ZstdFrames | null;
  /** Passes over the input that met damage. */
  private passes = 0;
  private closed = false;

  constructor(path: string, file: FileBytes, packing: "gzip" | "zstd") {
    this.path = path;
    this.file = file;
    this.packing = packing;
    this.unpacker = new Unpacker(packing);
    this.frames = packing === "zstd" ? new ZstdFrames() : null;
  }

  private async pump(): Promise<void> {
    try {
      await this.unpackAhead();
    } finally {
      this.pumping = false;
      this.wake?.();
    }
  }

  private async unpackAhead(): Promise<void> {
    while (!this.finished && !this.closed && this.unpacker.readyBytes < AHEAD) {
      const offset = this.file.offset;
      const packed = Buffer.allocUnsafe(STEP);
      let n = 0;
      try {
        n = await this.file.read(packed, 0, STEP);
      } catch (error) {
        this.finished = true;
        this.failure = error as Error;
        return;
      }
      const result = await this.give(packed.subarray(0, n), offset);
      this.wake?.();
      // In a second pass all of this was seen before.
      if (this.passes === 0) this.frames?.feed(packed.subarray(0, n));
      if (result === "end") {
        this.finished = true;
        if (this.frames?.whole === false) await this.damaged(new Error("cut"), true);
      } else if (result !== "more") await this.damaged(result, n === 0);
    }
  }

  /** Gives the packed bytes that lie at `offset` to the unpacker. */
  private async give(packed: Buffer, offset: number): Promise<StepResult> {
    this.givenAt = offset;
    if (packed.length === 0) return this.unpacker.finish();
    const coarse = Math.max(0, Math.min(packed.length, this.fineFrom - offset));
    if (coarse > 0) {
      const result = await this.unpacker.write(packed.subarray(0, coarse));
      if (result !== "more") return result;
    }
    for (let at = coarse; at < packed.length; at += this.fineStep) {
      this.givenAt = offset + at;
      const result = await this.unpacker.write(packed.subarray(at, at + this.fineStep));
      if (result !== "more") return result;
    }
    return "more";
  }

  /**
   * A decompressor that meets damage swallows what it unpacked in the same step. Further passes over the input go up to
   * the damage in ever smaller pieces, so that what lies before it is not lost.
   */
  private async damaged(error: Error, atEnd: boolean): Promise<void> {
    if (this.closed) return;
    const step = FINE_STEPS[this.passes++];
    if (!atEnd && step !== undefined && this.file.rewindable) {
      await this.again(step);
      return;
    }
    this.finished = true;
    // Bytes after the last gzip member that begin no other member are padding, as for gzip itself; without a further
    // pass some of what lies before them is lost, and that must be said.
    const afterMember = this.packing === "gzip" && error.message === "incorrect header check";
    if (afterMember && this.unpacker.produced > 0 && this.file.rewindable) return;
    const cut = errorCode(error) === "Z_BUF_ERROR" || atEnd;
    const got = cut ? "the end of the file" : `damaged data (${error.message})`;
    this.failure = new ScapFormatError(this.file.name, this.givenAt, `more ${this.packing} data`, got);
  }

  /** Begins anew, in pieces of `step` bytes from where the damage showed; what came out already is thrown away. */
  private async again(step: number): Promise<void> {
    this.fineFrom = this.givenAt;
    this.fineStep = step;
    this.file = await this.file.rewind(this.path);
    if (this.closed) {
      await this.file.close();
      return;
    }
    const { ready, readyBytes, produced } = this.unpacker;
    this.unpacker.destroy();
    this.unpacker = new Unpacker(this.packing);
    this.unpacker.ready.push(...ready);
    this.unpacker.readyBytes = readyBytes;
    this.unpacker.skip = produced;
  }

  async read(target: Buffer, at: number, max: number): Promise<number> {
    for (;;) {
      const first = this.unpacker.ready[0];
      if (first !== undefined) {
        const n = Math.min(max, first.length);
        first.copy(target, at, 0, n);
        this.unpacker.readyBytes -= n;
        if (n === first.length) this.unpacker.ready.shift();
        else this.unpacker.ready[0] = first.subarray(n);
        this.start();
        return n;
      }
      if (this.finished) {
        if (this.failure !== null) throw this.failure;
        return 0;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.start();
      });
      this.wake = null;
    }
  }

  /** Lets decompression run ahead; one pump at a time. What goes wrong in it is told by read(). */
  private start(): void {
    if (this.pumping || this.finished) return;
    this.pumping = true;
    this.pump().catch((error: unknown) => {
      this.finished = true;
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.wake?.();
    });
  }

  progress(): number {
    return this.file.progress();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.unpacker.destroy();
    await this.file.close();
  }
}

const GZIP = 0x8b1f;
const ZSTD = 0xfd2fb528;

/** Opens a trace file ("-": standard input) and finds out how it is packed. Throws ScapIoError. */
export async function openInput(path: string): Promise<ByteInput> {
  const file = new FileBytes(path);
  file.keep();
  const head = await file.peek(4);
  if (head.length >= 2 && head.readUInt16LE(0) === GZIP) return new PackedBytes(path, file, "gzip");
  if (head.length >= 4 && head.readUInt32LE(0) === ZSTD) return new PackedBytes(path, file, "zstd");
  file.forget();
  return file;
}
