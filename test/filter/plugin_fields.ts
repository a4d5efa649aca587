// SPDX-License-Identifier: Apache-2.0
// The fields of the container plugin, declared from the reference data by name, type and argument only.
import { readFileSync } from "node:fs";
import type { ArgRule, BoundField, Field, FieldClass } from "../../lib/fields/field.ts";
import { PT } from "../../lib/schema/tables/enums.ts";
import { sharedPath } from "../support/shared.ts";

interface DeclaredField {
  name: string;
  type: string;
  flags: string[];
  list: boolean;
  arg: "required" | "allowed" | null;
}
interface DeclaredClass {
  class: string;
  provider: string;
  fields: DeclaredField[];
}

const TYPES: Readonly<Record<string, number>> = PT;

function load(): DeclaredClass[] {
  return (JSON.parse(readFileSync(sharedPath("reference/fields.json"), "utf8")) as { classes: DeclaredClass[] })
    .classes;
}

function argRule(f: DeclaredField): ArgRule | null {
  if (f.arg === null) return null;
  return {
    required: f.arg === "required",
    index: f.flags.includes("EPF_ARG_INDEX"),
    key: f.flags.includes("EPF_ARG_KEY"),
    dotted: false,
  };
}

function declare(f: DeclaredField): Field {
  const type = TYPES[f.type.replace("PT_", "")] ?? PT.CHARBUF;
  const bound: BoundField = { type, format: 0, list: f.list, extract: () => undefined };
  return {
    name: f.name,
    type,
    format: 0,
    list: f.list,
    arg: argRule(f),
    flags: { noTransformer: f.flags.includes("EPF_NO_TRANSFORMER"), noRhs: f.flags.includes("EPF_NO_RHS") },
    doc: "",
    bind: () => bound,
  };
}

/** The fields of the container plugin, as a class that a registry can take in. */
export function containerPluginFields(): FieldClass {
  const fields = load()
    .filter((c) => c.provider === "plugin:container")
    .flatMap((c) => c.fields.map(declare));
  return {
    name: "container",
    shortDoc: "",
    doc: "Stand-in of the container plugin",
    sources: ["syscall"],
    hidden: false,
    fields,
  };
}
