// SPDX-License-Identifier: Apache-2.0
// Values of thread-only fields outlast events that change descriptors at most: readers rely on it when they pass events over.
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Extractor } from "../../lib/fields/field.ts";
import { bindField, builtinFields } from "../../lib/fields/registry.ts";
import { isThreadOnly } from "../../lib/fields/thread_only.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { descriptorTypes, HANDLERS } from "../../lib/sinsp/handlers/index.ts";
import { type Context, Inspector } from "../../lib/sinsp/inspector.ts";
import { ROOT, sharedPath, sharedTest } from "../support/shared.ts";

/** Arguments for fields that need one or give something else with one. */
const WITH_ARGUMENT = [
  "proc.aname[1]",
  "proc.apid[2]",
  "proc.acmdline[1]",
  "proc.env[PATH]",
  "proc.args[0]",
  "fd.types[0]",
];

const FIELDS: [string, Extractor][] = [
  ...builtinFields.classes.flatMap((c) => c.fields.filter((f) => f.arg?.required !== true).map((f) => f.name)),
  ...WITH_ARGUMENT,
].flatMap((name): [string, Extractor][] => {
  const { extract } = bindField(name);
  return isThreadOnly(extract) ? [[name, extract]] : [];
});

const HARMLESS = descriptorTypes(HANDLERS);

/** Looks at the threads of descriptor events before and after them; gives how many it saw. */
async function look(path: string): Promise<number> {
  const inspector = new Inspector(await openCapture(path));
  const values = (thread: Context["thread"]): unknown[] => {
    const ctx = Object.create(inspector, { thread: { value: thread } }) as Context;
    return FIELDS.map(([, extract]) => extract(ctx));
  };
  let seen = 0;
  let last: Context["thread"] = null;
  do {
    let before = values(last);
    for (let code = inspector.next(); code === NEXT.EVENT || code === NEXT.SECTION; code = inspector.next()) {
      if (code === NEXT.EVENT && last !== null && HARMLESS[inspector.ev.type] === 1) {
        seen++;
        const after = values(last);
        FIELDS.forEach(([name], i) => {
          if (!Bun.deepEquals(after[i], before[i])) throw new Error(`event ${inspector.ev.num} changes ${name}`);
        });
      }
      last = inspector.thread;
      before = values(last);
    }
  } while (await inspector.more());
  await inspector.source.close();
  return seen;
}

test("thread-only fields are there, and none that looks at descriptors is among them", () => {
  const names = FIELDS.map(([name]) => name);
  expect(names.length).toBeGreaterThan(60);
  expect(names).toContain("proc.aname[1]");
  for (const name of ["fd.types[0]", "proc.fdopencount", "proc.fdusage", "proc.stdin.type"])
    expect(names).not.toContain(name);
});

test("attack.scap.gz", async () => {
  expect(await look(join(ROOT, "captures/attack.scap.gz"))).toBeGreaterThan(500);
});

for (const name of ["fds", "files", "intrusion", "net6"]) {
  sharedTest(`${name}.scap.gz`, async () => {
    expect(await look(sharedPath("golden", `${name}.scap.gz`))).toBeGreaterThan(500);
  });
}
sharedTest("curl_google.scap", async () => {
  expect(await look(sharedPath("captures", "curl_google.scap"))).toBeGreaterThan(100);
});
