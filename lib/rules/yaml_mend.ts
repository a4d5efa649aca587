// SPDX-License-Identifier: Apache-2.0
// Mends YAML that is common but that the parser refuses: lines inside brackets and quotes that stand too far left, as in
//
//     items: [
//       a
//     ]
//
// and \' in double quotes.

const SPACE = 32;
const HASH = 35;
const NEWLINE = 10;

/** A mended text, and the way back to the places of the text it was made of. */
export interface MendedText {
  text: string;
  /** Index in the first text of an index in this one. */
  original(at: number): number;
}

/** Most chars that are put in, for every char of the text. */
const MAX_GROWTH = 2;

/** The mended text; undefined when there is nothing to mend. */
export function mendYaml(text: string): MendedText | undefined {
  const edits = new Mender(text).find();
  const growth = edits.reduce((sum, { put }) => sum + put.length, 0);
  if (growth === 0 || growth > text.length * MAX_GROWTH) return undefined;
  const pieces: string[] = [];
  /** Where the edits end in the new text, and by how much it has grown there. */
  const ends: number[] = [];
  const sums: number[] = [];
  let done = 0;
  let sum = 0;
  for (const { start, drop, put } of edits) {
    pieces.push(text.slice(done, start), put);
    done = start + drop;
    sum += put.length - drop;
    ends.push(done + sum);
    sums.push(sum);
  }
  pieces.push(text.slice(done));
  const original = (at: number): number => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if ((ends[mid] as number) <= at) low = mid + 1;
      else high = mid;
    }
    // What was put in is where it was put in.
    return Math.min(at - (sums[low - 1] ?? 0), edits[low]?.start ?? text.length);
  };
  return { text: pieces.join(""), original };
}

interface Edit {
  start: number;
  /** How many chars are left out at `start`, and what stands there instead. */
  drop: number;
  put: string;
}

/** Finds the lines inside brackets or quotes that stand no further right than the key or dash these belong to. */
class Mender {
  private readonly edits: Edit[] = [];
  private at = 0;
  private lineStart = 0;

  constructor(private readonly text: string) {}

  find(): Edit[] {
    while (this.at < this.text.length) this.line();
    return this.edits;
  }

  private get code(): number {
    return this.text.charCodeAt(this.at);
  }

  private get atEnd(): boolean {
    return this.at >= this.text.length || this.code === NEWLINE || this.code === 13;
  }

  /** True when a blank, line end or the end of the text stands at `at`. */
  private separates(at: number): boolean {
    return at >= this.text.length || " \t\r\n".includes(this.text[at] as string);
  }

  private nextLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end + 1;
    this.lineStart = this.at;
  }

  private blanks(): void {
    while (this.code === SPACE || this.code === 9) this.at++;
  }

  private indentation(at: number): number {
    let i = at;
    while (this.text.charCodeAt(i) === SPACE) i++;
    return i - at;
  }

  /** A line outside of brackets and quotes, with what begins on it. */
  private line(): void {
    this.lineStart = this.at;
    // Column of the last key or dash; what belongs to it stands further right.
    let parent = this.indentation(this.at) - 1;
    for (;;) {
      this.blanks();
      if (this.atEnd || this.code === HASH) {
        this.nextLine();
        return;
      }
      const column = this.at - this.lineStart;
      const c = this.text[this.at] as string;
      if ("-?:".includes(c) && this.separates(this.at + 1)) {
        parent = column;
        this.at++;
      } else if ("&!*".includes(c)) {
        while (!this.separates(this.at)) this.at++;
      } else if (c === "[" || c === "{") {
        this.brackets(parent);
      } else if (c === '"' || c === "'") {
        this.quotes(parent, c);
        if (this.code === 58) parent = column;
      } else if (c !== "|" && c !== ">" && this.plain()) {
        parent = column;
      } else {
        this.skipInner(parent);
        return;
      }
    }
  }

  /** A text without quotes; true when it is a key, whose colon is read. */
  private plain(): boolean {
    for (; !this.atEnd; this.at++) {
      if (this.code === 58 && this.separates(this.at + 1)) {
        this.at++;
        return true;
      }
      if (this.code === HASH && this.separates(this.at - 1)) return false;
    }
    return false;
  }

  /** Passes over the rest of the line and the lines that stand further right than `parent`. */
  private skipInner(parent: number): void {
    this.nextLine();
    while (this.at < this.text.length) {
      const indent = this.indentation(this.at);
      const blank = this.separates(this.at + indent);
      if (!blank && indent <= parent) return;
      this.nextLine();
    }
  }

  /** Goes on to the next line inside brackets or quotes that belong to what stands at column `parent`. */
  private insideLine(parent: number): void {
    this.nextLine();
    const indent = this.indentation(this.at);
    if (indent <= parent && !"\r\n".includes(this.text[this.at + indent] ?? "\n")) {
      this.edits.push({ start: this.at, drop: 0, put: " ".repeat(parent + 1 - indent) });
    }
  }

  private brackets(parent: number): void {
    let depth = 0;
    // Inside a text without quotes, in which quotes and hashes are plain chars.
    let plain = false;
    while (this.at < this.text.length) {
      const c = this.text[this.at] as string;
      if (c === "\n") {
        this.insideLine(parent);
        continue;
      }
      if (c === "[" || c === "{") depth++;
      else if (c === "]" || c === "}") depth--;
      if ("[]{},".includes(c) || (c === ":" && this.separates(this.at + 1))) {
        plain = false;
      } else if (c === "#" && this.separates(this.at - 1)) {
        const end = this.text.indexOf("\n", this.at);
        this.at = end < 0 ? this.text.length : end;
        continue;
      } else if ((c === '"' || c === "'") && !plain) {
        this.quotes(parent, c);
        continue;
      } else if (!this.separates(this.at)) {
        plain = true;
      }
      this.at++;
      if (depth === 0) return;
    }
  }

  private quotes(parent: number, quote: string): void {
    this.at++;
    while (this.at < this.text.length) {
      const c = this.text[this.at] as string;
      if (c === "\n") {
        this.insideLine(parent);
        continue;
      }
      this.at++;
      if (c === "\\" && quote === '"' && this.text[this.at] !== "\n") {
        if (this.text[this.at] === "'") this.edits.push({ start: this.at, drop: 1, put: "x27" });
        this.at++;
      }
      if (c !== quote) continue;
      if (quote === '"' || this.text[this.at] !== "'") return;
      this.at++;
    }
  }
}
