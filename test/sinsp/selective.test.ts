// SPDX-License-Identifier: Apache-2.0
// Events that nobody looks at may be passed over: what is seen of the others stays the same, field by field.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { demandOf } from "../../lib/fields/demand.ts";
import { builtinFields } from "../../lib/fields/registry.ts";
import { ScapFormatError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EVENT_MAX, EVENTS } from "../../lib/schema/events.ts";
import { type Context, Inspector, type InspectorOptions } from "../../lib/sinsp/inspector.ts";
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

/** The shown events of the wanted types with their fields. */
async function see(
  path: string,
  wanted: Uint8Array,
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
      if (inspector.hidden || wanted[inspector.ev.type] !== 1) continue;
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

async function compare(path: string): Promise<void> {
  for (const [figures, first] of [
    [true, 0],
    [false, 1],
  ] as const) {
    const fields = fieldsFor(figures);
    const wanted = types(first, 5);
    const all = await see(path, wanted, fields, {});
    const some = await see(path, wanted, fields, { wanted, figures });
    expect([...some.events.keys()]).toEqual([...all.events.keys()]);
    for (const [num, text] of all.events) {
      if (some.events.get(num) === text) continue;
      const [want, got] = [JSON.parse(text), JSON.parse(some.events.get(num) as string)];
      const wrong = fields.flatMap(([name], i) => (Bun.deepEquals(want[i], got[i]) ? [] : [[name, want[i], got[i]]]));
      expect({ num, wrong }).toEqual({ num, wrong: [] });
    }
    expect(some.total).toBe(all.total);
  }
}

describe("events passed over change nothing for the others", () => {
  for (const name of readdirSync(join(ROOT, "captures")).filter((n) => /\.scap/.test(n))) {
    test(name, () => compare(join(ROOT, "captures", name)), 60_000);
  }
  for (const dir of HAS_SHARED ? ["golden", "captures"] : []) {
    for (const name of readdirSync(sharedPath(dir)).filter((n) => /\.scap/.test(n))) {
      sharedTest(`${dir}/${name}`, () => compare(sharedPath(dir, name)), 60_000);
    }
  }
  if (!HAS_SHARED) sharedTest("reference captures", () => {});
});

test("events are really passed over", async () => {
  const wanted = Uint8Array.from(EVENTS, (e) => (e.name === "execve" ? 1 : 0));
  const path = join(ROOT, "captures", "attack.scap.gz");
  const all = await see(path, wanted, [], {});
  const some = await see(path, wanted, [], { wanted, figures: false });
  expect(some.delivered).toBeLessThan(all.delivered);
  expect(some.events.size).toBe(all.events.size);
});
