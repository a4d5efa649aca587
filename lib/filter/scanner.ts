// SPDX-License-Identifier: Apache-2.0
// Reads tokens of the filter language from a byte string and knows its place in it.
import { escapeAt } from "../fields/escapes.ts";
import type { Pos } from "./ast.ts";

const FIELD_NAME = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y;

const BLANK = 1;
const END_OF_BARE = 2;
const END_OF_ARG = 4;
/** What a byte means to the scanner. */
const CLASS = ((): Uint8Array => {
  const t = new Uint8Array(256);
  const set = (chars: string, bits: number) => {
    for (const c of chars) t[c.charCodeAt(0)]! |= bits;
  };
  set(" \t\b\r\n", BLANK);
  set("()\"' \t\n\v\f\r=,", END_OF_BARE);
  set("[]\"' \t\n\v\f\r", END_OF_ARG);
  return t;
})();

/** Why a quoted string could not be read; the place is the scanner's. */
export class EscapeProblem {
  constructor(readonly message: string) {}
}

/** Bytes of the UTF-8 sequence at `i`; 0 when it is not one. */
function utf8Length(s: string, i: number): number {
  const b = s.charCodeAt(i);
  if (b < 0x80) return 1;
  const need = b >= 0xc2 && b < 0xe0 ? 2 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
  if (need === 0 || i + need > s.length) return 0;
  for (let k = 1; k < need; k++) if ((s.charCodeAt(i + k) & 0xc0) !== 0x80) return 0;
  const second = s.charCodeAt(i + 1);
  if ((b === 0xe0 && second < 0xa0) || (b === 0xf0 && second < 0x90) || (b === 0xf4 && second > 0x8f)) return 0;
  return need;
}

/** A position in a filter text that only moves when a token was read. */
export class Scanner {
  at = 0;
  private readonly lineStarts: number[] = [0];

  /** `text` is a byte string. */
  constructor(readonly text: string) {
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 10 || c === 13) this.lineStarts.push(i + 1);
    }
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** Line and column of `offset`. */
  pos(offset = this.at): Pos {
    const starts = this.lineStarts;
    let lo = 0;
    let hi = starts.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if ((starts[mid] as number) <= offset) lo = mid;
      else hi = mid - 1;
    }
    return { line: lo + 1, col: offset - (starts[lo] as number) + 1, offset };
  }

  /** Skips blanks; true when there was one. */
  blank(): boolean {
    const from = this.at;
    while (this.at < this.text.length && (CLASS[this.text.charCodeAt(this.at)]! & BLANK) !== 0) this.at++;
    return this.at > from;
  }

  /** Reads exactly `token`. */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  peek(token: string): boolean {
    return this.text.startsWith(token, this.at);
  }

  fieldName(): string | undefined {
    return this.match(FIELD_NAME);
  }

  identifier(): string | undefined {
    return this.match(IDENTIFIER);
  }

  number(): string | undefined {
    return this.match(NUMBER);
  }

  /** A bare constant. */
  bareText(): string | undefined {
    return this.until(END_OF_BARE);
  }

  /** A bare argument between brackets. */
  bareArg(): string | undefined {
    return this.until(END_OF_ARG);
  }

  /**
   * A quoted string with its escapes resolved. Undefined (and nothing read) when no closed string stands here; an
   * EscapeProblem, with the scanner behind the string, when an escape is wrong.
   */
  quoted(): string | EscapeProblem | undefined {
    const text = this.text;
    const quote = text[this.at];
    if (quote !== '"' && quote !== "'") return undefined;
    let end = this.at + 1;
    while (end < text.length && text[end] !== quote) end += text[end] === "\\" ? 2 : 1;
    if (end >= text.length) return undefined;
    const inner = text.slice(this.at + 1, end);
    // A NUL byte ends the text as far as strings are concerned.
    if (inner.includes("\0")) return undefined;
    this.at = end + 1;
    return inner.includes("\\") ? resolveEscapes(inner, quote) : inner;
  }

  /** What a sticky expression matches here. */
  match(re: RegExp): string | undefined {
    re.lastIndex = this.at;
    const m = re.exec(this.text);
    if (m === null) return undefined;
    this.at += m[0].length;
    return m[0];
  }

  private until(stop: number): string | undefined {
    const text = this.text;
    let i = this.at;
    while (i < text.length && (CLASS[text.charCodeAt(i)]! & stop) === 0) {
      const n = utf8Length(text, i);
      if (n === 0) break;
      i += n;
    }
    if (i === this.at) return undefined;
    const s = text.slice(this.at, i);
    this.at = i;
    return s;
  }
}

function resolveEscapes(inner: string, quote: string): string | EscapeProblem {
  let out = "";
  for (let i = 0; i < inner.length; i++) {
    const c = inner[i] as string;
    if (c !== "\\") {
      out += c;
      continue;
    }
    const found = escapeAt(inner, i + 1, quote);
    if (found === undefined) {
      const e = inner[i + 1] ?? "";
      const digits = inner.slice(i + 2, i + 4);
      return new EscapeProblem(
        e === "x"
          ? `'\\x' needs two hexadecimal digits, found '${digits}'`
          : `no escape '\\${e}' in a string quoted with ${quote}`,
      );
    }
    out += found.value;
    i += found.length;
  }
  return out;
}
