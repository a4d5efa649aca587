// SPDX-License-Identifier: Apache-2.0
// A small set of fields of every kind whose values a test gives, so that filters can be tried without events.
import { type Field, type FieldArg, type FieldClass, type Scalar, VARIES, type Value } from "../../lib/fields/field.ts";
import { FieldRegistry } from "../../lib/fields/registry.ts";
import { EVENTS, eventsByName } from "../../lib/schema/events.ts";
import { PT } from "../../lib/schema/tables/enums.ts";
import type { Context } from "../../lib/sinsp/inspector.ts";

/** Values by field as written; arrays for list fields and for all candidates of a field with several. */
export type Values = Readonly<Record<string, Value | undefined>>;

interface FakeContext {
  ev: { type: number };
  values: Values;
}

/** A context with an event type and values. */
export function fakeContext(values: Values, event = "open"): Context {
  const type = eventsByName(event).at(-1)?.id ?? 1;
  const fake: FakeContext = { ev: { type }, values };
  return fake as unknown as Context;
}

function valuesOf(ctx: Context): Values {
  return (ctx as unknown as FakeContext).values;
}

interface Shape {
  list?: boolean;
  multi?: "ancestors" | "ends";
  hosts?: boolean;
  arg?: boolean;
  noRhs?: boolean;
}

function fake(name: string, type: number, shape: Shape = {}): Field {
  const record: Field = {
    name,
    type,
    format: 0,
    list: shape.list ?? false,
    arg: shape.arg ? { required: false, index: true, key: true, dotted: false } : null,
    flags: { noRhs: shape.noRhs ?? false, noTransformer: shape.multi !== undefined },
    doc: "",
    bind(arg: FieldArg, raw: string) {
      const key = arg === null ? name : `${name}[${raw}]`;
      const several = (ctx: Context) => valuesOf(ctx)[key] as readonly Scalar[] | undefined;
      const extract = (ctx: Context): Value | undefined => {
        const v = valuesOf(ctx)[key];
        return shape.multi === undefined ? v : Array.isArray(v) ? v[0] : undefined;
      };
      const bound = { extract, type, format: 0, list: record.list };
      if (shape.hosts) {
        return {
          ...bound,
          all: (ctx: Context) => {
            const v = valuesOf(ctx)[`${name}/address`];
            return v === undefined ? undefined : [v as Scalar];
          },
        };
      }
      return shape.multi !== undefined && arg === null ? { ...bound, all: several } : bound;
    },
  };
  if (shape.multi !== undefined) record.multi = shape.multi;
  return record;
}

/** evt.type, whose value is the event's name; generic events say that it varies. */
const eventType: Field = {
  ...fake("evt.type", PT.CHARBUF),
  bind: () => ({
    extract: (ctx) => EVENTS[ctx.ev.type]?.name,
    byEventType: (id) => (id < 2 ? VARIES : EVENTS[id]?.name),
    type: PT.CHARBUF,
    format: 0,
    list: false,
  }),
};

const CLASS: FieldClass = {
  name: "test",
  shortDoc: "",
  doc: "Fields for tests",
  sources: [],
  hidden: false,
  fields: [
    eventType,
    fake("t.text", PT.CHARBUF, { arg: true }),
    fake("t.other", PT.CHARBUF),
    fake("t.path", PT.FSPATH),
    fake("t.int", PT.INT64),
    fake("t.int2", PT.INT64),
    fake("t.small", PT.INT16),
    fake("t.uint", PT.UINT32),
    fake("t.big", PT.UINT64),
    fake("t.ratio", PT.DOUBLE),
    fake("t.bool", PT.BOOL),
    fake("t.port", PT.PORT),
    fake("t.buffer", PT.BYTEBUF),
    fake("t.ip", PT.IPADDR),
    fake("t.net", PT.IPNET),
    fake("t.list", PT.CHARBUF, { list: true }),
    fake("t.list2", PT.CHARBUF, { list: true }),
    fake("t.any", PT.CHARBUF, { multi: "ancestors", noRhs: true }),
    fake("t.ends", PT.IPADDR, { multi: "ends", noRhs: true }),
    fake("t.ports", PT.PORT, { multi: "ends", noRhs: true }),
    fake("t.host", PT.CHARBUF, { hosts: true }),
    fake("t.tuple", PT.SOCKTUPLE),
    fake("t.norhs", PT.CHARBUF, { noRhs: true }),
  ],
};

export const fakeFields = new FieldRegistry([CLASS]);
