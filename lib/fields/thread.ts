// SPDX-License-Identifier: Apache-2.0
// Fields of the thread itself: ids, capabilities, cgroups, faults, CPU time.
import { EV, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";
import { argField, argRule, bool, duration, field, id64, text, u64 } from "./define.ts";
import { type Extractor, type Field, FieldArgError } from "./field.ts";
import { capabilityNames } from "./names.ts";
import { ofThread, ofThreadNow, plausibleId } from "./process.ts";

export const THREAD_CAP_FIELDS: readonly Field[] = [
  text(
    "thread.cap_permitted",
    "Permitted capabilities, names with blanks between",
    ofThread((t) => capabilityNames(t.capPermitted)),
  ),
  text(
    "thread.cap_inheritable",
    "Inheritable capabilities, names with blanks between",
    ofThread((t) => capabilityNames(t.capInheritable)),
  ),
  text(
    "thread.cap_effective",
    "Effective capabilities, names with blanks between",
    ofThread((t) => capabilityNames(t.capEffective)),
  ),
];

export const THREAD_ID_FIELDS: readonly Field[] = [
  u64(
    "thread.pfmajor",
    "Major page faults since the thread started",
    ofThread((t) => t.pfMajor),
  ),
  u64(
    "thread.pfminor",
    "Minor page faults since the thread started",
    ofThread((t) => t.pfMinor),
  ),
  id64("thread.tid", "Thread id", (ctx) => plausibleId(ctx.ev.tid)),
  bool(
    "thread.ismain",
    "True for the main thread of a process",
    ofThread((t) => t.tid === t.pid),
  ),
  id64(
    "thread.vtid",
    "Thread id as seen inside the thread's PID namespace",
    ofThread((t) => (t.vtid === -1 ? undefined : t.vtid)),
  ),
  text(
    "thread.nametid",
    "Name and id of the thread in one word",
    ofThread((t) => t.comm + t.tid),
    { flags: { hidden: true } },
  ),
];

const isSwitch = (ctx: Context): boolean => ctx.ev.type === EV.SCHEDSWITCH_6_E;

export const THREAD_TIME_FIELDS: readonly Field[] = [
  duration(
    "thread.exectime",
    "Nanoseconds the thread had run when it leaves the CPU; 0 for events that are no context switch",
    (ctx) => (isSwitch(ctx) && ctx.thread !== null ? ctx.thread.execTime : 0),
  ),
  duration(
    "thread.totexectime",
    "Nanoseconds the thread has run so far, as far as context switches tell",
    ofThread((t) => t.totalExecTime),
  ),
];

/** A share of one CPU, known at statistics events of old captures only. */
function cpu(get: (t: ThreadInfo) => number): Extractor {
  return ofThreadNow((t, ctx) => (ctx.ev.type === EV.PROCINFO_E ? get(t) : undefined));
}

export const THREAD_CPU_FIELDS: readonly Field[] = [
  field(
    "thread.cpu",
    PT.DOUBLE,
    "Percent of one CPU used since the last statistics event; known at such events of old captures only",
    cpu((t) => t.cpuUser + t.cpuSystem),
  ),
  field(
    "thread.cpu.user",
    PT.DOUBLE,
    "Part of thread.cpu spent in user mode",
    cpu((t) => t.cpuUser),
  ),
  field(
    "thread.cpu.system",
    PT.DOUBLE,
    "Part of thread.cpu spent in the kernel",
    cpu((t) => t.cpuSystem),
  ),
];

/** Path of a cgroup controller; undefined when the thread is in none of that name. */
function cgroupOf(t: ThreadInfo, subsystem: string): string | undefined {
  for (const entry of t.cgroups) {
    if (entry[subsystem.length] === "=" && entry.startsWith(subsystem)) return entry.slice(subsystem.length + 1);
  }
  return undefined;
}

export const THREAD_CGROUP_FIELDS: readonly Field[] = [
  text(
    "thread.cgroups",
    "All cgroups of the thread, controller=path with blanks between; missing without any",
    ofThread((t) => (t.cgroups.length === 0 ? undefined : t.cgroups.join(" "))),
  ),
  argField(
    "thread.cgroup",
    PT.CHARBUF,
    argRule(true, "dotted"),
    "Path in one cgroup controller: thread.cgroup.cpu",
    (_, name) => {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new FieldArgError(`'${name}' is no cgroup controller`);
      return ofThread((t) => cgroupOf(t, name));
    },
  ),
];

export const THREAD_MEMORY_FIELDS: readonly Field[] = [
  u64(
    "thread.vmsize",
    "Virtual memory in KiB; 0 for threads that are not the main thread, so that sums are right",
    ofThread((t) => (t.tid === t.pid ? t.vmSizeKb : 0)),
  ),
  u64(
    "thread.vmrss",
    "Resident memory in KiB; 0 for threads that are not the main thread",
    ofThread((t) => (t.tid === t.pid ? t.vmRssKb : 0)),
  ),
  u64(
    "thread.vmsize.b",
    "thread.vmsize in bytes",
    ofThread((t) => (t.tid === t.pid ? t.vmSizeKb * 1024 : 0)),
    { flags: { hidden: true } },
  ),
  u64(
    "thread.vmrss.b",
    "thread.vmrss in bytes",
    ofThread((t) => (t.tid === t.pid ? t.vmRssKb * 1024 : 0)),
    { flags: { hidden: true } },
  ),
];
