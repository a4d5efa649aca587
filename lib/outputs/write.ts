// SPDX-License-Identifier: Apache-2.0
// Writing bytes to a descriptor without stopping the event loop, and turning messages into those bytes.
import { write } from "node:fs";
import type { Message } from "./output.ts";

/** ms between attempts on a descriptor that is non-blocking and full. */
const RETRY_MS = 5;

const encoder = new TextEncoder();

/** Turns messages into bytes in memory of its own, which the next call uses again. */
export class MessageEncoder {
  private buffer = Buffer.allocUnsafe(256 * 1024);

  /** The lines of messages, each with a line feed, as UTF-8; good until the next call. */
  bytes(messages: readonly Message[]): Buffer {
    let text = "";
    for (const m of messages) text += m.line + "\n";
    // A char is at most three bytes of UTF-8.
    if (text.length * 3 > this.buffer.length) this.buffer = Buffer.allocUnsafe(text.length * 3);
    return this.buffer.subarray(0, encoder.encodeInto(text, this.buffer).written);
  }
}

/** How far a write came before the system refused more. */
export class ShortWriteError extends Error {
  override name = "ShortWriteError";
  constructor(
    readonly written: number,
    override readonly cause: unknown,
  ) {
    super("short write");
  }
}

/** How many of the messages lie wholly within the first `written` bytes of what MessageEncoder made. */
export function wholeMessages(bytes: Buffer, written: number): number {
  let n = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < written; at = bytes.indexOf(10, at + 1)) n++;
  return n;
}

/** Writes all bytes; the write itself runs on a pool thread. Rejects with ShortWriteError. */
export async function writeAll(fd: number, bytes: Buffer): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const n = await writeSome(fd, bytes, done);
    if (n < 0) await Bun.sleep(RETRY_MS);
    else done += n;
  }
}

/** Bytes written; −1 when the descriptor takes nothing at the moment. */
function writeSome(fd: number, bytes: Buffer, done: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, done, bytes.length - done, null, (error, n) => {
      if (error === null) resolve(n);
      else if (error.code === "EAGAIN") resolve(-1);
      else reject(new ShortWriteError(done, error));
    });
  });
}
