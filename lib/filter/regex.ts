// SPDX-License-Identifier: Apache-2.0
// Regular expressions of the `regex` operator: POSIX extended syntax of RE2, matched over the whole text in linear time.
import { RE2JS } from "re2js";
import { toBytes, toText } from "../scap/bytes.ts";
import { ConstantError } from "./constants.ts";

/** Most repetitions a counted repetition may ask for. */
const MAX_REPEAT = 1000;

const POSIX_CLASSES = new Set(
  "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split(" "),
);

/**
 * The operator that does what a pattern does, when one is enough: "=" for `abc`, "startswith" for `^abc.*` … A pattern
 * without special chars needs no regular expression; `^` in front, `$` at the end, and one of `.*`, `.+`, `.?` in front
 * and at the end do not count.
 */
export function simplerOperator(pattern: string): "=" | "startswith" | "endswith" | "contains" | undefined {
  const m = /^(\^|\.[*+?])?([^\\^$.|?*+()[\]{}]*)(\$|\.[*+?])?$/.exec(pattern);
  if (m === null) return undefined;
  const front = m[1]?.startsWith(".") === true;
  const back = m[3]?.startsWith(".") === true;
  if (front) return back || m[2] === "" ? "contains" : "endswith";
  return back ? "startswith" : "=";
}

/** What every text that matches begins with, as far as it is easily seen; "" when it is not. */
export function regexPrefix(pattern: string): string {
  let depth = 0;
  for (const c of pattern.replace(/\\./gs, "")) {
    if (c === "(" || c === "[") depth++;
    else if (c === ")" || c === "]") depth--;
    else if (c === "|" && depth <= 0) return "";
  }
  const m = /^\^?([A-Za-z0-9/_-]*)([*?{]?)/.exec(pattern);
  const text = m?.[1] ?? "";
  // The last char may be missing when it is repeated.
  return m?.[2] === "" ? text : text.slice(0, -1);
}

/**
 * Compiles a pattern (byte string of UTF-8) to a function over byte strings; invalid UTF-8 in the text counts as
 * U+FFFD. Throws ConstantError when the pattern is wrong.
 */
export function compileRegex(pattern: string): (text: string) => boolean {
  const text = toText(pattern);
  if (text.includes("\ufffd") && Buffer.from(text, "utf8").latin1Slice() !== pattern) {
    throw new ConstantError("a regular expression must be valid UTF-8");
  }
  let re: RE2JS;
  try {
    re = RE2JS.compile(new Translator(text).translate());
  } catch (e) {
    if (e instanceof ConstantError || !(e instanceof Error)) throw e;
    throw wrong(pattern, e.message.replace(/^error parsing regexp: /, ""));
  }
  return (s) => re.testExact(toText(s));
}

/** `pattern` is a byte string, `what` is text. */
function wrong(pattern: string, what: string): ConstantError {
  return new ConstantError(`wrong regular expression '${pattern}': ${toBytes(what)}`);
}

/**
 * Rewrites POSIX syntax to the Perl-like syntax of the library: repetitions may be stacked, `^` and `$` stand at
 * every line, groups have no `?` extensions, and there are no classes like \d nor word boundaries.
 */
class Translator {
  private readonly chars: readonly string[];
  private at = 0;
  private out = "";

  constructor(private readonly pattern: string) {
    this.chars = [...pattern];
  }

  translate(): string {
    this.alternatives();
    if (this.at < this.chars.length) throw this.wrong("')' without '('");
    return this.out;
  }

  private wrong(what: string): ConstantError {
    return wrong(toBytes(this.pattern), what);
  }

  private get next(): string | undefined {
    return this.chars[this.at];
  }

  private alternatives(): void {
    // Start in `out` of what a repetition would apply to; -1 when there is nothing.
    let atom = -1;
    for (let c = this.next; c !== undefined && c !== ")"; c = this.next) {
      const start = this.out.length;
      if (c === "|") {
        this.at++;
        this.out += "|";
        atom = -1;
        continue;
      }
      const repeat = this.repetition();
      if (repeat !== undefined) {
        if (atom < 0) throw this.wrong(`nothing to repeat before '${repeat}'`);
        this.out = `${this.out.slice(0, atom)}(?:${this.out.slice(atom)})${repeat}`;
        continue;
      }
      this.at++;
      if (c === "(") {
        this.out += "(?:";
        this.alternatives();
        if (this.next !== ")") throw this.wrong("'(' without ')'");
        this.at++;
        this.out += ")";
      } else if (c === "[") {
        this.out += this.set();
      } else if (c === "^" || c === "$") {
        this.out += `(?m:${c})`;
      } else if (c === ".") {
        this.out += ".";
      } else {
        this.out += literal(c === "\\" ? this.escape() : (c.codePointAt(0) as number));
      }
      atom = start;
    }
  }

  /** `*`, `+`, `?` or a counted repetition; a brace that is no repetition is a plain char. */
  private repetition(): string | undefined {
    const c = this.next;
    if (c === "*" || c === "+" || c === "?") {
      this.at++;
      return c;
    }
    if (c !== "{") return undefined;
    const m = /^\{(\d+)(,(\d*))?\}/.exec(this.chars.slice(this.at, this.at + 24).join(""));
    if (m === null) return undefined;
    const least = Number(m[1]);
    const most = m[2] === undefined ? least : m[3] === "" ? -1 : Number(m[3]);
    if (least > MAX_REPEAT || most > MAX_REPEAT || (most >= 0 && most < least)) {
      throw this.wrong(`repetition count '${m[0]}'`);
    }
    this.at += m[0].length;
    return m[0];
  }

  /** The char that an escape stands for; the backslash has been read. */
  private escape(): number {
    const c = this.chars[this.at++];
    if (c === undefined) throw this.wrong("a backslash at the end");
    const simple: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
    if (simple[c] !== undefined) return simple[c];
    if (c === "x") return this.hexEscape();
    if (c === "0" || (/[1-7]/.test(c) && /[0-7]/.test(this.next ?? ""))) {
      let digits = c;
      while (digits.length < 3 && /[0-7]/.test(this.next ?? "")) digits += this.chars[this.at++];
      return Number.parseInt(digits, 8);
    }
    const code = c.codePointAt(0) as number;
    if (code >= 0x80 || /[a-zA-Z0-9]/.test(c)) throw this.wrong(`no escape '\\${c}'`);
    return code;
  }

  private hexEscape(): number {
    const rest = this.chars.slice(this.at, this.at + 16).join("");
    const m = /^([0-9a-fA-F]{2})/.exec(rest) ?? /^\{([0-9a-fA-F]+)\}/.exec(rest);
    if (m === null) throw this.wrong("'\\x' needs two hexadecimal digits or {digits}");
    const code = Number.parseInt(m[1] as string, 16);
    if (code > 0x10ffff) throw this.wrong(`no char '\\x${m[0]}'`);
    this.at += m[0].length;
    return code;
  }

  /** A bracketed set; the opening bracket has been read. */
  private set(): string {
    let body = "[";
    if (this.next === "^") {
      this.at++;
      body += "^";
    }
    for (let first = true; ; first = false) {
      const c = this.next;
      if (c === undefined) throw this.wrong("'[' without ']'");
      if (c === "]" && !first) break;
      // A minus is plain only in front and at the end.
      if (c === "-" && !first && this.chars[this.at + 1] !== "]") throw this.wrong("a '-' inside a set");
      const name = c === "[" ? /^\[:(\^?)([^:\]]*):\]/.exec(this.chars.slice(this.at, this.at + 16).join("")) : null;
      if (name !== null) {
        if (!POSIX_CLASSES.has(name[2] as string)) throw this.wrong(`no class '${name[0]}'`);
        this.at += name[0].length;
        body += name[0];
        continue;
      }
      const low = this.setChar();
      let high = low;
      if (this.next === "-" && this.chars[this.at + 1] !== undefined && this.chars[this.at + 1] !== "]") {
        this.at++;
        high = this.setChar();
        if (high < low) throw this.wrong("a range that runs backwards");
      }
      body += high === low ? literal(low) : `${literal(low)}-${literal(high)}`;
    }
    this.at++;
    return `${body}]`;
  }

  private setChar(): number {
    const c = this.chars[this.at++];
    if (c === undefined) throw this.wrong("'[' without ']'");
    return c === "\\" ? this.escape() : (c.codePointAt(0) as number);
  }
}

/** A char in a form that is plain everywhere. */
function literal(code: number): string {
  const c = String.fromCodePoint(code);
  return /[a-zA-Z0-9_]/.test(c) ? c : `\\x{${code.toString(16)}}`;
}
