// SPDX-License-Identifier: Apache-2.0
// The state after each event of the reference captures equals what the reference says in proc.*, fd.*, user.* … fields.

import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { toText } from "../../lib/scap/bytes.ts";
import { ScapFormatError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { sharedPath, sharedTest } from "../support/shared.ts";
import { STATE_FIELDS, stateField } from "./golden_fields.ts";

/** Capture files and the least share of equal values; below 1 where test/golden/DIFFERENCES.md says why. */
const CAPTURES: readonly (readonly [string, number])[] = [
  ["concat.scap.gz", 0.9985],
  ["events.scap.gz", 1],
  ["fds.scap.gz", 0.999],
  ["files.scap.gz", 1],
  ["intrusion.scap.gz", 0.9995],
  ["mixed.scap.gz", 0.9999],
  ["mounts.scap.gz", 1],
  ["net4.scap.gz", 0.9999],
  ["net6.scap.gz", 0.998],
  ["sched.scap.gz", 1],
  ["snap4096.scap.gz", 0.9998],
  ["suspicious.scap.gz", 0.9999],
  ["trunc-event.scap", 1],
  ["trunc-gzip.scap.gz", 1],
  ["users.scap.gz", 0.997],
];

type Line = Record<string, unknown>;

function readLines(name: string): Map<number, Line> {
  const packed = readFileSync(sharedPath("golden", `${name}.fields.jsonl.gz`));
  const lines = new Map<number, Line>();
  for (const line of Buffer.from(Bun.gunzipSync(packed)).toString("utf8").split("\n")) {
    if (line === "") continue;
    const values = JSON.parse(line) as Line;
    lines.set(values["evt.num"] as number, values);
  }
  return lines;
}

/** Compares the current event; returns [equal, different]. */
function compare(insp: Inspector, wanted: Line): [number, number] {
  let equal = 0;
  let different = 0;
  for (const field of STATE_FIELDS) {
    const ofFd = field.startsWith("fd.") && field !== "fd.num";
    // What the reference makes of a descriptor it does not know is not state.
    if (ofFd && insp.fd === null && wanted["fd.type"] === undefined) continue;
    const value = stateField(insp, field);
    let want = wanted[field];
    // The reference gives 0 and "missing" for the same thing here.
    if (field === "proc.pid.ts" && want === 0) want = undefined;
    if ((typeof value === "string" ? toText(value) : value) === want) equal++;
    else different++;
  }
  return [equal, different];
}

for (const [file, share] of CAPTURES) {
  const name = file.replace(/\.scap(\.gz)?$/, "");
  sharedTest(`state of ${name}: at least ${share * 100} % of the values are the reference's`, async () => {
    const lines = readLines(name);
    const insp = new Inspector(await openCapture(sharedPath("golden", file)));
    let equal = 0;
    let different = 0;
    let compared = 0;
    try {
      do {
        for (let code = insp.next(); code === NEXT.EVENT || code === NEXT.SECTION; code = insp.next()) {
          const wanted = code === NEXT.EVENT && !insp.hidden ? lines.get(insp.ev.num) : undefined;
          if (wanted === undefined) continue;
          compared++;
          const [e, d] = compare(insp, wanted);
          equal += e;
          different += d;
        }
      } while (await insp.more());
    } catch (error) {
      if (!name.startsWith("trunc-") || !(error instanceof ScapFormatError)) throw error;
    }
    expect(compared).toBe(lines.size);
    expect(equal / (equal + different)).toBeGreaterThanOrEqual(share);
  });
}
