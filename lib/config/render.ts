// SPDX-License-Identifier: Apache-2.0
// The table of keys in two other forms: the commented falco.yaml we ship, and a JSON schema.
import type { KeySpec, RecordKey } from "./key.ts";
import { KEYS } from "./schema.ts";

const WIDTH = 100;

/** A text as comment lines. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + word.length + 3 > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((l) => `${indent}# ${l}`);
}

/** A default as YAML in one line. */
function yamlValue(spec: KeySpec): string {
  const value = spec.default;
  if (spec.type === "map") return "{}";
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  if (typeof value !== "string") return String(value);
  return value === "" || /^[^A-Za-z./]|[:#]/.test(value) ? JSON.stringify(value) : value;
}

/** What else there is to say about a key. */
function remarks(spec: KeySpec): string {
  const parts = [spec.doc];
  if (spec.values !== undefined && spec.type === "string") parts.push(`One of ${spec.values.join(", ")}.`);
  else if (spec.max !== undefined) parts.push(`From ${spec.min} to ${spec.max}.`);
  if (spec.missing !== undefined) parts.push(`(No effect yet: ${spec.missing} is not there.)`);
  return parts.join(" ");
}

/** The shipped falco.yaml: every key with its default and what it does. */
export function shippedConfig(): string {
  const out = [
    "# SPDX-License-Identifier: Apache-2.0",
    "# Configuration of falco: every key with its default. Made by scripts/generate-config.ts from lib/config/schema.ts.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is about such placeholders
    "# ${NAME} in a value stands for the variable of the environment; $${NAME} is ${NAME} itself.",
    "# Single keys can be set on the command line as well: -o json_output=true, -o 'rules_files[]=more.yaml',",
    "# -o 'append_output[0].extra_output=cpu %evt.cpu'.",
  ];
  let open: string[] = [];
  for (const spec of KEYS as readonly KeySpec[]) {
    const parts = spec.key.split(".");
    const groups = parts.slice(0, -1);
    let same = 0;
    while (same < open.length && same < groups.length && open[same] === groups[same]) same++;
    if (same < groups.length || open.length > same || groups.length === 0) out.push("");
    for (let depth = same; depth < groups.length; depth++) out.push(`${"  ".repeat(depth)}${groups[depth]}:`);
    open = groups;
    const indent = "  ".repeat(groups.length);
    out.push(...comment(remarks(spec), indent));
    if (spec.example !== undefined) out.push(...comment(`Example: ${spec.example}`, indent));
    out.push(`${indent}${parts[parts.length - 1]}: ${yamlValue(spec)}`);
  }
  return `${out.join("\n")}\n`;
}

type Schema = { [key: string]: Schema | string | number | boolean | null | readonly (Schema | string)[] };

const TYPES: Readonly<Record<RecordKey["type"], Schema>> = {
  boolean: { type: "boolean" },
  string: { type: "string" },
  strings: { type: "array", items: { type: "string" } },
  fields: { type: "array", items: { anyOf: [{ type: "string" }, { type: "object" }] } },
  any: {},
};

function object(properties: Schema = {}): Schema {
  return { type: "object", additionalProperties: false, properties };
}

/** Puts a schema at a dotted name below an object schema. */
function place(root: Schema, name: string, schema: Schema): void {
  const parts = name.split(".");
  let at = root["properties"] as Schema;
  for (const part of parts.slice(0, -1)) {
    at[part] ??= object();
    at = (at[part] as Schema)["properties"] as Schema;
  }
  at[parts[parts.length - 1] as string] = schema;
}

function keySchema(spec: KeySpec): Schema {
  const description = spec.doc;
  const words: Schema = spec.values === undefined ? { type: "string" } : { type: "string", enum: spec.values };
  switch (spec.type) {
    case "boolean":
    case "integer":
    case "number": {
      const bounds: Schema = {};
      if (spec.min !== undefined) bounds["minimum"] = spec.min;
      if (spec.max !== undefined) bounds["maximum"] = spec.max;
      return { type: spec.type, description, default: spec.default as boolean | number, ...bounds };
    }
    case "string":
      return { ...words, description, default: spec.default as string };
    case "strings":
      return { type: "array", items: words, description, default: spec.default as readonly string[] };
    case "map":
      return { type: "object", additionalProperties: { type: "string" }, description };
    case "records": {
      const entry = object();
      for (const key of spec.record ?? []) {
        const type = key.values === undefined ? TYPES[key.type] : { type: "string", enum: key.values };
        place(entry, key.key, { ...type, description: key.doc });
      }
      const items: Schema = spec.short === undefined ? entry : { anyOf: [{ type: "string" }, entry] };
      return { type: "array", items, description };
    }
  }
}

/** JSON schema (draft 7) of falco.yaml. */
export function configSchema(): Schema {
  const root: Schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "falco.yaml", ...object() };
  for (const spec of KEYS as readonly KeySpec[]) place(root, spec.key, keySchema(spec));
  return root;
}
