// SPDX-License-Identifier: Apache-2.0
// What a set of fields asks of the events before the one they are told of.
import { display } from "./settings.ts";

/** Fields told from the times of earlier events, whatever their type. */
const LOOK_BACK = new Set([
  "evt.deltatime",
  "evt.deltatime.s",
  "evt.deltatime.ns",
  "evt.latency",
  "evt.latency.s",
  "evt.latency.ns",
  "evt.latency.quantized",
  "evt.latency.human",
  "evt.wait_latency",
]);

/** Fields that show figures of threads, see lib/sinsp/handlers/figures.ts. */
const FIGURES = new Set([
  "proc.vmsize",
  "proc.vmrss",
  "proc.vmswap",
  "thread.pfmajor",
  "thread.pfminor",
  "thread.exectime",
  "thread.totexectime",
  "thread.cpu",
  "thread.cpu.user",
  "thread.cpu.system",
  "thread.vmsize",
  "thread.vmrss",
  "thread.vmsize.b",
  "thread.vmrss.b",
]);

export interface Demand {
  /** No event may be passed over: some field looks back at earlier ones. */
  everyEvent: boolean;
  /** Memory sizes, page faults and CPU times of threads are asked for. */
  figures: boolean;
}

/** The demand of fields by their names, without arguments. */
export function demandOf(fields: Iterable<string>): Demand {
  const demand = { everyEvent: false, figures: false };
  for (const name of fields) {
    const looksBack = name === "evt.outputtime" ? display.time === "d" || display.time === "D" : LOOK_BACK.has(name);
    if (looksBack) demand.everyEvent = true;
    if (FIGURES.has(name)) demand.figures = true;
  }
  return demand;
}
