// SPDX-License-Identifier: Apache-2.0
// The built-in field classes in the order in which they are listed.
import { EVT_ASYNC_FIELDS, EVT_TYPE_FIELDS } from "./evt_type.ts";
import type { FieldClass } from "./field.ts";
import { PROCESS_FIELDS } from "./process.ts";

export const BUILTIN_CLASSES: readonly FieldClass[] = [
  {
    name: "evt",
    shortDoc: "All event types",
    doc: "Fields of every event, whatever its source",
    sources: [],
    hidden: false,
    fields: [...EVT_ASYNC_FIELDS],
  },
  {
    name: "evt",
    shortDoc: "Syscall events only",
    doc: "Fields of events that come from the kernel",
    sources: ["syscall"],
    hidden: false,
    fields: [...EVT_TYPE_FIELDS],
  },
  {
    name: "process",
    shortDoc: "",
    doc: "The process and thread that made the event, and their ancestors",
    sources: ["syscall"],
    hidden: false,
    fields: [...PROCESS_FIELDS],
  },
];
