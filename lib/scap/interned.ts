// SPDX-License-Identifier: Apache-2.0
// Texts that come again and again in events (names, paths), made into strings once; bounded.

/** Longest text that is remembered, in bytes. */
const LONGEST = 120;
/** Texts remembered; a power of two. */
const SLOTS = 4096;
/** Bytes of a slot: a multiple of four, so that texts are compared in words. */
const SLOT = 128;

const texts = new Array<string>(SLOTS).fill("");
const lengths = new Uint8Array(SLOTS);
/** The bytes of each text, the rest of its last word zero. */
const words = new Int32Array((SLOTS * SLOT) / 4);

/** NUL-terminated text in the `n` bytes at `at` as a byte string, up to the first NUL. */
function make(bytes: Buffer, at: number, n: number): string {
  const end = bytes[at + n - 1] === 0 ? at + n - 1 : at + n;
  // A NUL before the last byte ends the text as well.
  const s = bytes.latin1Slice(at, end);
  const nul = s.indexOf("\0");
  return nul < 0 ? s : s.slice(0, nul);
}

/** The word at `at`, of which `n` bytes (1–4) count. */
function lastWord(bytes: Buffer, at: number, n: number): number {
  let word = bytes[at] as number;
  if (n > 1) word |= (bytes[at + 1] as number) << 8;
  if (n > 2) word |= (bytes[at + 2] as number) << 16;
  if (n > 3) word |= (bytes[at + 3] as number) << 24;
  return word;
}

/**
 * NUL-terminated text in the `n` bytes at `at` as a byte string, up to the first NUL; "" when `n` is 0. `view` is on the
 * same memory. A text that was asked for lately is not made again.
 */
export function internedText(bytes: Buffer, view: DataView, at: number, n: number): string {
  if (n === 0) return "";
  if (n > LONGEST) return make(bytes, at, n);
  const whole = (n - 1) >> 2;
  let hash = n;
  for (let i = 0; i < whole; i++) hash = Math.imul(hash ^ view.getInt32(at + i * 4, true), 0x9e3779b1);
  const last = lastWord(bytes, at + whole * 4, n - whole * 4);
  hash = Math.imul(hash ^ last, 0x9e3779b1);
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const from = slot * (SLOT / 4);
  if (lengths[slot] === n && words[from + whole] === last) {
    let i = 0;
    while (i < whole && words[from + i] === view.getInt32(at + i * 4, true)) i++;
    if (i === whole) return texts[slot] as string;
  }
  for (let i = 0; i < whole; i++) words[from + i] = view.getInt32(at + i * 4, true);
  words[from + whole] = last;
  lengths[slot] = n;
  const text = make(bytes, at, n);
  texts[slot] = text;
  return text;
}
