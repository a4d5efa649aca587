// SPDX-License-Identifier: Apache-2.0
// What keeping the state costs per event: `bun test/bench/state.ts [CAPTURE [ROUNDS]]`. User CPU (all threads, the JIT's
// among them) of walking the capture alone and with state, taken in turn; the first round pays for the JIT.
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { sharedPath } from "../support/shared.ts";

async function walk(path: string): Promise<number> {
  const source = await openCapture(path);
  let events = 0;
  do {
    for (let code = source.next(); code === NEXT.EVENT || code === NEXT.SECTION; code = source.next()) {
      if (code === NEXT.EVENT) events++;
    }
  } while (await source.more());
  return events;
}

async function keepState(path: string): Promise<number> {
  const inspector = new Inspector(await openCapture(path));
  let events = 0;
  do {
    for (let code = inspector.next(); code === NEXT.EVENT || code === NEXT.SECTION; code = inspector.next()) {
      if (code === NEXT.EVENT) events++;
    }
  } while (await inspector.more());
  return events;
}

/** User CPU of one run, ns per event. */
async function cost(run: (path: string) => Promise<number>, path: string): Promise<number> {
  const before = process.cpuUsage();
  const events = await run(path);
  return (process.cpuUsage(before).user * 1000) / events;
}

const path = process.argv[2] ?? sharedPath("golden", "mixed.scap.gz");
const rounds = Number(process.argv[3] ?? 5);
let bestWalk = Number.POSITIVE_INFINITY;
let bestState = Number.POSITIVE_INFINITY;
for (let round = 1; round <= rounds; round++) {
  const alone = await cost(walk, path);
  const withState = await cost(keepState, path);
  bestWalk = Math.min(bestWalk, alone);
  bestState = Math.min(bestState, withState);
  console.log(`round ${round}: walk ${alone.toFixed(1)} ns/event, with state ${withState.toFixed(1)} ns/event`);
}
console.log(
  `best: walk ${bestWalk.toFixed(1)} ns, state adds ${(bestState - bestWalk).toFixed(1)} ns, ` +
    `${(1000 / bestState).toFixed(1)} million events/s with state; resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
);
