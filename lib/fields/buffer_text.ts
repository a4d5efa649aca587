// SPDX-License-Identifier: Apache-2.0
// The bytes of an I/O buffer as text, in the five ways of the command line.
import { LineWriter } from "./line_writer.ts";
import { display } from "./settings.ts";

const HEX: readonly string[] = Array.from({ length: 256 }, (_, b) => b.toString(16).padStart(2, "0"));
const ROW = 16;
const LF = 10;
const CR = 13;

/** Printable bytes as they are, others as dots; cut to `limit` bytes that end in "..." (0 = no limit). */
function writeDots(out: LineWriter, bytes: Uint8Array, start: number, end: number, limit: number): void {
  if (limit > 0 && end - start > limit) {
    out.dotted(bytes, start, start + limit - 3);
    out.str("...");
  } else out.dotted(bytes, start, end);
}

/** Rows of 16 bytes in pairs, with the offset before and, when wanted, the printable bytes behind. */
function writeRows(out: LineWriter, bytes: Uint8Array, start: number, end: number, ascii: boolean): void {
  for (let row = start; row < end; row += ROW) {
    out.str(`\n\t0x${(row - start).toString(16).padStart(4, "0")}:`);
    const stop = Math.min(row + ROW, end);
    for (let at = row; at < stop; at++) {
      if ((at - row) % 2 === 0) out.byte(32);
      out.str(HEX[bytes[at] as number] as string);
    }
    if (!ascii) continue;
    for (let i = stop - row; i < ROW; i++) out.str(i % 2 === 0 ? "   " : "  ");
    out.str("  ");
    out.dotted(bytes, row, stop);
  }
  out.byte(LF);
}

/** A line feed, then printable bytes and line ends only; any line end is shown as a line feed. */
function writePlain(out: LineWriter, bytes: Uint8Array, start: number, end: number): void {
  out.byte(LF);
  for (let at = start; at < end; at++) {
    const b = bytes[at] as number;
    if (b >= 32 && b < 127) out.byte(b);
    else if (b === CR || (b === LF && (at === start || bytes[at - 1] !== CR))) out.byte(LF);
  }
}

/** Writes a buffer in the way chosen in `display`. */
export function writeBuffer(out: LineWriter, bytes: Uint8Array, start: number, end: number): void {
  switch (display.buffer) {
    case "dots":
      writeDots(out, bytes, start, end, display.bufferLimit);
      break;
    case "hex":
      writeRows(out, bytes, start, end, false);
      break;
    case "hexascii":
      writeRows(out, bytes, start, end, true);
      break;
    case "ascii":
      writePlain(out, bytes, start, end);
      break;
    case "base64":
      out.str(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("base64"));
  }
}

const scratch = new LineWriter(1024);

/** A byte string in the way chosen in `display`. */
export function bufferText(data: string): string {
  const bytes = Buffer.from(data, "latin1");
  writeBuffer(scratch, bytes, 0, bytes.length);
  return scratch.take();
}

/** Printable chars as they are, others as dots. */
export function dots(data: string): string {
  const bytes = Buffer.from(data, "latin1");
  scratch.dotted(bytes, 0, bytes.length);
  return scratch.take();
}
