// SPDX-License-Identifier: Apache-2.0
// What an alert is, and its two shapes on the wire: one line of text or one JSON object, as Falco writes them.
import { priorityName } from "../rules/priority.ts";
import { toText } from "../scap/bytes.ts";
import { escapeControls } from "../scap/printable.ts";
import { clockTime, isoTime } from "./time.ts";

/** Something worth telling: a rule that matched, or news about the program itself (source "internal"). */
export interface Alert {
  readonly rule: string;
  /** Number, see lib/rules/priority.ts. */
  readonly priority: number;
  readonly source: string;
  /** In byte order, without repeats. */
  readonly tags: readonly string[];
  /** ns since the epoch. */
  readonly time: bigint;
  readonly hostname: string;
  /** The rule's output with its values filled in, without time and priority. Byte string. */
  readonly message: string;
  /**
   * JSON object of the values by field name, in order of the names; text, so that integers keep all their digits. The
   * time of the event is among them, under `timeField`. "" when the alert's style has no use for them.
   */
  readonly fields: string;
}

/** How alerts are written; from the keys json_* and time_format_iso_8601. */
export interface AlertStyle {
  json: boolean;
  /** Times as ISO 8601 in UTC instead of clock time. */
  isoTime: boolean;
  includeOutput: boolean;
  includeMessage: boolean;
  includeFields: boolean;
  includeTags: boolean;
}

/** The name under which the event's own time stands in `output_fields`. */
export function timeField(style: AlertStyle): string {
  return style.isoTime ? "evt.time.iso8601" : "evt.time";
}

/** Source of alerts about the program itself. */
export const INTERNAL_SOURCE = "internal";

/** Renders an alert in the given style: one line without its end, as text (UTF-16), never with a line feed inside. */
export function renderAlert(alert: Alert, style: AlertStyle): string {
  if (style.json) return renderJson(alert, style);
  const line = fullOutput(alert, style);
  return alert.source === INTERNAL_SOURCE ? escapeControls(line + fieldList(alert)) : escaped(line);
}

/** A text as inside a JSON string, which is how Falco writes lines of text, too; no control character is left. */
function escaped(text: string): string {
  const inside = JSON.stringify(text).slice(1, -1);
  return inside.replace(/[\x7f-\x9f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Time, priority and message. */
function fullOutput(alert: Alert, style: AlertStyle): string {
  const time = style.isoTime ? `${isoTime(alert.time)}+0000` : clockTime(alert.time);
  return `${time}: ${priorityName(alert.priority)} ${toText(alert.message)}`;
}

/** ` (name=value name=value)`: internal alerts in text form list their fields. */
function fieldList(alert: Alert): string {
  if (alert.fields === "") return "";
  const fields = Object.entries(JSON.parse(alert.fields) as Record<string, unknown>);
  const pairs = fields.map(([k, v]) => `${k}=${JSON.stringify(v)}`);
  return ` (${pairs.join(" ")})`;
}

function renderJson(alert: Alert, style: AlertStyle): string {
  const internal = alert.source === INTERNAL_SOURCE;
  let out = `{"hostname":${JSON.stringify(alert.hostname)}`;
  if (style.includeMessage && !internal) out += `,"message":${JSON.stringify(toText(alert.message))}`;
  if (internal) out += `,"output":${JSON.stringify(toText(alert.message))}`;
  else if (style.includeOutput) out += `,"output":${JSON.stringify(fullOutput(alert, style))}`;
  if ((internal || style.includeFields) && alert.fields !== "") out += `,"output_fields":${alert.fields}`;
  out += `,"priority":"${priorityName(alert.priority)}","rule":${JSON.stringify(alert.rule)}`;
  out += `,"source":${JSON.stringify(alert.source)}`;
  if (style.includeTags && !internal) out += `,"tags":${JSON.stringify(alert.tags)}`;
  return `${out},"time":"${isoTime(alert.time)}Z"}`;
}
