// SPDX-License-Identifier: Apache-2.0
// The bytes of an I/O buffer as text, in the five ways of the command line.
import type { BufferMode } from "./settings.ts";

/** Byte → the char shown for it: itself when printable ASCII, else a dot. */
const DOTTED: readonly string[] = Array.from({ length: 256 }, (_, b) =>
  b >= 32 && b < 127 ? String.fromCharCode(b) : ".",
);
const HEX: readonly string[] = Array.from({ length: 256 }, (_, b) => b.toString(16).padStart(2, "0"));

const UNPRINTABLE = /[^ -~]/;

/** Printable bytes as they are, others as dots; cut to `limit` chars that end in "..." (0 = no limit). */
export function dots(bytes: string, limit: number): string {
  const cut = limit > 0 && bytes.length > limit;
  const shown = cut ? bytes.slice(0, limit - 3) : bytes;
  let text = shown;
  if (UNPRINTABLE.test(shown)) {
    text = "";
    for (let i = 0; i < shown.length; i++) text += DOTTED[shown.charCodeAt(i) & 255];
  }
  return cut ? text + "..." : text;
}

/** Rows of 16 bytes in pairs, with the offset before and, when wanted, the printable bytes behind. */
function hexRows(bytes: string, ascii: boolean): string {
  let text = "";
  for (let row = 0; row < bytes.length; row += 16) {
    text += `\n\t0x${row.toString(16).padStart(4, "0")}:`;
    let column = "";
    for (let i = 0; i < 16; i++) {
      const at = row + i;
      if (at < bytes.length) {
        const b = bytes.charCodeAt(at) & 255;
        text += (i % 2 === 0 ? " " : "") + HEX[b];
        column += DOTTED[b];
      } else if (ascii) {
        text += i % 2 === 0 ? "   " : "  ";
      }
    }
    if (ascii) text += `  ${column}`;
  }
  return `${text}\n`;
}

/** Printable bytes and line feeds only. */
function plain(bytes: string): string {
  return bytes.replace(/[^ -~\n]/g, "");
}

/** A buffer in the given mode. `limit` (0 = none) applies to "dots". */
export function bufferText(bytes: string, mode: BufferMode, limit: number): string {
  switch (mode) {
    case "dots":
      return dots(bytes, limit);
    case "hex":
      return hexRows(bytes, false);
    case "hexascii":
      return hexRows(bytes, true);
    case "ascii":
      return plain(bytes);
    case "base64":
      return Buffer.from(bytes, "latin1").toString("base64");
  }
}
