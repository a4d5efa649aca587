// SPDX-License-Identifier: Apache-2.0
// Formats: text with %fields in it, compiled once into a function that makes a line of an event.

import { decimal } from "../fields/number_text.ts";
import { builtinFields, type FieldRegistry, type ResolvedField } from "../fields/registry.ts";
import { fieldJson } from "../fields/values.ts";
import { toBytes, toText } from "../scap/bytes.ts";
import { PF, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import { FormatError } from "./error.ts";
import { RecordedContext } from "./recorded.ts";
import { parseToken, type Token, TokenError } from "./token.ts";

/** Printed for what an event does not have, in formats that begin with "*". */
export const MISSING = "<NA>";
/** Widest column. */
const MAX_WIDTH = 65535;

export interface FormatOptions {
  /** Fields to look up; the built-in ones without it. */
  registry?: FieldRegistry;
  /** Show events of old captures as they were recorded, not as converted to the present schema. */
  recorded?: boolean;
  /** Lines with missing values are printed even without a leading "*". */
  tolerant?: boolean;
}

/** A compiled format. */
export interface Format {
  /** One line without line feed, as a byte string; null when a value is missing and the format has no leading "*". */
  text(ctx: Context): string | null;
  /**
   * A JSON object of the fields, keys sorted, values typed, null for missing ones. Null when a value is missing and the
   * format has no leading "*". Unlike `text` this is UTF-16 text.
   */
  json(ctx: Context): string | null;
  /** The fields in the order of their first appearance, each once: plain ones and those inside transformers. */
  readonly fields: readonly ResolvedField[];
  /** Names in the order in which the format resolves them; a transformer comes behind its arguments. */
  readonly names: readonly string[];
}

interface Piece {
  readonly literal: string;
  readonly token: Token | null;
  readonly width: number;
}

/** Splits a format (byte string) into literals and tokens. */
function parse(format: string, registry: FieldRegistry): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (;;) {
    const percent = format.indexOf("%", at);
    if (percent < 0) break;
    const literal = format.slice(at, percent);
    const digits = /^[0-9]*/.exec(format.slice(percent + 1, percent + 64))?.[0] ?? "";
    const start = percent + 1 + digits.length;
    if (start === format.length) {
      const what = digits === "" ? "a '%' needs a field behind it" : "a width needs a field behind it";
      throw new FormatError(`${what}; a format cannot end here`, format, percent);
    }
    try {
      const { token, end } = parseToken(format, start, registry);
      pieces.push({ literal, token, width: Math.min(Number(digits), MAX_WIDTH) });
      at = end;
    } catch (e) {
      if (e instanceof TokenError) throw new FormatError(e.what, format, e.position, e.nearest, e.unknownField);
      throw e;
    }
  }
  pieces.push({ literal: format.slice(at), token: null, width: 0 });
  return pieces;
}

const INTEGER = new Set<number>([PT.INT8, PT.INT16, PT.INT32, PT.INT64, PT.UINT8, PT.UINT16, PT.UINT32, PT.PORT]);

/** The fastest way to a token's text. */
function textGetter(token: Token): (ctx: Context) => string | undefined {
  const f = token.field;
  if (f === null || f.text !== undefined || f.list) return (ctx) => token.text(ctx);
  if (f.type === PT.CHARBUF) return f.extract as (ctx: Context) => string | undefined;
  if (INTEGER.has(f.type) && (f.format === PF.ID || f.format === PF.DEC)) {
    const extract = f.extract;
    return (ctx) => {
      const v = extract(ctx);
      return typeof v === "number" ? decimal(v) : v === undefined ? undefined : String(v);
    };
  }
  return (ctx) => token.text(ctx);
}

function pad(text: string, width: number): string {
  return text.length > width ? text.slice(0, width) : text.padEnd(width, " ");
}

/** A function that joins literals and values; null when a value is missing and `tolerant` is false. */
function joiner(pieces: readonly Piece[], tolerant: boolean): (ctx: Context) => string | null {
  const getters: ((ctx: Context) => string | undefined)[] = [];
  const literals: string[] = [];
  for (const p of pieces) {
    literals.push(p.literal);
    if (p.token === null) continue;
    const get = textGetter(p.token);
    const width = p.width;
    getters.push(
      width === 0
        ? get
        : (ctx) => {
            const text = get(ctx) ?? (tolerant ? MISSING : undefined);
            return text === undefined ? undefined : pad(text, width);
          },
    );
  }
  // The generated source holds nothing but these fixed words; literals and getters are passed in. A function of its own
  // per format makes every call in it monomorphic.
  const names = getters.map((_, i) => `g${i}`);
  const texts = literals.map((_, i) => `l${i}`);
  let body = "let s = l0; let v;\n";
  getters.forEach((_, i) => {
    body += tolerant
      ? `v = g${i}(ctx); s += v === undefined ? missing : v; s += l${i + 1};\n`
      : `v = g${i}(ctx); if (v === undefined) return null; s += v; s += l${i + 1};\n`;
  });
  const make = new Function("missing", ...names, ...texts, `return function line(ctx) {\n${body}return s;\n};`);
  return make(MISSING, ...getters, ...literals) as (ctx: Context) => string | null;
}

/** Most fields of a format for which a function of its own is made. */
const MAX_GENERATED = 200;

/** The same as a loop, for formats of many hundred fields. */
function looper(pieces: readonly Piece[], tolerant: boolean): (ctx: Context) => string | null {
  const parts = pieces.map((p) => ({ ...p, get: p.token === null ? null : textGetter(p.token) }));
  return (ctx) => {
    let line = "";
    for (const p of parts) {
      line += p.literal;
      if (p.get === null) continue;
      let text = p.get(ctx);
      if (text === undefined) {
        if (!tolerant) return null;
        text = MISSING;
      }
      line += p.width === 0 ? text : pad(text, p.width);
    }
    return line;
  };
}

/** A function that makes the JSON object of the fields. */
function jsonMaker(fields: readonly ResolvedField[], tolerant: boolean): (ctx: Context) => string | null {
  const sorted = [...fields].sort((a, b) => (a.token < b.token ? -1 : a.token > b.token ? 1 : 0));
  const keys = sorted.map((f, i) => `${i === 0 ? "{" : ","}${JSON.stringify(toText(f.token))}:`);
  return (ctx) => {
    let text = "";
    for (let i = 0; i < sorted.length; i++) {
      const value = fieldJson(sorted[i] as ResolvedField, ctx);
      if (value === undefined && !tolerant) return null;
      text += keys[i];
      text += value ?? "null";
    }
    return text === "" ? "{}" : `${text}}`;
  };
}

/**
 * Compiles a format. `format` is text as the user wrote it (UTF-16), with `%field`, `%field[arg]`, `%20field` (padded or
 * cut to 20 bytes) and `%transformer(field)`; a leading "*" prints "<NA>" for missing values instead of suppressing the
 * line. Throws FormatError with the position, what was expected and the nearest field name.
 */
export function compileFormat(format: string, options: FormatOptions = {}): Format {
  return compileFormatBytes(toBytes(format), options);
}

/** The same for a format that is a byte string already. */
export function compileFormatBytes(format: string, options: FormatOptions = {}): Format {
  const registry = options.registry ?? builtinFields;
  const star = format.startsWith("*");
  const tolerant = star || options.tolerant === true;
  let pieces: Piece[];
  try {
    pieces = parse(star ? format.slice(1) : format, registry);
  } catch (e) {
    if (!star || !(e instanceof FormatError)) throw e;
    throw new FormatError(e.problem, format, e.position + 1, e.nearest, e.unknownField);
  }
  const fields = new Map<string, ResolvedField>();
  const names: string[] = [];
  for (const { token } of pieces) {
    if (token === null) continue;
    names.push(...token.names);
    for (const f of token.fields) fields.set(f.token, f);
  }
  const list = [...fields.values()];
  const line = pieces.length > MAX_GENERATED ? looper(pieces, tolerant) : joiner(pieces, tolerant);
  const json = jsonMaker(list, tolerant);
  if (options.recorded !== true) return { text: line, json, fields: list, names };
  const recorded = new RecordedContext();
  return {
    text: (ctx) => line(recorded.of(ctx)),
    json: (ctx) => json(recorded.of(ctx)),
    fields: list,
    names,
  };
}
