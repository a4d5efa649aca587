// SPDX-License-Identifier: Apache-2.0
// The events that this schema version delivers, by category, as `falco --list-events` prints them.
import { EVENTS, type EventInfo, SCHEMA_VERSION } from "../schema/events.ts";
import { EC, EF, EV } from "../schema/tables/enums.ts";
import { EVENT_SYSCALL_ROWS, SYSCALL_NAMES, SYSCALL_SETS } from "../schema/tables/syscalls.ts";
import { flagNames, type ListFormat, paramMarkdown, paramText, typeName } from "./list.ts";

interface Entry {
  name: string;
  /** Delivered unless all system calls are asked for. */
  standard: boolean;
  info: EventInfo | null;
}

const CATEGORIES: readonly (readonly [title: string, key: string, kind: number])[] = [
  ["Syscall events", "syscall_events", EC.SYSCALL],
  ["Tracepoint events", "tracepoint_events", EC.TRACEPOINT],
  ["Plugin events", "plugin_events", EC.PLUGIN],
  ["Metaevents", "metaevents", EC.METAEVENT],
];

/** Bits of event types that current probes do not deliver. */
const GONE = EF.UNUSED | EF.OLD_VERSION;

function isGeneric(id: number): boolean {
  return id === EV.GENERIC_E || id === EV.GENERIC_X;
}

/** Entries of a category: its event types, for system calls also those that come as "id only" under their own names. */
function entries(kind: number): Entry[] {
  const ignored = new Set(SYSCALL_SETS["falco_ignored"]);
  const callsOf = new Map(EVENT_SYSCALL_ROWS.map(([id, codes]) => [id, codes.map((c) => SYSCALL_NAMES[c] as string)]));
  const out: Entry[] = [];
  for (const info of EVENTS) {
    if ((info.kind & kind) === 0 || (info.flags & GONE) !== 0 || isGeneric(info.id)) continue;
    if (kind === EC.SYSCALL && (info.id & 1) === 0) continue;
    const calls = callsOf.get(info.id) ?? [];
    out.push({ name: info.name, standard: calls.length === 0 || !calls.every((c) => ignored.has(c)), info });
  }
  if (kind !== EC.SYSCALL) return out;
  const own = new Set(out.map((e) => e.name));
  for (const name of callsOf.get(EV.GENERIC_X) ?? []) {
    if (!own.has(name)) out.push({ name, standard: !ignored.has(name), info: null });
  }
  return out;
}

function direction({ info }: Entry): string {
  return info === null || info.id & 1 ? "<" : ">";
}

/** Ready to print (UTF-16 text that ends with a line feed). */
export function listSupportedEvents(format: ListFormat): string {
  if (format === "json") {
    const categories = CATEGORIES.map(([, key, kind]) => [
      key,
      entries(kind).map((e) => ({
        default: e.standard,
        dir: direction(e),
        name: e.name,
        params: (e.info?.params ?? []).map((p) => ({ name: p.name, type: typeName(p.type), values: flagNames(p) })),
      })),
    ]);
    return `${JSON.stringify({ schema_version: SCHEMA_VERSION, ...Object.fromEntries(categories) }, null, 2)}\n`;
  }
  const lines = [`The events below are valid for Falco *Schema Version*: ${SCHEMA_VERSION}`];
  for (const [title, , kind] of CATEGORIES) {
    lines.push("", `## ${title}`, "");
    if (format === "markdown") lines.push("Default | Dir | Name | Params", ":-------|:----|:-----|:-----");
    for (const e of entries(kind)) {
      const params = e.info?.params ?? [];
      if (format === "text") lines.push(`${direction(e)} ${e.name}(${params.map(paramText).join(", ")})`);
      else {
        const cells = [
          e.standard ? "Yes" : "No",
          `\`${direction(e)}\``,
          `\`${e.name}\``,
          params.map(paramMarkdown).join(", "),
        ];
        lines.push(cells.join(" | "));
      }
    }
  }
  return `${lines.join("\n")}\n`;
}
