// SPDX-License-Identifier: Apache-2.0
// Where bytes of a trace file go: a file, a pipe or standard output, plain or through gzip.
import { close, closeSync, fstatSync, openSync, write, writeSync } from "node:fs";
import type { Gzip } from "node:zlib";
import { constants, createGzip } from "node:zlib";
import { errorCode, ioError, outputName } from "./errors.ts";

/** Waiting bytes above which `full` asks the writer to wait. */
const MUCH = 2 * 1024 * 1024;

/** A place for bytes. Every failure is one ScapIoError, thrown by the next call of any method. */
export interface ByteOutput {
  /** True when put() is done with the memory it was given as soon as it returns. */
  readonly immediate: boolean;
  /** Bytes that reached the file. */
  readonly written: number;
  /** Memory that was given to put() and is no longer needed; whoever takes from it may use it again. */
  readonly spare: Buffer[];
  /** Much is waiting: await drain() before giving more. */
  readonly full: boolean;
  /** Writes `bytes[from … to)`. Unless `immediate`, the memory belongs to the output from then on. */
  put(bytes: Buffer, from: number, to: number): void;
  /** Resolves when less is waiting. */
  drain(): Promise<void>;
  /** Sees to it that all that was put can be read from the file. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** An open descriptor. Files and devices are written at once; pipes and sockets without blocking. */
class FileOutput implements ByteOutput {
  readonly immediate: boolean;
  readonly name: string;
  readonly spare: Buffer[] = [];
  written = 0;
  private readonly fd: number;
  private waiting = 0;
  private queue: Promise<void> = Promise.resolve();
  private failure: Error | null = null;
  private closed = false;

  constructor(path: string) {
    this.name = outputName(path);
    try {
      this.fd = path === "-" ? 1 : openSync(path, "w", 0o644);
    } catch (error) {
      throw ioError(this.name, "create the file", error);
    }
    const stat = fstatSync(this.fd);
    this.immediate = stat.isFile() || stat.isCharacterDevice() || stat.isBlockDevice();
  }

  get full(): boolean {
    return this.waiting > MUCH;
  }

  private check(): void {
    if (this.failure !== null) throw this.failure;
  }

  put(bytes: Buffer, from: number, to: number): void {
    this.check();
    if (!this.immediate) {
      this.waiting += to - from;
      this.queue = this.queue.then(() => this.writeWaiting(bytes, from, to));
      return;
    }
    try {
      for (let at = from; at < to; ) {
        const n = writeSync(this.fd, bytes, at, to - at);
        at += n;
        this.written += n;
      }
    } catch (error) {
      this.failure = ioError(this.name, "write", error);
      throw this.failure;
    }
  }

  /** Writes without blocking the event loop; remembers a failure, after which nothing more is written. */
  private writeWaiting(bytes: Buffer, from: number, to: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (error: Error | null): void => {
        if (error !== null) this.failure = error;
        this.waiting -= to - from;
        this.spare.push(bytes);
        resolve();
      };
      const step = (at: number): void => {
        if (this.failure !== null || at >= to) {
          done(null);
          return;
        }
        write(this.fd, bytes, at, to - at, null, (error, n) => {
          if (error === null) {
            this.written += n;
            step(at + n);
          } else if (errorCode(error) === "EAGAIN") setTimeout(step, 2, at);
          else done(ioError(this.name, "write", error));
        });
      };
      step(from);
    });
  }

  async drain(): Promise<void> {
    this.check();
    if (this.full) await this.queue;
    this.check();
  }

  async flush(): Promise<void> {
    await this.queue;
    this.check();
  }

  async close(): Promise<void> {
    await this.queue;
    if (this.fd !== 1 && !this.closed) {
      this.closed = true;
      await new Promise<void>((resolve) => {
        close(this.fd, (error) => {
          // Some file systems tell only here that the data found no place.
          if (error) this.failure ??= ioError(this.name, "write", error);
          resolve();
        });
      });
    }
    this.check();
  }

  /** Closes without a word; for an output that failed elsewhere. */
  abandon(): void {
    if (this.fd !== 1 && !this.closed) closeSync(this.fd);
    this.closed = true;
  }
}

/** gzip in front of a file; the work is done on a thread of the runtime's pool. */
class GzipOutput implements ByteOutput {
  readonly immediate = false;
  readonly spare: Buffer[] = [];
  private readonly file: FileOutput;
  private readonly gzip: Gzip;
  private waiting = 0;
  private failure: Error | null = null;
  private wake: (() => void)[] = [];

  constructor(path: string) {
    this.file = new FileOutput(path);
    this.gzip = createGzip({ chunkSize: 64 * 1024 });
    this.gzip.on("data", (chunk: Buffer) => {
      if (this.failure !== null) return;
      try {
        this.file.put(chunk, 0, chunk.length);
        this.file.spare.length = 0;
      } catch (error) {
        this.fail(error);
      }
    });
    this.gzip.on("error", (error: Error) => this.fail(ioError(this.file.name, "compress", error)));
  }

  private fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.stir();
  }

  private stir(): void {
    const wake = this.wake;
    this.wake = [];
    for (const f of wake) f();
  }

  get written(): number {
    return this.file.written;
  }

  get full(): boolean {
    return this.waiting > MUCH || this.file.full;
  }

  private check(): void {
    if (this.failure !== null) throw this.failure;
  }

  put(bytes: Buffer, from: number, to: number): void {
    this.check();
    this.waiting += to - from;
    this.gzip.write(bytes.subarray(from, to), () => {
      this.waiting -= to - from;
      this.spare.push(bytes);
      this.stir();
    });
  }

  async drain(): Promise<void> {
    while (this.waiting > MUCH / 2 && this.failure === null) {
      await new Promise<void>((resolve) => this.wake.push(resolve));
    }
    this.check();
    await this.file.drain();
  }

  async flush(): Promise<void> {
    this.check();
    await this.settle((done) => this.gzip.flush(constants.Z_SYNC_FLUSH, done));
    await this.file.flush();
  }

  async close(): Promise<void> {
    if (this.failure === null) {
      await this.settle((done) => {
        this.gzip.on("end", done);
        this.gzip.end();
      });
    }
    this.gzip.destroy();
    if (this.failure !== null) {
      this.file.abandon();
      throw this.failure;
    }
    await this.file.close();
  }

  /** Runs an operation of the compressor to its end, or to a failure. */
  private async settle(start: (done: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake.push(() => {
        if (this.failure !== null) resolve();
      });
      start(resolve);
    });
    this.check();
  }
}

/** Creates (or empties) `path` ("-": standard output) for writing. Throws ScapIoError. */
export function openOutput(path: string, compress: boolean): ByteOutput {
  return compress ? new GzipOutput(path) : new FileOutput(path);
}
