// SPDX-License-Identifier: Apache-2.0
// Finding fields by name: exact names, bracketed and dotted arguments, and the nearest name for messages.

import { BUILTIN_CLASSES } from "./classes.ts";
import {
  type BoundField,
  type Field,
  type FieldArg,
  FieldArgError,
  type FieldClass,
  UnknownFieldError,
} from "./field.ts";

/** A field with its argument settled, and the record it came from. */
export interface ResolvedField extends BoundField {
  readonly field: Field;
  /** As it is written in JSON output: `proc.aname[2]`, `evt.arg.fd`. */
  readonly token: string;
}

/** A field name and argument, found in the front of a text. */
export interface FieldMatch {
  readonly field: ResolvedField;
  /** Chars of the text that were used. */
  readonly length: number;
}

const INDEX = /^[\t-\r ]*[+-]?[0-9]+$/;
const BARE_ARG = /^[^\][\s"']+/;

/** A set of field classes in which names are looked up. */
export class FieldRegistry {
  private readonly byName = new Map<string, Field>();
  private readonly longest: number;

  constructor(readonly classes: readonly FieldClass[]) {
    let longest = 0;
    for (const c of classes) {
      for (const f of c.fields) {
        this.byName.set(f.name, f);
        if (f.name.length > longest) longest = f.name.length;
      }
    }
    this.longest = longest;
  }

  /** This registry with further classes (plugins, static fields); later ones win. */
  with(...more: FieldClass[]): FieldRegistry {
    return new FieldRegistry([...this.classes, ...more]);
  }

  /** The record of a name without arguments. */
  lookup(name: string): Field | undefined {
    return this.byName.get(name);
  }

  /** True when `name` is a field, with or without a dotted argument. */
  has(name: string): boolean {
    return this.byName.has(name) || this.dotted(name) !== undefined;
  }

  /**
   * A field ready for use. `name` may carry a dotted argument (`evt.arg.fd`), `arg` is what stood in brackets
   * (without quotes), null when there were none. Throws UnknownFieldError or FieldArgError.
   */
  resolve(name: string, arg: string | null): ResolvedField {
    const exact = this.byName.get(name);
    if (exact !== undefined) return bindTo(exact, arg, false, arg === null ? name : `${name}[${arg}]`);
    const split = this.dotted(name);
    if (split === undefined) throw new UnknownFieldError(name, this.suggest(name));
    if (arg !== null)
      throw new FieldArgError(`'${split.field.name}' takes one argument, not '.${split.arg}' and '[${arg}]'`);
    return bindTo(split.field, split.arg, true, name);
  }

  /**
   * The longest field at the front of `text`, as formats read it: a bad or superfluous argument is not an error, the
   * bracket is then left to the text behind. Undefined when no field stands there.
   */
  matchPrefix(text: string): FieldMatch | undefined {
    const word = /^[a-zA-Z][a-zA-Z0-9_.]*/.exec(text)?.[0] ?? "";
    const from = Math.min(word.length, this.longest);
    // Dotted arguments first: they are longer than the field itself.
    for (let dot = word.indexOf("."), seen = 0; dot >= 0 && seen < 8; dot = word.indexOf(".", dot + 1), seen++) {
      const field = this.byName.get(word.slice(0, dot));
      if (field?.arg?.dotted !== true) continue;
      for (let end = word.length; end > dot + 1; end--) {
        if (word[end - 1] === ".") continue;
        const token = word.slice(0, end);
        if (this.byName.has(token)) break;
        const bound = tryBind(field, word.slice(dot + 1, end), true, token);
        if (bound !== undefined) return { field: bound, length: end };
      }
    }
    for (let end = from; end > 0; end--) {
      const field = this.byName.get(word.slice(0, end));
      if (field === undefined) continue;
      const bracket = field.arg === null ? undefined : bracketAt(text, end);
      if (bracket !== undefined) {
        const bound = tryBind(field, bracket.arg, false, `${field.name}[${bracket.arg}]`);
        if (bound !== undefined) return { field: bound, length: bracket.end };
      }
      const bound = tryBind(field, null, false, field.name);
      if (bound !== undefined) return { field: bound, length: end };
    }
    return undefined;
  }

  /** The existing name most similar to `name`; undefined when none is near. */
  suggest(name: string): string | undefined {
    if (name.length > 100) return undefined;
    let best: string | undefined;
    let distance = Math.max(2, Math.floor(name.length / 3)) + 1;
    let prefix = 0;
    for (const [known, f] of this.byName) {
      if (f.flags.hidden === true || Math.abs(known.length - name.length) > distance) continue;
      const d = editDistance(name, known, distance + 1);
      const common = commonPrefix(name, known);
      // Of equally similar names the one that begins alike is meant.
      if (d < distance || (d === distance && best !== undefined && common > prefix)) {
        distance = d;
        prefix = common;
        best = known;
      }
    }
    return best;
  }

  private dotted(name: string): { field: Field; arg: string } | undefined {
    for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
      const field = this.byName.get(name.slice(0, dot));
      if (field !== undefined) return field.arg?.dotted === true ? { field, arg: name.slice(dot + 1) } : undefined;
    }
    return undefined;
  }
}

/** `[arg]` or `["arg"]` at `at`; undefined when there is none or it is malformed. */
function bracketAt(text: string, at: number): { arg: string; end: number } | undefined {
  if (text[at] !== "[") return undefined;
  const quote = text[at + 1];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, at + 2);
    // A bracket inside the quotes ends the argument, which makes it malformed.
    if (close < 0 || text[close + 1] !== "]" || text.slice(at + 2, close).includes("]")) return undefined;
    return { arg: text.slice(at + 2, close), end: close + 2 };
  }
  const bare = BARE_ARG.exec(text.slice(at + 1))?.[0];
  if (bare === undefined || text[at + 1 + bare.length] !== "]") return undefined;
  return { arg: bare, end: at + bare.length + 2 };
}

function tryBind(field: Field, arg: string | null, dotted: boolean, token: string): ResolvedField | undefined {
  try {
    return bindTo(field, arg, dotted, token);
  } catch (e) {
    if (e instanceof FieldArgError) return undefined;
    throw e;
  }
}

function bindTo(field: Field, arg: string | null, dotted: boolean, token: string): ResolvedField {
  return { field, token, ...field.bind(checkArg(field, arg, dotted), arg ?? "") };
}

/** Checks an argument against the field's rule. */
function checkArg(field: Field, arg: string | null, dotted: boolean): FieldArg {
  const rule = field.arg;
  if (arg === null) {
    if (rule?.required === true) throw new FieldArgError(`'${field.name}' needs an argument: ${argumentWanted(field)}`);
    return null;
  }
  if (rule === null) throw new FieldArgError(`'${field.name}' takes no argument, found '[${arg}]'`);
  if (dotted) return { key: arg };
  if (arg.includes("]")) throw new FieldArgError(`argument of '${field.name}' holds a ']'`);
  if (rule.index && INDEX.test(arg)) return { index: Number(arg) };
  if (rule.key) return { key: arg };
  throw new FieldArgError(`'${field.name}' needs ${argumentWanted(field)}, found '[${arg}]'`);
}

/** What argument a field takes, in words. */
export function argumentWanted(field: Field): string {
  const ways: string[] = [];
  if (field.arg?.index === true) ways.push(`a number, ${field.name}[0]`);
  if (field.arg?.key === true) ways.push(`a name, ${field.name}[NAME]`);
  if (field.arg?.dotted === true) ways.push(`a name, ${field.name}.NAME`);
  return ways.join(" or ");
}

function commonPrefix(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

/** Levenshtein distance, cut off at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const v = Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1);
      next.push(v);
      if (v < least) least = v;
    }
    if (least >= limit) return limit;
    row = next;
  }
  return row[b.length] as number;
}

/** The fields that are there without plugins. */
export const builtinFields = new FieldRegistry(BUILTIN_CLASSES);

/** The built-in classes, for listings. */
export function fieldClasses(): readonly FieldClass[] {
  return builtinFields.classes;
}

/** The record of a built-in field by its plain name. */
export function lookupField(name: string): Field | undefined {
  return builtinFields.lookup(name);
}

/** `builtinFields.resolve`. */
export function resolveField(name: string, arg: string | null): ResolvedField {
  return builtinFields.resolve(name, arg);
}

/** A field as users write it: `proc.aname[2]`, `proc.env["A B"]`, `evt.arg.fd`; the whole text must be one field. */
export function bindField(written: string): ResolvedField {
  const open = written.indexOf("[");
  if (open < 0) return resolveField(written, null);
  const bracket = bracketAt(written, open);
  if (bracket === undefined || bracket.end !== written.length) {
    throw new FieldArgError(`malformed argument in '${written}', wanted NAME[ARGUMENT]`);
  }
  return resolveField(written.slice(0, open), bracket.arg);
}

/** The nearest existing name, for messages; undefined when none is near. */
export function suggestField(name: string): string | undefined {
  return builtinFields.suggest(name);
}
