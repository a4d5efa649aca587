// SPDX-License-Identifier: Apache-2.0
// Formats: text with %fields in it, compiled once into a function that makes a line of an event.

import { VARIES } from "../fields/field.ts";
import { LineWriter } from "../fields/line_writer.ts";
import { builtinFields, type FieldRegistry, type ResolvedField } from "../fields/registry.ts";
import { display } from "../fields/settings.ts";
import { type FieldWriter, INTEGER, jsonWriterOf, valueText } from "../fields/values.ts";
import { toBytes, toText } from "../scap/bytes.ts";
import { EVENT_MAX } from "../schema/events.ts";
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
  /** Writes the same; false, with nothing written, instead of null. */
  write(ctx: Context, out: LineWriter): boolean;
  /**
   * A JSON object of the fields, keys sorted, values typed, null for missing ones: a byte string that holds UTF-8. Null
   * when a value is missing and the format has no leading "*".
   */
  json(ctx: Context): string | null;
  /** Writes the same; false, with nothing written, instead of null. */
  writeJson(ctx: Context, out: LineWriter): boolean;
  /** The fields in the order of their first appearance, each once; those inside of transformers too. */
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

type Writer = FieldWriter;

/** The fastest way to write a token. */
function tokenWriter(token: Token): Writer {
  const f = token.field;
  if (f?.write !== undefined) return f.write;
  const plain = f !== null && f.text === undefined && !f.list ? f : null;
  if (plain !== null && plain.type === PT.CHARBUF) {
    const extract = plain.extract as (ctx: Context) => string | undefined;
    return (ctx, out) => {
      const v = extract(ctx);
      if (v === undefined) return false;
      out.str(v);
      return true;
    };
  }
  if (plain !== null && INTEGER.has(plain.type) && (plain.format === PF.ID || plain.format === PF.DEC)) {
    const extract = plain.extract;
    return (ctx, out) => {
      const v = extract(ctx);
      if (v === undefined) return false;
      // Negative numbers of unsigned types are shown otherwise.
      if (typeof v === "number" && v >= 0) out.dec(v);
      else out.str(valueText(v, plain.type, plain.format));
      return true;
    };
  }
  return (ctx, out) => {
    const text = token.text(ctx);
    if (text === undefined) return false;
    out.str(text);
    return true;
  };
}

/** The same, with `missing` for a missing value. */
function forgiving(write: Writer, missing: string): Writer {
  return (ctx, out) => {
    if (!write(ctx, out)) out.str(missing);
    return true;
  };
}

/** The same, padded with blanks or cut. */
function fitted(write: Writer, width: number): Writer {
  return (ctx, out) => {
    const start = out.at;
    if (!write(ctx, out)) return false;
    out.fit(start, width);
    return true;
  };
}

/** Most values for which a function of its own is made. */
const MAX_GENERATED = 200;

/**
 * A function that calls the writers one after the other and, when one has no value, takes everything back and says
 * false. The generated source holds nothing but these fixed words; writers are passed in. Every call in it has one
 * target only, which is what makes it fast.
 */
function sequence(writers: readonly Writer[]): Writer {
  if (writers.length > MAX_GENERATED) {
    return (ctx, out) => {
      const start = out.at;
      for (const write of writers) {
        if (write(ctx, out)) continue;
        out.at = start;
        return false;
      }
      return true;
    };
  }
  const names = writers.map((_, i) => `w${i}`);
  const calls = names.map((name) => `if (!${name}(ctx, out)) { out.at = start; return false; }\n`).join("");
  const make = new Function(
    ...names,
    `return function write(ctx, out) {\nconst start = out.at;\n${calls}return true;\n};`,
  );
  return make(...writers) as Writer;
}

function literal(text: string): Writer {
  const only = text.length === 1 ? text.charCodeAt(0) : -1;
  if (only >= 0) {
    return (_, out) => {
      out.byte(only);
      return true;
    };
  }
  return (_, out) => {
    out.str(text);
    return true;
  };
}

/** A part of a line: how to write it and, where only the event's type matters, its text by event id. */
interface Part {
  readonly write: Writer;
  readonly constant: ((eventId: number) => string | typeof VARIES) | null;
}

function literalPart(text: string): Part {
  return { write: literal(text), constant: () => text };
}

function tokenPart(token: Token, tolerant: boolean, width: number): Part {
  let write = tokenWriter(token);
  if (tolerant) write = forgiving(write, MISSING);
  if (width > 0) write = fitted(write, width);
  const f = token.field;
  const byEventType = f?.byEventType;
  if (byEventType === undefined || f === null || width > 0 || f.text !== undefined) return { write, constant: null };
  const constant = (id: number): string | typeof VARIES => {
    const v = byEventType(id);
    if (v === VARIES || (v === undefined && !tolerant)) return VARIES;
    return v === undefined ? MISSING : valueText(v, f.type, f.format);
  };
  return { write, constant };
}

/** Text of all parts for an event type; null when one of them needs more than the type. */
function constantText(parts: readonly Part[], id: number): string | null {
  let text = "";
  for (const p of parts) {
    const piece = p.constant === null ? VARIES : p.constant(id);
    if (piece === VARIES) return null;
    text += piece;
  }
  return text;
}

/** Neighbours that depend on the event's type only, made into one text per type when it first comes. */
function folded(parts: readonly Part[]): Writer {
  const texts: (string | null | undefined)[] = new Array(EVENT_MAX).fill(undefined);
  const write = sequence(parts.map((p) => p.write));
  return (ctx, out) => {
    const id = ctx.ev.type;
    let text = texts[id];
    if (text === undefined) {
      text = constantText(parts, id);
      texts[id] = text;
    }
    if (text === null) return write(ctx, out);
    out.str(text);
    return true;
  };
}

/** A writer that is made when it is first called: most formats of a rule file are only checked. */
function lazy(make: () => Writer): Writer {
  let write: Writer | null = null;
  return (ctx, out) => {
    if (write === null) write = make();
    return write(ctx, out);
  };
}

function lineWriter(pieces: readonly Piece[], tolerant: boolean): Writer {
  const parts: Part[] = [];
  for (const p of pieces) {
    if (p.literal !== "") parts.push(literalPart(p.literal));
    if (p.token !== null) parts.push(tokenPart(p.token, tolerant, p.width));
  }
  const writers: Writer[] = [];
  for (let i = 0; i < parts.length; ) {
    let end = i;
    while (end < parts.length && parts[end]?.constant != null) end++;
    if (end - i > 1) writers.push(folded(parts.slice(i, end)));
    else {
      writers.push((parts[i] as Part).write);
      end = i + 1;
    }
    i = end;
  }
  return sequence(writers);
}

/** The JSON object of the fields, keys sorted. */
function jsonWriter(fields: readonly ResolvedField[], tolerant: boolean): Writer {
  const sorted = [...fields].sort((a, b) => (a.token < b.token ? -1 : a.token > b.token ? 1 : 0));
  const writers: Writer[] = [literal("{")];
  sorted.forEach((f, i) => {
    writers.push(literal(toBytes(`${i === 0 ? "" : ","}${JSON.stringify(toText(f.token))}:`)));
    const write = jsonWriterOf(f);
    writers.push(tolerant ? forgiving(write, "null") : write);
  });
  writers.push(literal("}"));
  const write = sequence(writers);
  return (ctx, out) => {
    // Programs read this: buffers are not cut to fit a line.
    const limit = display.bufferLimit;
    display.bufferLimit = 0;
    const written = write(ctx, out);
    display.bufferLimit = limit;
    return written;
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
  const line = () => lineWriter(pieces, tolerant);
  const json = () => jsonWriter(list, tolerant);
  return options.recorded === true
    ? new CompiledFormat(recorded(line), recorded(json), list, names)
    : new CompiledFormat(line, json, list, names);
}

/** Makes a writer that sees events as they were recorded. */
function recorded(make: () => Writer): () => Writer {
  return () => {
    const write = make();
    const context = new RecordedContext();
    return (ctx, out) => write(context.of(ctx), out);
  };
}

const scratch = new LineWriter();

class CompiledFormat implements Format {
  readonly write: Writer;
  readonly writeJson: Writer;

  constructor(
    makeLine: () => Writer,
    makeJson: () => Writer,
    readonly fields: readonly ResolvedField[],
    readonly names: readonly string[],
  ) {
    this.write = lazy(makeLine);
    this.writeJson = lazy(makeJson);
  }

  text(ctx: Context): string | null {
    return this.write(ctx, scratch) ? scratch.take() : null;
  }

  json(ctx: Context): string | null {
    return this.writeJson(ctx, scratch) ? scratch.take() : null;
  }
}
