// SPDX-License-Identifier: Apache-2.0
// Result output: lines are gathered in one large buffer and written in big pieces.
import { writeSync } from "node:fs";
import { escapeControlsInBytes } from "../../lib/scap/printable.ts";

/** Bytes gathered before they are written. */
const PIECE = 128 * 1024;

/** Writes all of `bytes[0 … length)`; waits when a non-blocking descriptor is full. */
function writeAll(fd: number, bytes: Uint8Array, length: number): void {
  let done = 0;
  while (done < length) {
    try {
      done += writeSync(fd, bytes, done, length - done);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}

/** Escape sequences that the program itself writes for colours. */
const OWN_COLOURS: ReadonlySet<string> = new Set([31, 32, 33, 34, 36, 39].map((code) => `\x1b[${code}m`));

/**
 * A buffered writer on a descriptor. Byte strings (one char per byte) are written as they are, but on a terminal control
 * characters are made visible: texts of events and files must not drive it. Any failure is thrown as the system's error
 * (EPIPE when the reader is gone, ENOSPC on a full disk).
 */
export class Output {
  private readonly buffer = Buffer.allocUnsafe(PIECE);
  private used = 0;

  constructor(
    private readonly fd: number,
    /** Write after every line (a terminal, or on request). */
    private readonly eager = false,
    /** Escape sequences that may stand on the terminal; null when it is none. */
    private readonly escapes: ReadonlySet<string> | null = null,
  ) {}

  /** Standard output; `escapes` may stand on a terminal beside our own colours. */
  static stdout(eager = false, escapes: ReadonlySet<string> = new Set()): Output {
    return new Output(1, eager, process.stdout.isTTY === true ? OWN_COLOURS.union(escapes) : null);
  }

  private write(bytes: Uint8Array, length: number): void {
    if (this.escapes === null) writeAll(this.fd, bytes, length);
    else {
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, length).latin1Slice();
      const clean = Buffer.from(escapeControlsInBytes(whole, this.escapes), "latin1");
      writeAll(this.fd, clean, clean.length);
    }
  }

  /** A byte string. */
  bytes(text: string): void {
    if (text.length > PIECE - this.used) this.flush();
    if (text.length > PIECE) {
      const whole = Buffer.from(text, "latin1");
      this.write(whole, whole.length);
      return;
    }
    this.used += this.buffer.latin1Write(text, this.used);
    if (this.eager) this.flush();
  }

  /** A byte string and a line feed. */
  line(text: string): void {
    if (text.length + 1 > PIECE - this.used) this.flush();
    if (text.length + 1 > PIECE) {
      this.bytes(`${text}\n`);
      return;
    }
    this.used += this.buffer.latin1Write(text, this.used);
    this.buffer[this.used++] = 10;
    if (this.eager) this.flush();
  }

  /** Text (UTF-16), written as UTF-8 at once. */
  text(text: string): void {
    this.flush();
    const whole = Buffer.from(text, "utf8");
    this.write(whole, whole.length);
  }

  /** The first `length` bytes of a buffer, at once. */
  raw(bytes: Uint8Array, length: number): void {
    this.flush();
    this.write(bytes, length);
  }

  flush(): void {
    if (this.used === 0) return;
    const length = this.used;
    this.used = 0;
    this.write(this.buffer, length);
  }
}
