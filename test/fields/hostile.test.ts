// SPDX-License-Identifier: Apache-2.0
// Events of every type with parameters of any length and content: fields give a value or none, and never throw.
import { expect, test } from "bun:test";
import type { Field } from "../../lib/fields/field.ts";
import { fieldClasses, type ResolvedField, resolveField } from "../../lib/fields/registry.ts";
import { fieldJson, fieldText } from "../../lib/fields/values.ts";
import { compileFormat } from "../../lib/format/formatter.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EVENTS } from "../../lib/schema/events.ts";
import type { EV } from "../../lib/schema/tables/enums.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { type EventSpec, MemorySource } from "../support/events.ts";
import { oneProcess } from "./lines.ts";

/** Numbers that look random and are the same every time. */
function random(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 4294967296;
  };
}

/** Every field, with an argument where it needs one. */
function everyField(): ResolvedField[] {
  const argument = (f: Field): [string, string | null] => {
    if (f.arg === null) return [f.name, null];
    if (f.name === "evt.type.is") return ["evt.type.is.open", null];
    if (f.name === "evt.abspath") return ["evt.abspath.dst", null];
    if (f.arg.dotted && !f.arg.index) return [f.name === "thread.cgroup" ? `${f.name}.cpu` : `${f.name}.data`, null];
    return f.arg.index ? [f.name, "1"] : [f.name, "x"];
  };
  return fieldClasses().flatMap((c) => c.fields.map((f) => resolveField(...argument(f))));
}

function parsed(field: string, json: string): void {
  try {
    JSON.parse(json);
  } catch {
    throw new Error(`${field}: ${json.slice(0, 100)}`);
  }
}

test("no field throws on events of any content", () => {
  const next = random(7);
  const events: EventSpec[] = [];
  for (let round = 0; round < 4; round++) {
    for (const e of EVENTS) {
      const params = e.params.map(() => {
        const length = [0, 1, 2, 3, 4, 7, 8, 9, 13, 16, 19, 37, 60][Math.floor(next() * 13)] as number;
        return Uint8Array.from({ length }, () => (next() < 0.3 ? Math.floor(next() * 11) : Math.floor(next() * 256)));
      });
      events.push({ type: e.key as keyof typeof EV, params, tid: next() < 0.5 ? 100 : Math.floor(next() * 1000) });
    }
  }
  const fields = everyField();
  const line = compileFormat("*%evt.num %evt.time %proc.name %evt.type %evt.args", { recorded: true });
  const inspector = new Inspector(new MemorySource([{ state: oneProcess(), events }]));
  let seen = 0;
  while (inspector.next() === NEXT.EVENT) {
    seen++;
    expect(line.text(inspector)).toBeString();
    expect(() => JSON.parse(Buffer.from(line.json(inspector) ?? "", "latin1").utf8Slice())).not.toThrow();
    // All fields of some events, so that the test stays short.
    if (seen % 3 !== 0) continue;
    for (const f of fields) {
      const text = fieldText(f, inspector);
      const json = fieldJson(f, inspector);
      if (text !== undefined && typeof text !== "string") throw new Error(`${f.token}: ${typeof text}`);
      if (json !== undefined) parsed(f.token, json);
      f.all?.(inspector);
    }
  }
  expect(seen).toBe(events.length);
});
