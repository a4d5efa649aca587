// SPDX-License-Identifier: Apache-2.0
// Pieces of work that benchmarks run in a process of their own: `work.ts walk|convert FILE`.
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";

/** Visits every event: header, thread id and type. Returns their number. */
async function walk(path: string, asRecorded: boolean): Promise<number> {
  const source = await openCapture(path, { asRecorded });
  const { cursor } = source;
  let events = 0;
  let check = 0;
  do {
    while (source.next() === NEXT.EVENT) {
      check ^= cursor.tid ^ cursor.type;
      events++;
    }
  } while (await source.more());
  await source.close();
  // Said, so that reading the fields cannot be left out.
  process.stdout.write(`${check} `);
  return events;
}

const [what, path] = process.argv.slice(2);
if (path === undefined || (what !== "walk" && what !== "convert")) throw new Error("usage: work.ts walk|convert FILE");
process.stdout.write(`${await walk(path, what === "walk")}\n`);
