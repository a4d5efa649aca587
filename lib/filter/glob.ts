// SPDX-License-Identifier: Apache-2.0
// Shell patterns as fnmatch(3) has them without flags: *, ?, [sets] and backslash; linear in pattern × text.

/** One char of a pattern: a literal, any char, any run, or a set. */
type Token =
  | { readonly kind: "char"; readonly code: number }
  | { readonly kind: "any" }
  | { readonly kind: "star" }
  | { readonly kind: "set"; readonly members: Uint8Array };

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what the class is
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t-\r ]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** What every text that matches begins with; "" when case is ignored. */
export function globPrefix(pattern: string, foldCase = false): string {
  return foldCase ? "" : pattern.slice(0, /[*?[\\]|$/.exec(pattern)?.index);
}

/** True when a pattern holds anything but plain chars. */
export function hasWildcards(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/**
 * A function that says whether a byte string matches the pattern as a whole. Slashes and leading dots are chars like
 * others. `foldCase` makes ASCII letters equal in both cases.
 */
export function compileGlob(pattern: string, foldCase = false): (text: string) => boolean {
  const tokens = tokenize(foldCase ? lower(pattern) : pattern, foldCase);
  if (tokens === undefined) return () => false;
  const plain = plainForm(tokens);
  if (plain !== undefined && !foldCase) return plain;
  return (text) => run(tokens, foldCase ? lower(text) : text);
}

function lower(s: string): string {
  return s.replace(/[A-Z]+/g, (m) => m.toLowerCase());
}

/** Tokens of the pattern; undefined when it cannot match anything (a lone backslash at the end). */
function tokenize(pattern: string, foldCase: boolean): Token[] | undefined {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string;
    if (c === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
    } else if (c === "?") {
      tokens.push({ kind: "any" });
    } else if (c === "\\") {
      if (++i >= pattern.length) return undefined;
      tokens.push({ kind: "char", code: pattern.charCodeAt(i) });
    } else if (c === "[") {
      const set = readSet(pattern, i, foldCase);
      // An unclosed bracket is a plain char.
      if (set === undefined) tokens.push({ kind: "char", code: 0x5b });
      else {
        tokens.push({ kind: "set", members: set.members });
        i = set.end;
      }
    } else {
      tokens.push({ kind: "char", code: c.charCodeAt(0) });
    }
  }
  return tokens;
}

/** The set that opens at `open`, and the index of its closing bracket. */
function readSet(pattern: string, open: number, foldCase: boolean): { members: Uint8Array; end: number } | undefined {
  const members = new Uint8Array(256);
  let i = open + 1;
  const negated = pattern[i] === "!" || pattern[i] === "^";
  if (negated) i++;
  for (const first = i; ; i++) {
    if (i >= pattern.length) return undefined;
    let c = pattern[i] as string;
    if (c === "]" && i > first) break;
    if (c === "[" && pattern[i + 1] === ":") {
      const close = pattern.indexOf(":]", i + 2);
      const name = close < 0 ? "" : pattern.slice(i + 2, close);
      const re = CLASSES[name];
      if (re !== undefined) {
        for (let b = 0; b < 256; b++) if (re.test(String.fromCharCode(b))) members[b] = 1;
        i = close + 1;
        continue;
      }
    }
    const element = /^\[([.=])([^\]])\1\]/.exec(pattern.slice(i, i + 5));
    if (element !== null) {
      c = element[2] as string;
      i += 4;
    } else if (c === "\\" && i + 1 < pattern.length) c = pattern[++i] as string;
    let last = c;
    if (pattern[i + 1] === "-" && i + 2 < pattern.length && pattern[i + 2] !== "]") {
      i += 2;
      if (pattern[i] === "\\" && i + 1 < pattern.length) i++;
      last = pattern[i] as string;
    }
    for (let b = c.charCodeAt(0); b <= last.charCodeAt(0); b++) members[b] = 1;
  }
  if (foldCase) for (let b = 0x41; b <= 0x5a; b++) if (members[b] === 1) members[b + 32] = 1;
  if (negated) for (let b = 0; b < 256; b++) members[b] = members[b] === 1 ? 0 : 1;
  return { members, end: i };
}

/** Patterns that are text with stars at the ends only: whole, prefix, suffix, middle. */
function plainForm(tokens: readonly Token[]): ((text: string) => boolean) | undefined {
  const front = tokens[0]?.kind === "star";
  const back = tokens.length > 1 && tokens.at(-1)?.kind === "star";
  const middle = tokens.slice(front ? 1 : 0, back ? -1 : undefined);
  let text = "";
  for (const t of middle) {
    if (t.kind !== "char") return undefined;
    text += String.fromCharCode(t.code);
  }
  if (front && back) return (s) => s.includes(text);
  if (front) return (s) => s.endsWith(text);
  if (back) return (s) => s.startsWith(text);
  return (s) => s === text;
}

function accepts(t: Token, code: number): boolean {
  switch (t.kind) {
    case "char":
      return t.code === code;
    case "set":
      return t.members[code] === 1;
    default:
      return true;
  }
}

/** Only the last star ever needs another try, so the work is at most pattern × text. */
function run(tokens: readonly Token[], text: string): boolean {
  let t = 0;
  let s = 0;
  let star = -1;
  let mark = 0;
  while (s < text.length) {
    const token = tokens[t];
    if (token !== undefined && token.kind === "star") {
      star = t++;
      mark = s;
    } else if (token !== undefined && accepts(token, text.charCodeAt(s))) {
      t++;
      s++;
    } else if (star >= 0) {
      t = star + 1;
      s = ++mark;
    } else {
      return false;
    }
  }
  while (tokens[t]?.kind === "star") t++;
  return t === tokens.length;
}
