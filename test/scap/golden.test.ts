// SPDX-License-Identifier: Apache-2.0
// Every reference capture opens and has as many events of each type as the reference (or sysdig) counts.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EVENTS } from "../../lib/schema/events.ts";
import { EC, EV } from "../../lib/schema/tables/enums.ts";
import { HAS_SHARED, sharedPath, sharedTest } from "../support/shared.ts";

/** Users and groups at the start are for the state; the reference does not count them. */
const INTERNAL = new Set<number>([EV.USER_ADDED_E, EV.USER_DELETED_E, EV.GROUP_ADDED_E, EV.GROUP_DELETED_E]);

async function countTypes(path: string): Promise<{ counts: Map<number, number>; error: Error | null }> {
  const source = await openCapture(path, { asRecorded: true });
  const counts = new Map<number, number>();
  let error: Error | null = null;
  try {
    do {
      for (let r = source.next(); r === NEXT.EVENT || r === NEXT.SECTION; r = source.next()) {
        if (r === NEXT.SECTION) continue;
        const { type } = source.cursor;
        counts.set(type, (counts.get(type) ?? 0) + 1);
      }
    } while (await source.more());
  } catch (thrown) {
    error = thrown as Error;
  }
  await source.close();
  return { counts, error };
}

const names = (dir: string): string[] =>
  HAS_SHARED ? readdirSync(sharedPath(dir)).filter((f) => /\.scap(\.gz)?$/.test(f)) : [];

for (const name of names("golden")) {
  sharedTest(`${name}: events by type are those of the reference`, async () => {
    const { counts, error } = await countTypes(sharedPath("golden", name));
    const file = sharedPath("golden", name.replace(/\.scap(\.gz)?$/, ".counts.json"));
    const wanted = JSON.parse(readFileSync(file, "utf8")) as { end: string; by_event_id: Record<string, number> };
    const ours: Record<string, number> = {};
    for (const [type, n] of counts) if (!INTERNAL.has(type)) ours[type] = n;
    expect(ours).toEqual(wanted.by_event_id);
    expect(error === null).toBe(wanted.end === "eof");
  });
}

/** Events of 0.29.3 by direction and name; generic system calls count as "syscall". */
function sysdigCounts(path: string): Record<string, number> {
  const run = spawnSync("sysdig", ["-r", path, "-p", "%evt.dir %evt.type"], { maxBuffer: 1 << 28 });
  const counts: Record<string, number> = {};
  const known = new Set(EVENTS.map((e) => e.name));
  for (const line of run.stdout.toString().trim().split("\n")) {
    const [dir = "", type = ""] = line.split(" ");
    if (type === "") continue;
    const key = `${dir} ${known.has(type) ? type : "syscall"}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

for (const name of names("captures")) {
  // Its comments are more than 0.29.3 can read; the events are those of the file without.
  const peerName = name === "curl_google_comments.scap" ? "curl_google.scap" : name;
  const body = async (): Promise<void> => {
    const { counts, error } = await countTypes(sharedPath("captures", name));
    expect(error).toBeNull();
    const peer = sysdigCounts(sharedPath("captures", peerName));
    const ours: Record<string, number> = {};
    const generic = { ours: 0, peer: 0 };
    for (const [type, n] of counts) {
      const event = EVENTS[type];
      // sysdig keeps internal events to itself, and shows system calls without events of their own by their names.
      if (event === undefined || event.category === EC.INTERNAL || INTERNAL.has(type) || event.name === "container")
        continue;
      if (event.name === "syscall") generic.ours += n;
      else ours[`${(type & 1) === 0 ? ">" : "<"} ${event.name}`] = n;
    }
    const others: Record<string, number> = {};
    for (const [key, n] of Object.entries(peer)) {
      // A name that is an event's today was a generic system call then, when the file has no such event.
      if (key.endsWith(" syscall") || ours[key] === undefined) generic.peer += n;
      else others[key] = n;
    }
    expect(others).toEqual(ours);
    expect(generic.peer).toBe(generic.ours);
  };
  if (Bun.which("sysdig") !== null) sharedTest(`${name}: events by type are those that sysdig shows`, body);
  else test.skip(`${name}: events by type are those that sysdig shows (sysdig is not installed)`, body);
}
