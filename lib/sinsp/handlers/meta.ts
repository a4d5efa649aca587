// SPDX-License-Identifier: Apache-2.0
// Events about the machine rather than a thread: users and groups, containers, processors.
import { EV } from "../../schema/tables/enums.ts";
import type { Handler, HandlerRow } from "./handler.ts";

const onUserAdded: Handler = (insp, ev) => {
  insp.users.addUser({ uid: ev.u32(0), gid: ev.u32(1), name: ev.str(2), home: ev.str(3), shell: ev.str(4) }, ev.str(5));
};

const onGroupAdded: Handler = (insp, ev) => {
  insp.users.addGroup({ gid: ev.u32(0), name: ev.str(1) }, ev.str(2));
};

const onContainer: Handler = (insp, ev) => insp.containers.learn(ev.str(0));

/** Asynchronous events of plugins; those named "container" describe one. */
const onAsync: Handler = (insp, ev) => {
  if (ev.str(1) === "container") insp.containers.learn(ev.raw(2));
};

/** The per-processor buffers of a live capture are not made for a new set of processors. */
const onCpuHotplug: Handler = (insp, ev) => {
  if (insp.source.kind === "live") insp.abortReason = `CPU ${ev.u32(0)} was switched on or off`;
};

export const META_HANDLERS: readonly HandlerRow[] = [
  [[EV.USER_ADDED_E], onUserAdded],
  [[EV.USER_DELETED_E], (insp, ev) => insp.users.removeUser(ev.u32(0), ev.str(5))],
  [[EV.GROUP_ADDED_E], onGroupAdded],
  [[EV.GROUP_DELETED_E], (insp, ev) => insp.users.removeGroup(ev.u32(0), ev.str(2))],
  [[EV.CPU_HOTPLUG_E], onCpuHotplug],
  [[EV.CONTAINER_JSON_2_E], onContainer],
  [[EV.ASYNCEVENT_E], onAsync],
];
