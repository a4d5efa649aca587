// SPDX-License-Identifier: Apache-2.0
// Events that nobody looks at may be passed over: what is seen of the others stays the same, field by field.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { demandOf } from "../../lib/fields/demand.ts";
import { builtinFields } from "../../lib/fields/registry.ts";
import { checkFilter } from "../../lib/filter/checker.ts";
import { compileFilter, threadPart } from "../../lib/filter/compile.ts";
import { eventTypesOf } from "../../lib/filter/event_types.ts";
import { parseFilter } from "../../lib/filter/parser.ts";
import { ScapFormatError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EVENT_MAX, EVENTS } from "../../lib/schema/events.ts";
import { type Context, Inspector, type InspectorOptions, type ThreadCondition } from "../../lib/sinsp/inspector.ts";
import { HAS_SHARED, ROOT, sharedPath, sharedTest } from "../support/shared.ts";

type Extract = (ctx: Context) => unknown;

/** All fields that need no argument, by name. */
const ALL: [string, Extract][] = builtinFields.classes.flatMap((c) =>
  c.fields.flatMap((f): [string, Extract][] =>
    f.arg?.required === true ? [] : [[f.name, builtinFields.resolve(f.name, null).extract]],
  ),
);

function fieldsFor(figures: boolean): [string, Extract][] {
  return ALL.filter(([name]) => {
    // Counts how often it was asked for.
    if (name === "util.cnt") return false;
    const demand = demandOf([name]);
    return !demand.everyEvent && (figures || !demand.figures);
  });
}

interface Seen {
  /** By number of the event: a JSON text of the fields. */
  events: Map<number, string>;
  total: number;
  delivered: number;
}

/** Goes on; a damaged file ends where the damage is. */
function more(inspector: Inspector): Promise<boolean> {
  return inspector.more().catch((error) => {
    if (error instanceof ScapFormatError) return false;
    throw error;
  });
}

/** The shown events that are wanted, with their fields. */
async function see(
  path: string,
  wanted: (ctx: Context) => boolean,
  fields: [string, Extract][],
  options: InspectorOptions,
): Promise<Seen> {
  const source = await openCapture(path);
  const inspector = new Inspector(source, options);
  const seen: Seen = { events: new Map(), total: 0, delivered: 0 };
  do {
    for (let code = inspector.next(); code === NEXT.EVENT || code === NEXT.SECTION; code = inspector.next()) {
      if (code === NEXT.SECTION) continue;
      seen.delivered++;
      if (inspector.hidden || !wanted(inspector)) continue;
      const values = fields.map(([, extract]) => extract(inspector) ?? null);
      const text = JSON.stringify(values, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
      seen.events.set(inspector.ev.num, text);
    }
  } while (await more(inspector));
  seen.total = source.stats().events;
  await source.close();
  return seen;
}

/** Every `stride`-th event type from `first` on. */
function types(first: number, stride: number): Uint8Array {
  const wanted = new Uint8Array(EVENT_MAX);
  for (let id = first; id < EVENT_MAX; id += stride) wanted[id] = 1;
  return wanted;
}

/** Compares what is seen of the wanted events when all are read with what is seen under `options`. */
async function compare(
  path: string,
  wanted: (ctx: Context) => boolean,
  options: InspectorOptions,
  fields = fieldsFor(options.figures !== false),
): Promise<void> {
  const all = await see(path, wanted, fields, {});
  const some = await see(path, wanted, fields, options);
  expect([...some.events.keys()]).toEqual([...all.events.keys()]);
  for (const [num, text] of all.events) {
    if (some.events.get(num) === text) continue;
    const [want, got] = [JSON.parse(text), JSON.parse(some.events.get(num) as string)];
    const wrong = fields.flatMap(([name], i) => (Bun.deepEquals(want[i], got[i]) ? [] : [[name, want[i], got[i]]]));
    expect({ num, wrong }).toEqual({ num, wrong: [] });
  }
  expect(some.total).toBe(all.total);
}

/** Filters that are conditions on threads for most types. */
const THREAD_FILTERS = ["proc.name startswith c", "evt.type != read and proc.pname contains a", "not user.uid = 0"];

async function compareAll(path: string): Promise<void> {
  for (const [figures, first] of [
    [true, 0],
    [false, 1],
  ] as const) {
    const wanted = types(first, 5);
    await compare(path, (ctx) => wanted[ctx.ev.type] === 1, { wanted, figures });
  }
  for (const text of THREAD_FILTERS) {
    const checked = checkFilter(parseFilter(text), builtinFields);
    const threads = threadPart(checked);
    if (threads === null) throw new Error(`no condition on threads in '${text}'`);
    // Many events: a sample of the fields will do.
    const fields = fieldsFor(false).filter((_, i) => i % 12 === 0);
    await compare(path, compileFilter(checked), { wanted: eventTypesOf(checked.ast), threads, figures: false }, fields);
  }
}

describe("events passed over change nothing for the others", () => {
  for (const name of readdirSync(join(ROOT, "captures")).filter((n) => /\.scap/.test(n))) {
    test(name, () => compareAll(join(ROOT, "captures", name)), 60_000);
  }
  for (const dir of HAS_SHARED ? ["golden", "captures"] : []) {
    for (const name of readdirSync(sharedPath(dir)).filter((n) => /\.scap/.test(n))) {
      sharedTest(`${dir}/${name}`, () => compareAll(sharedPath(dir, name)), 60_000);
    }
  }
  if (!HAS_SHARED) sharedTest("reference captures", () => {});
});

describe("events are really passed over", () => {
  const path = join(ROOT, "captures", "attack.scap.gz");

  test("whose type nobody wants", async () => {
    const wanted = Uint8Array.from(EVENTS, (e) => (e.name === "execve" ? 1 : 0));
    const isWanted = (ctx: Context): boolean => wanted[ctx.ev.type] === 1;
    const all = await see(path, isWanted, [], {});
    const some = await see(path, isWanted, [], { wanted, figures: false });
    expect(some.delivered).toBeLessThan(all.delivered / 2);
    expect(some.events.size).toBe(all.events.size);
  });

  test("whose thread nobody wants", async () => {
    const checked = checkFilter(parseFilter("proc.name = none"), builtinFields);
    const threads = threadPart(checked) as ThreadCondition;
    const all = await see(path, () => true, [], {});
    const some = await see(path, () => true, [], { wanted: eventTypesOf(checked.ast), threads, figures: false });
    expect(some.delivered).toBeLessThan(all.delivered / 2);
  });
});

test("threadPart() finds conditions on threads only", () => {
  const part = (text: string): ThreadCondition | null => threadPart(checkFilter(parseFilter(text), builtinFields));
  for (const text of [
    "fd.name = a",
    "evt.type = open",
    "proc.name = a and fd.name = b",
    "proc.duration > 1",
    "proc.aname = a",
  ]) {
    expect([text, part(text)]).toEqual([text, null]);
  }
  expect(part("evt.type = openat and proc.name = a")?.types.reduce((n, v) => n + v, 0)).toBeLessThan(10);
  expect(part("proc.name = a")?.types[0]).toBe(1);
});
