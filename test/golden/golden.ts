// SPDX-License-Identifier: Apache-2.0
// Comparing our lines and field values with those of the reference, event by event.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { bindField, type ResolvedField } from "../../lib/fields/registry.ts";
import { fieldJson, fieldText } from "../../lib/fields/values.ts";
import { compileFormat } from "../../lib/format/formatter.ts";
import { toText } from "../../lib/scap/bytes.ts";
import { sharedPath } from "../support/shared.ts";
import { walk } from "./walk.ts";

export const LINE_FORMAT = "*%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.type %evt.args";

/** Names of the golden captures. */
export function goldenNames(): string[] {
  return readdirSync(sharedPath("golden"))
    .filter((f) => f.endsWith(".events.txt.gz"))
    .map((f) => f.slice(0, -".events.txt.gz".length))
    .sort();
}

export function capturePath(name: string): string {
  const gz = sharedPath("golden", `${name}.scap.gz`);
  return existsSync(gz) ? gz : sharedPath("golden", `${name}.scap`);
}

/** One difference: where, what, ours, theirs. */
export interface Difference {
  event: string;
  what: string;
  ours: string;
  theirs: string;
}

export interface Comparison {
  total: number;
  equal: number;
  differences: Difference[];
}

export async function compareLines(name: string): Promise<Comparison> {
  const theirs = gunzipSync(readFileSync(sharedPath("golden", `${name}.events.txt.gz`)))
    .latin1Slice()
    .split("\n");
  if (theirs.at(-1) === "") theirs.pop();
  const format = compileFormat(LINE_FORMAT);
  const differences: Difference[] = [];
  let at = 0;
  let equal = 0;
  await walk(capturePath(name), (ctx) => {
    const line = (format.text(ctx) ?? "").replaceAll("\n", " ");
    const their = theirs[at++];
    if (line === their) equal++;
    else differences.push({ event: String(ctx.ev.num), what: "line", ours: line, theirs: their ?? "(none)" });
  });
  for (; at < theirs.length; at++)
    differences.push({ event: "-", what: "line", ours: "(none)", theirs: theirs[at] ?? "" });
  return { total: Math.max(theirs.length, equal + differences.length), equal, differences };
}

/** A flat JSON object as a list of keys and the source text of their values, so that 64-bit integers stay exact. */
export function rawMembers(json: string): Map<string, string> {
  const members = new Map<string, string>();
  let p = 1;
  while (p < json.length && json[p] !== "}") {
    const keyEnd = stringEnd(json, p);
    const key = JSON.parse(json.slice(p, keyEnd)) as string;
    const start = keyEnd + 1;
    const end = valueEnd(json, start);
    members.set(key, json.slice(start, end));
    p = json[end] === "," ? end + 1 : end;
  }
  return members;
}

function stringEnd(s: string, at: number): number {
  for (let p = at + 1; ; p++) {
    if (s[p] === "\\") p++;
    else if (s[p] === '"') return p + 1;
  }
}

function valueEnd(s: string, at: number): number {
  let depth = 0;
  for (let p = at; ; ) {
    const c = s[p];
    if (c === '"') {
      p = stringEnd(s, p);
      if (depth === 0) return p;
      continue;
    }
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") {
      if (depth === 0) return p;
      if (--depth === 0) return p + 1;
    } else if (c === "," && depth === 0) return p;
    p++;
  }
}

/** The same value always as the same text: string escapes and the order of lists do not count. */
export function normal(json: string): string {
  if (json.startsWith('"')) return JSON.stringify(JSON.parse(json));
  if (json.startsWith("[")) return JSON.stringify((JSON.parse(json) as unknown[]).map(String).sort());
  return json;
}

/** Text forms of lists come in any order. */
function normalText(text: string): string {
  return /^\([^()]*\)$/.test(text) ? `(${text.slice(1, -1).split(",").sort().join(",")})` : text;
}

/** A field by the name the reference data uses; the reference leaves out what depends on the replaying machine. */
const bound = new Map<string, ResolvedField>();
function fieldOf(name: string): ResolvedField {
  let f = bound.get(name);
  if (f === undefined) {
    f = bindField(name);
    bound.set(name, f);
  }
  return f;
}

/** Names of all fields that were compared so far. */
export function seenFields(): Iterable<string> {
  return bound.keys();
}

/** Whether a raw JSON value has `text` as its own text form. */
function ownText(json: string): string | undefined {
  if (json.startsWith('"')) return JSON.parse(json) as string;
  return json.startsWith("[") || json.startsWith("{") || json === "null" ? undefined : json;
}

/**
 * Compares every value of the reference with ours: the JSON form of every key, and the text form. `absent` gets the
 * fields of which the reference says nothing although we have a value, as often as `absentEvery` says.
 */
export async function compareFields(name: string, absentEvery: number): Promise<Comparison & { absent: Difference[] }> {
  const lines = gunzipSync(readFileSync(sharedPath("golden", `${name}.fields.jsonl.gz`)))
    .toString("utf8")
    .split("\n")
    .filter((l) => l !== "");
  const wanted = new Map<string, Map<string, string>>();
  const names = new Set<string>();
  for (const line of lines) {
    const members = rawMembers(line);
    wanted.set(members.get("evt.num") as string, members);
    for (const k of members.keys()) if (k !== "_str") names.add(k);
  }
  const differences: Difference[] = [];
  const absent: Difference[] = [];
  let total = 0;
  let equal = 0;
  let seen = 0;
  const section = { num: 0, wanted };
  await walk(capturePath(name), (ctx) => {
    const members = section.wanted.get(String(ctx.ev.num));
    if (members === undefined) return;
    // Numbers begin anew in the second part of a concatenated capture, times do not.
    if (members.get("evt.rawtime") !== String(ctx.ev.timeExact())) return;
    seen++;
    const texts = members.has("_str") ? (JSON.parse(members.get("_str") as string) as Record<string, string>) : {};
    const check = (what: string, ours: string | undefined, theirs: string): void => {
      total++;
      if (ours === theirs) equal++;
      else differences.push({ event: String(ctx.ev.num), what, ours: ours ?? "(none)", theirs });
    };
    for (const [key, json] of members) {
      if (key === "_str") continue;
      const f = fieldOf(key);
      const ours = fieldJson(f, ctx);
      check(key, ours === undefined ? undefined : normal(ours), normal(json));
      const text = texts[key] ?? ownText(json);
      if (text !== undefined && (key in texts || json.startsWith('"'))) {
        const mine = fieldText(f, ctx);
        check(`${key} as text`, mine === undefined ? undefined : normalText(toText(mine)), normalText(text));
      }
    }
    for (const [key, text] of Object.entries(texts)) {
      // What the reference itself could not make into JSON has a text only, or an error.
      if (members.has(key) || text.startsWith("EXC ")) continue;
      const mine = fieldText(fieldOf(key), ctx);
      check(`${key} as text`, mine === undefined ? undefined : toText(mine), text);
    }
    if (seen % absentEvery !== 0) return;
    for (const key of names) {
      if (members.has(key) || key in texts) continue;
      const ours = fieldJson(fieldOf(key), ctx);
      if (ours !== undefined) absent.push({ event: String(ctx.ev.num), what: key, ours, theirs: "(none)" });
    }
  });
  if (seen !== lines.length) {
    differences.push({ event: "-", what: "events", ours: String(seen), theirs: String(lines.length) });
  }
  return { total, equal, differences, absent };
}
