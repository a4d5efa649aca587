// SPDX-License-Identifier: Apache-2.0
// Figures of threads: memory, page faults, CPU time. Nothing else depends on them, so they are kept only where they are asked for.
import type { EventCursor } from "../../scap/cursor.ts";
import { EV } from "../../schema/tables/enums.ts";
import type { ThreadInfo } from "../thread_info.ts";
import type { Handler, HandlerRow } from "./handler.ts";

function setMemory(ev: EventCursor, t: ThreadInfo, size: number): void {
  t.vmSizeKb = ev.u32(size, t.vmSizeKb);
  t.vmRssKb = ev.u32(size + 1, t.vmRssKb);
  t.vmSwapKb = ev.u32(size + 2, t.vmSwapKb);
}

/** brk, mmap, munmap. */
const onMemory: Handler = (insp, ev) => {
  if (insp.thread !== null) setMemory(ev, insp.thread, 1);
};

const onSwitch: Handler = (insp, ev) => {
  const t = insp.thread;
  const since = insp.switchTs[ev.cpu];
  insp.switchTs[ev.cpu] = ev.ts;
  if (t === null) return;
  t.execTime = since === undefined ? 0 : ev.ts - since;
  t.totalExecTime += t.execTime;
  t.pfMajor = ev.u64(1, t.pfMajor);
  t.pfMinor = ev.u64(2, t.pfMinor);
  // Memory belongs to the process.
  setMemory(ev, insp.leaderOf(t), 3);
};

/** CPU time is counted in ticks of this many ns. */
const TICK_NS = 1e7;

/** Percent of one CPU that `ticks` more since the last statistics are. */
function percent(ticks: number, before: number, ns: number): number {
  return Number.isNaN(before) || ns <= 0 ? 0 : ((ticks - before) * TICK_NS * 100) / ns;
}

/** Statistics of old captures: CPU time in user and kernel mode. */
const onProcinfo: Handler = (insp, ev) => {
  const t = insp.thread;
  if (t === null) return;
  const user = ev.u64(0);
  const system = ev.u64(1);
  const ns = ev.ts - t.cpuTs;
  t.cpuUser = percent(user, t.cpuUserTicks, ns);
  t.cpuSystem = percent(system, t.cpuSystemTicks, ns);
  t.cpuUserTicks = user;
  t.cpuSystemTicks = system;
  t.cpuTs = ev.ts;
};

export const FIGURE_HANDLERS: readonly HandlerRow[] = [
  [[EV.BRK_4_X, EV.MMAP_X, EV.MMAP2_X, EV.MUNMAP_X], onMemory],
  [[EV.SCHEDSWITCH_6_E], onSwitch],
  [[EV.PROCINFO_E], onProcinfo],
];
