// SPDX-License-Identifier: Apache-2.0
// What is remembered by the names of descriptors: the marked fields follow from kind and name, and memories keep to that.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { fdName } from "../../lib/fields/fd.ts";
import type { Extractor } from "../../lib/fields/field.ts";
import { isNameOnly, nameMemory } from "../../lib/fields/name_only.ts";
import { builtinFields } from "../../lib/fields/registry.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { type Context, Inspector } from "../../lib/sinsp/inspector.ts";
import { ROOT, sharedPath, sharedTest } from "../support/shared.ts";

const MARKED: [string, Extractor][] = builtinFields.classes.flatMap((c) =>
  c.fields.flatMap((f): [string, Extractor][] => {
    if (f.arg?.required === true) return [];
    const { extract } = builtinFields.resolve(f.name, null);
    return isNameOnly(extract) ? [[f.name, extract]] : [];
  }),
);

async function each(path: string, see: (ctx: Context) => void): Promise<void> {
  const inspector = new Inspector(await openCapture(path));
  do {
    for (let code = inspector.next(); code === NEXT.EVENT || code === NEXT.SECTION; code = inspector.next())
      if (code === NEXT.EVENT) see(inspector);
  } while (await inspector.more());
  await inspector.source.close();
}

test("fd.name, fd.directory and fd.filename are marked", () => {
  expect(MARKED.map(([name]) => name).sort()).toEqual(["fd.directory", "fd.filename", "fd.name"]);
});

/** Conditions over marked fields are what they would be without a memory. */
async function agrees(path: string): Promise<number> {
  const conditions = MARKED.flatMap(([name, extract]) =>
    [/[aeiou]$/, /^.{0,9}$/, /./].map((pattern) => ({
      name,
      memory: nameMemory(fdName),
      decide: (ctx: Context): boolean => pattern.test(String(extract(ctx))),
    })),
  );
  let remembered = 0;
  await each(path, (ctx) => {
    for (const { name, memory, decide } of conditions) {
      let asked = false;
      const got = memory(ctx, (c) => {
        asked = true;
        return decide(c);
      });
      if (!asked) remembered++;
      if (got !== decide(ctx)) throw new Error(`event ${ctx.ev.num}: ${name} of ${fdName(ctx)}`);
    }
  });
  return remembered;
}

test("a memory gives what the condition gives: attack.scap.gz", async () => {
  expect(await agrees(join(ROOT, "captures/attack.scap.gz"))).toBeGreaterThan(1000);
});

for (const name of ["files", "fds", "mixed", "net4", "net6"]) {
  sharedTest(`a memory gives what the condition gives: ${name}.scap.gz`, async () => {
    expect(await agrees(sharedPath("golden", `${name}.scap.gz`))).toBeGreaterThan(1000);
  });
}

test("a memory holds a bounded number of names", async () => {
  const memory = nameMemory(() => name);
  let name = "";
  let asked = 0;
  const decide = (): boolean => {
    asked++;
    return name.endsWith("7");
  };
  const inspector = new Inspector(await openCapture(join(ROOT, "captures/attack.scap.gz")));
  // Any event will do: the name is this test's own.
  while (inspector.next() !== NEXT.EVENT) await inspector.more();
  const ask = (text: string): boolean => {
    name = text;
    return memory(inspector, decide);
  };
  for (let i = 0; i < 20_000; i++) expect(ask(`/n${i}`)).toBe(i % 10 === 7);
  expect(asked).toBe(20_000);
  expect(ask("/n19997")).toBe(true);
  expect(asked).toBe(20_000);
  // Long forgotten.
  expect(ask("/n7")).toBe(true);
  expect(asked).toBe(20_001);
  await inspector.source.close();
});
