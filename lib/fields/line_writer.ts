// SPDX-License-Identifier: Apache-2.0
// Text made byte by byte in one reused buffer: lines are built here without a string per piece.

const MINUS = 45;
const ZERO = 48;
const QUOTE = 34;
const BACKSLASH = 92;
const BLANK = 32;

const HEX_UPPER: readonly number[] = [..."0123456789ABCDEF"].map((c) => c.charCodeAt(0));
const HEX_LOWER: readonly number[] = [..."0123456789abcdef"].map((c) => c.charCodeAt(0));
/** Byte → the byte shown for it: itself when printable ASCII, else a dot. */
const DOTTED = Uint8Array.from({ length: 256 }, (_, b) => (b >= 32 && b < 127 ? b : 46));
/** Byte → 0 when JSON holds it as it is, 1 when it must be escaped, 2 when it is not ASCII. */
const JSON_CLASS = Uint8Array.from({ length: 256 }, (_, b) =>
  b > 127 ? 2 : b < 32 || b === QUOTE || b === BACKSLASH ? 1 : 0,
);
/** Second char of a two-char escape, by byte; 0 for those that need \u. */
const SHORT_ESCAPE = ((): Uint8Array => {
  const t = new Uint8Array(256);
  for (const [byte, letter] of [
    [8, "b"],
    [9, "t"],
    [10, "n"],
    [12, "f"],
    [13, "r"],
    [QUOTE, '"'],
    [BACKSLASH, "\\"],
  ] as const)
    t[byte] = letter.charCodeAt(0);
  return t;
})();

/** The digits of 0 … 99, two bytes each, and of 0 … 999, three each. */
const PAIRS = Uint8Array.from({ length: 200 }, (_, i) => ZERO + (i % 2 === 0 ? Math.floor(i / 20) : (i >> 1) % 10));
const TRIPLES = Uint8Array.from({ length: 3000 }, (_, i) => {
  const n = Math.floor(i / 3);
  return ZERO + ([Math.floor(n / 100), Math.floor(n / 10) % 10, n % 10][i % 3] as number);
});

/** Strings up to this length are copied char by char; longer ones with one call into the runtime. */
const SHORT = 40;

export class LineWriter {
  bytes: Buffer;
  /** Bytes written so far. */
  at = 0;

  constructor(size = 16384) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** Makes room for `n` more bytes. */
  room(n: number): void {
    if (this.at + n > this.bytes.length) this.grow(n);
  }

  private grow(n: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + n));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }

  byte(b: number): void {
    if (this.at === this.bytes.length) this.grow(1);
    this.bytes[this.at++] = b;
  }

  /** A byte string. */
  str(s: string): void {
    const n = s.length;
    this.room(n);
    const at = this.at;
    if (n > SHORT) {
      this.bytes.latin1Write(s, at);
    } else {
      const bytes = this.bytes;
      for (let i = 0; i < n; i++) bytes[at + i] = s.charCodeAt(i);
    }
    this.at = at + n;
  }

  /** Bytes of another buffer. */
  range(from: Uint8Array, start: number, end: number): void {
    const n = end - start;
    this.room(n);
    const bytes = this.bytes;
    const at = this.at;
    if (n > SHORT) bytes.set(from.subarray(start, end), at);
    else for (let i = 0; i < n; i++) bytes[at + i] = from[start + i] as number;
    this.at = at + n;
  }

  /** The same, with a dot for every byte that is not printable ASCII. */
  dotted(from: Uint8Array, start: number, end: number): void {
    this.room(end - start);
    const bytes = this.bytes;
    let at = this.at;
    for (let i = start; i < end; i++) bytes[at++] = DOTTED[from[i] as number] as number;
    this.at = at;
  }

  /** A whole number in decimal, exact up to 2^53. */
  dec(n: number): void {
    this.room(20);
    if (n < 0) {
      this.bytes[this.at++] = MINUS;
      n = -n;
    }
    if (n < 10) this.bytes[this.at++] = ZERO + n;
    else if (n < 1e9) this.digits(n | 0);
    else {
      const high = Math.floor(n / 1e9);
      if (high < 1e9) this.digits(high | 0);
      else this.str(String(high));
      this.nanos(n - high * 1e9);
    }
  }

  private digits(n: number): void {
    const bytes = this.bytes;
    const count =
      n < 1e4
        ? n < 100
          ? n < 10
            ? 1
            : 2
          : n < 1e3
            ? 3
            : 4
        : n < 1e6
          ? n < 1e5
            ? 5
            : 6
          : n < 1e8
            ? n < 1e7
              ? 7
              : 8
            : 9;
    let p = this.at + count;
    this.at = p;
    while (n >= 10) {
      const q = (n / 100) | 0;
      const two = (n - q * 100) * 2;
      bytes[--p] = PAIRS[two + 1] as number;
      bytes[--p] = PAIRS[two] as number;
      n = q;
    }
    // Of an odd number of digits the first is left; of an even number nothing, but the loop ends at 0 then.
    if ((count & 1) === 1) bytes[p - 1] = ZERO + n;
  }

  /** Nine digits, leading zeros included; `n` is below 10^9. */
  nanos(n: number): void {
    this.room(9);
    const bytes = this.bytes;
    const micros = (n / 1000) | 0;
    const millis = (micros / 1000) | 0;
    let at = this.at;
    let group = millis * 3;
    for (let i = 0; i < 3; i++) {
      bytes[at++] = TRIPLES[group] as number;
      bytes[at++] = TRIPLES[group + 1] as number;
      bytes[at++] = TRIPLES[group + 2] as number;
      group = (i === 0 ? micros - millis * 1000 : n - micros * 1000) * 3;
    }
    this.at = at;
  }

  /** Upper-case hexadecimal of 64 bits given as unsigned halves, without leading zeros. */
  hex(high: number, low: number): void {
    this.room(16);
    const bytes = this.bytes;
    let started = false;
    for (let shift = 28; shift >= 0; shift -= 4) {
      const d = (high >>> shift) & 15;
      if (d !== 0 || started) {
        bytes[this.at++] = HEX_UPPER[d] as number;
        started = true;
      }
    }
    for (let shift = 28; shift >= 0; shift -= 4) {
      const d = (low >>> shift) & 15;
      if (d !== 0 || started || shift === 0) {
        bytes[this.at++] = HEX_UPPER[d] as number;
        started = true;
      }
    }
  }

  /** Pads what was written since `start` with blanks to `width` bytes, or cuts it. */
  fit(start: number, width: number): void {
    const end = start + width;
    if (this.at < end) {
      this.room(end - this.at);
      this.bytes.fill(BLANK, this.at, end);
    }
    this.at = end;
  }

  /** A byte string as a JSON string in UTF-8; bytes that are not valid UTF-8 become U+FFFD. */
  json(s: string): void {
    const n = s.length;
    this.room(n * 6 + 2);
    const bytes = this.bytes;
    let at = this.at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < n; i++) {
      const b = s.charCodeAt(i);
      const kind = JSON_CLASS[b] as number;
      if (kind === 0) bytes[at++] = b;
      else if (kind === 1) at = this.escape(b, at);
      else {
        this.jsonText(Buffer.from(s, "latin1"));
        return;
      }
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }

  /** Begins a JSON string whose bytes are written next; gives what `endJson` needs. */
  beginJson(): number {
    this.byte(QUOTE);
    return this.at;
  }

  /** Ends the JSON string begun at `start`: what was written since is escaped where it must be. */
  endJson(start: number): void {
    const bytes = this.bytes;
    const end = this.at;
    let i = start;
    while (i < end && JSON_CLASS[bytes[i] as number] === 0) i++;
    if (i === end) {
      this.byte(QUOTE);
      return;
    }
    const text = this.take(start);
    this.at = start - 1;
    this.json(text);
  }

  private escape(b: number, at: number): number {
    const bytes = this.bytes;
    bytes[at++] = BACKSLASH;
    const letter = SHORT_ESCAPE[b] as number;
    if (letter !== 0) {
      bytes[at++] = letter;
      return at;
    }
    bytes[at++] = 117;
    bytes[at++] = ZERO;
    bytes[at++] = ZERO;
    bytes[at++] = HEX_LOWER[b >>> 4] as number;
    bytes[at++] = HEX_LOWER[b & 15] as number;
    return at;
  }

  private jsonText(utf8: Buffer): void {
    const text = JSON.stringify(utf8.utf8Slice());
    this.room(text.length * 3);
    this.at += this.bytes.utf8Write(text, this.at);
  }

  /** What was written since `start`, as a byte string; the writer goes back there. */
  take(start = 0): string {
    const s = this.bytes.latin1Slice(start, this.at);
    this.at = start;
    return s;
  }
}
