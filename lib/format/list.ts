// SPDX-License-Identifier: Apache-2.0
// Listings of fields and of event types: text, markdown, JSON, names only.
import type { Field, FieldClass } from "../fields/field.ts";
import { fieldClasses } from "../fields/registry.ts";
import { EVENTS, type EventInfo, type ParamInfo } from "../schema/events.ts";
import { EC, EF, PT } from "../schema/tables/enums.ts";
import { FLAG_TABLES } from "../schema/tables/flags.ts";

export type ListFormat = "text" | "markdown" | "json";

export interface ListFieldsOptions {
  /** Default "text". */
  format?: ListFormat;
  /** Types, and deprecated fields too. */
  verbose?: boolean;
  /** Names only, one a line; `format` does not count. */
  namesOnly?: boolean;
  /** Only classes that apply to this event source. */
  source?: string;
  /** Default: the built-in ones. */
  classes?: readonly FieldClass[];
  /** Sources that there are, for classes that apply to every one. Default: syscall. */
  sources?: readonly string[];
}

const TYPE_NAMES = new Map<number, string>(Object.entries(PT).map(([name, type]) => [type, name]));

/** Name of a parameter or field type. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? String(type);
}

const COLUMN = 30;
const WIDTH = 120;

/** Words in a block that begins at column 30, each followed by a blank. */
function block(words: string, first: string): string {
  let text = first;
  let column = first.length;
  for (const word of words.split(" ").filter((w) => w !== "")) {
    if (column + word.length > WIDTH && column > COLUMN) {
      text += `\n${" ".repeat(COLUMN)}`;
      column = COLUMN;
    }
    text += `${word} `;
    column += word.length + 1;
  }
  return text;
}

/** Label in the left column; on a line of its own when it is too long for it. */
function labelled(label: string, words: string): string {
  if (label.length < COLUMN) return block(words, label.padEnd(COLUMN));
  return `${label}\n${block(words, " ".repeat(COLUMN))}`;
}

/** What a listing says of a field besides its documentation. */
function tags(f: Field): string[] {
  const out: string[] = [];
  if (f.flags.filterOnly === true) out.push("FILTER_ONLY");
  if (f.flags.printOnly === true) out.push("EPF_PRINT_ONLY");
  if (f.flags.deprecated === true) out.push("EPF_DEPRECATED");
  if (f.flags.noRhs === true) out.push("EPF_NO_RHS");
  if (f.flags.noTransformer === true) out.push("EPF_NO_TRANSFORMER");
  if (f.flags.suggested === true) out.push("EPF_FORMAT_SUGGESTED");
  if (f.list) out.push("EPF_IS_LIST");
  if (f.arg !== null) {
    out.push(f.arg.required ? "ARG_REQUIRED" : "ARG_ALLOWED");
    if (f.arg.index) out.push("ARG_INDEX");
    if (f.arg.key || f.arg.dotted) out.push("ARG_KEY");
  }
  return out.sort();
}

function fieldType(f: Field): string {
  return f.list ? `LIST(${typeName(f.type)})` : typeName(f.type);
}

/** A class with the fields that a listing shows. */
interface Shown {
  readonly group: FieldClass;
  readonly fields: readonly Field[];
  readonly sources: readonly string[];
}

function shown(options: ListFieldsOptions): Shown[] {
  const out: Shown[] = [];
  for (const group of options.classes ?? fieldClasses()) {
    if (group.hidden) continue;
    const sources = group.sources.length === 0 ? (options.sources ?? ["syscall"]) : group.sources;
    if (options.source !== undefined && group.sources.length > 0 && !group.sources.includes(options.source)) continue;
    const fields = group.fields.filter(
      (f) => f.flags.hidden !== true && (options.verbose === true || f.flags.deprecated !== true),
    );
    if (fields.length > 0) out.push({ group, fields, sources });
  }
  return out;
}

function classText({ group, fields, sources }: Shown, verbose: boolean): string {
  const lines = ["-".repeat(31)];
  lines.push(`${"Field Class:".padEnd(COLUMN)}${group.name}${group.shortDoc === "" ? "" : ` (${group.shortDoc})`}`);
  if (group.doc !== "") lines.push(labelled("Description:", group.doc));
  lines.push(labelled("Event Sources:", sources.join(" ")));
  lines.push("");
  for (const f of fields) {
    const marks = tags(f);
    const type = verbose ? `(Type: ${fieldType(f)}) ` : "";
    lines.push(labelled(f.name, `${type}${marks.length === 0 ? "" : `(${marks.join(",")}) `}${f.doc}`));
  }
  return `${lines.join("\n")}\n`;
}

/** Text that markdown would take for something else. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

function classMarkdown({ group, fields, sources }: Shown): string {
  const title = group.shortDoc === "" ? group.name : `${group.name} (${group.shortDoc})`;
  const lines = [`## Field Class: ${title}`, "", escaped(group.doc), "", `Event Sources: ${sources.join(", ")}`, ""];
  lines.push("Name | Type | Description", ":----|:-----|:-----------");
  for (const f of fields) lines.push(`\`${f.name}\` | ${fieldType(f)} | ${escaped(f.doc)}`);
  return `${lines.join("\n")}\n`;
}

function classJson({ group, fields, sources }: Shown): unknown {
  return {
    name: group.name,
    desc: group.doc,
    event_sources: sources,
    fields: fields.map((f) => ({
      name: f.name,
      type: typeName(f.type),
      desc: f.doc,
      is_list: f.list,
      ...(f.flags.deprecated === true ? { is_deprecated: true } : {}),
      argument:
        f.arg === null
          ? null
          : {
              required: f.arg.required,
              type: [...(f.arg.index ? ["INDEX"] : []), ...(f.arg.key || f.arg.dotted ? ["KEY"] : [])],
            },
    })),
  };
}

/** All fields, ready to print (UTF-16 text that ends with a line feed). */
export function listFields(options: ListFieldsOptions = {}): string {
  const classes = shown(options);
  if (options.namesOnly === true) {
    const names = new Set(classes.flatMap((c) => c.fields.map((f) => f.name)));
    return [...names].map((n) => `${n}\n`).join("");
  }
  switch (options.format ?? "text") {
    case "json":
      return `${JSON.stringify(classes.map(classJson), null, 2)}\n`;
    case "markdown":
      return `# Fields\n\n${classes.map(classMarkdown).join("\n")}`;
    case "text":
      return classes.map((c) => classText(c, options.verbose === true)).join("\n");
  }
}

export interface ListEventsOptions {
  /** Default "text". */
  format?: ListFormat;
  /** Old versions of events, as trace files of older programs hold them, too. */
  old?: boolean;
  namesOnly?: boolean;
}

/** Event types that are in use: not reserved ones, and old versions only when asked. */
function listed(old: boolean): EventInfo[] {
  return EVENTS.filter((e) => (e.flags & EF.UNUSED) === 0 && (old || (e.flags & EF.OLD_VERSION) === 0));
}

const KINDS: readonly (readonly [number, string])[] = [
  [EC.SYSCALL, "syscall"],
  [EC.TRACEPOINT, "tracepoint"],
  [EC.PLUGIN, "plugin"],
  [EC.METAEVENT, "metaevent"],
  [EC.ITER, "iterator"],
];

function kindOf(e: EventInfo): string {
  return KINDS.find(([bit]) => (e.kind & bit) !== 0)?.[1] ?? "internal";
}

/** Names of the flags that a parameter may hold. */
export function flagNames(p: ParamInfo): string[] {
  return p.table === null ? [] : (FLAG_TABLES[p.table] ?? []).map(([name]) => name);
}

/** `FD fd`, `FLAGS32 flags: O_RDONLY, …`. */
export function paramText(p: ParamInfo): string {
  const names = flagNames(p);
  return `${typeName(p.type)} ${p.name}${names.length === 0 ? "" : `: ${names.join(", ")}`}`;
}

/** The same in Markdown. */
export function paramMarkdown(p: ParamInfo): string {
  const names = flagNames(p);
  return `${typeName(p.type)} **${p.name}**${names.length === 0 ? "" : `: *${names.join("*, *")}*`}`;
}

/** All event types, ready to print (UTF-16 text that ends with a line feed). */
export function listEvents(options: ListEventsOptions = {}): string {
  const events = listed(options.old === true);
  if (options.namesOnly === true) return [...new Set(events.map((e) => e.name))].map((n) => `${n}\n`).join("");
  const direction = (e: EventInfo): string => (e.id & 1 ? "<" : ">");
  switch (options.format ?? "text") {
    case "json":
      return `${JSON.stringify(
        events.map((e) => ({
          id: e.id,
          name: e.name,
          dir: direction(e),
          kind: kindOf(e),
          is_old: (e.flags & EF.OLD_VERSION) !== 0,
          params: e.params.map((p) => ({ name: p.name, type: typeName(p.type), values: flagNames(p) })),
        })),
        null,
        2,
      )}\n`;
    case "markdown":
      return `# Events\n\nName | Dir | Kind | Params\n:----|:----|:-----|:-----\n${events
        .map((e) => `\`${e.name}\` | \`${direction(e)}\` | ${kindOf(e)} | ${e.params.map(paramMarkdown).join(", ")}`)
        .join("\n")}\n`;
    case "text":
      return events.map((e) => `${direction(e)} ${e.name}(${e.params.map(paramText).join(", ")})\n`).join("");
  }
}
