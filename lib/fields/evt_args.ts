// SPDX-License-Identifier: Apache-2.0
// The parameters of an event as fields: evt.args, evt.arg, evt.rawarg, evt.buffer.
import type { EventCursor } from "../scap/cursor.ts";
import { EVENTS, PARAM_SIZE, type ParamInfo } from "../schema/events.ts";
import { EV, PF, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import { bufferText } from "./buffer_text.ts";
import { argField, argRule, field, text } from "./define.ts";
import { type Field, FieldArgError, type Value } from "./field.ts";
import type { LineWriter } from "./line_writer.ts";
import { argsText, argText, plainArgText, writeArgs } from "./params.ts";
import { scalarText } from "./values.ts";

let positions: Map<string, Int8Array> | undefined;

/** Position of a parameter by event id, −1 where the event type has none of that name. */
export function paramPositions(name: string): Int8Array | undefined {
  positions ??= allPositions();
  return positions.get(name);
}

/** The positions of every name. When an event has a name twice, the first counts. */
function allPositions(): Map<string, Int8Array> {
  const byName = new Map<string, Int8Array>();
  for (const { id, params } of EVENTS) {
    for (let i = params.length - 1; i >= 0; i--) {
      const { name } = params[i] as ParamInfo;
      let at = byName.get(name);
      if (at === undefined) {
        at = new Int8Array(EVENTS.length).fill(-1);
        byName.set(name, at);
      }
      at[id] = i;
    }
  }
  return byName;
}

/** `paramPositions` of a name that events are known to have. */
function known(name: string): Int8Array {
  const at = paramPositions(name);
  if (at === undefined) throw new FieldArgError(`no event has a parameter named '${name}'`);
  return at;
}

/** The first event parameter of a name: gives evt.rawarg.NAME its type. */
function firstParam(name: string): ParamInfo {
  for (const e of EVENTS) {
    const p = e.params.find((q) => q.name === name);
    if (p !== undefined) return p;
  }
  throw new FieldArgError(`no event has a parameter named '${name}'`);
}

const SIGNED = new Set<number>([PT.INT8, PT.INT16, PT.INT32, PT.INT64, PT.ERRNO, PT.FD, PT.PID]);
const TEXT = new Set<number>([PT.CHARBUF, PT.FSPATH, PT.FSRELPATH]);
/** Types that have no plain value: what stands for them is their text. */
const STRUCTURED = new Set<number>([
  PT.SOCKADDR,
  PT.SOCKTUPLE,
  PT.FDLIST,
  PT.DYN,
  PT.SIGSET,
  PT.CHARBUFARRAY,
  PT.CHARBUF_PAIR_ARRAY,
]);

const DECIMALS = new Set<number>([PF.DEC, PF.ID, PF["10_PADDED_DEC"]]);

/** A parameter's value without rendering; undefined when the event does not have it. */
function rawValue(ctx: Context, ev: EventCursor, i: number, type: number): Value | undefined {
  if (i >= ev.nparams) return undefined;
  if (TEXT.has(type)) return ev.paramLength(i) === 0 ? "<NA>" : ev.str(i);
  if (type === PT.BYTEBUF) return ev.raw(i);
  if (STRUCTURED.has(type)) return plainArgText(ctx, i);
  const size = PARAM_SIZE[type] as number;
  if (size === 0 || ev.paramLength(i) < size) return undefined;
  const signed = SIGNED.has(type);
  switch (size) {
    case 1:
      return signed ? (ev.u8(i) << 24) >> 24 : ev.u8(i);
    case 2:
      return signed ? (ev.u16(i) << 16) >> 16 : ev.u16(i);
    case 4:
      return signed ? ev.i32(i) : ev.u32(i);
    case 8:
      return signed ? ev.i64Exact(i) : ev.u64Exact(i);
    default:
      return ev.raw(i);
  }
}

const dataAt = known("data");
const dataOf = (ctx: Context): string | undefined => {
  const i = dataAt[ctx.ev.type] as number;
  return i < 0 || i >= ctx.ev.nparams || EVENTS[ctx.ev.type]?.params[i]?.type !== PT.BYTEBUF
    ? undefined
    : ctx.ev.raw(i);
};

/** All parameters; the generic event's code and number say nothing and are left out. */
function writeEventArgs(ctx: Context, out: LineWriter): boolean {
  const type = ctx.ev.type;
  if (type !== EV.GENERIC_X && type !== EV.GENERIC_E) writeArgs(out, ctx);
  return true;
}

const args = (ctx: Context): string =>
  ctx.ev.type === EV.GENERIC_X || ctx.ev.type === EV.GENERIC_E ? "" : argsText(ctx);

export const EVT_ARG_FIELDS: readonly Field[] = [
  text("evt.args", "All parameters, as event lines show them: fd=3(<f>/etc/passwd) size=80", args, {
    write: writeEventArgs,
  }),
  argField(
    "evt.arg",
    PT.CHARBUF,
    argRule(true, "index", "dotted"),
    "One parameter by position or name, resolved where it can be: evt.arg[0], evt.arg.fd",
    (arg, name) => {
      if (arg !== null && "index" in arg) {
        const i = arg.index;
        return (ctx) => (i >= 0 ? argText(ctx, i) : undefined);
      }
      const at = known(name);
      return (ctx) => {
        const i = at[ctx.ev.type] as number;
        return i < 0 ? undefined : argText(ctx, i);
      };
    },
  ),
  argField(
    "evt.rawarg",
    PT.DYN,
    argRule(true, "dotted"),
    "One parameter by name as the number or bytes recorded: evt.rawarg.flags",
    (_, name) => {
      const at = known(name);
      const first = firstParam(name);
      const value = (ctx: Context): Value | undefined => {
        const i = at[ctx.ev.type] as number;
        return i < 0 ? undefined : rawValue(ctx, ctx.ev, i, EVENTS[ctx.ev.type]?.params[i]?.type as number);
      };
      return {
        extract: value,
        type: first.type,
        text: (ctx) => {
          const v = value(ctx);
          const p = EVENTS[ctx.ev.type]?.params[at[ctx.ev.type] as number];
          return v === undefined || typeof v === "object" || p === undefined
            ? undefined
            : scalarText(v, p.type, p.format);
        },
        json: (ctx) => {
          const v = value(ctx);
          const p = EVENTS[ctx.ev.type]?.params[at[ctx.ev.type] as number];
          if (v === undefined || typeof v === "object" || p === undefined) return undefined;
          // Only what is printed in decimals is a number.
          return typeof v === "string" || !DECIMALS.has(p.format) ? scalarText(v, p.type, p.format) : v;
        },
      };
    },
    { flags: { noTransformer: true, noRhs: true } },
  ),
  text("evt.info", "Same as evt.args", args, { write: writeEventArgs }),
  field("evt.buffer", PT.BYTEBUF, "Bytes read, written, sent or received, as many as were captured", dataOf, {
    text: (ctx) => {
      const data = dataOf(ctx);
      if (data === undefined) return undefined;
      return data === "" ? "NULL" : bufferText(data);
    },
  }),
];
