// SPDX-License-Identifier: Apache-2.0
// Compares reports and resolved facts with the reference's verdicts on rule files.
import { describe, expect } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeAll } from "../../lib/rules/describe.ts";
import { type LoadResult, loadRules, type RuleSource } from "../../lib/rules/loader.ts";
import type { FileReport, Issue } from "../../lib/rules/messages.ts";
import { HAS_SHARED, sharedPath, sharedTest } from "../support/shared.ts";
import { DIFFERENT } from "./differences.ts";

interface Said {
  code: string;
  line: number;
  col: number;
  context: string[];
}

interface Verdict {
  successful: boolean;
  errors: Said[] | null;
  warnings: Said[] | null;
  schema_valid: boolean | null;
  warning_counts?: Record<string, number>;
  warnings_sample?: Said[];
  quirk?: string;
  fatal?: string;
  suggested?: { code: string };
}

interface Generated {
  parts: (string | { unit: string; n: number; sep?: string })[];
}

const DIR = sharedPath("verdicts", "rules");

function generate({ parts }: Generated): string {
  return parts
    .map((part) =>
      typeof part === "string"
        ? part
        : Array.from({ length: part.n }, (_, i) => part.unit.replaceAll("{i}", String(i))).join(part.sep ?? ""),
    )
    .join("");
}

function json<T>(...path: string[]): T {
  return JSON.parse(readFileSync(sharedPath("verdicts", "rules", ...path), "utf8")) as T;
}

function said(issue: Issue): Said {
  const { line, column } = issue.place.position();
  return {
    code: issue.code,
    line,
    col: column,
    context: issue.place.chain().map((p) => (p.name === "" ? p.type : `${p.type}:${p.name}`)),
  };
}

/** Verdict of a report in the collection's shape. */
function verdictOf(report: FileReport): {
  successful: boolean;
  errors: Said[];
  warnings: Said[];
  schema: boolean | null;
} {
  return {
    successful: report.successful,
    errors: report.errors.map(said),
    warnings: report.warnings.map(said),
    schema: report.schemaValid,
  };
}

function expectSame(report: FileReport, verdict: Verdict, name: string): void {
  const found = verdictOf(report);
  if (verdict.fatal !== undefined) {
    expect({ name, successful: found.successful }).toEqual({ name, successful: false });
    if (verdict.suggested) expect(found.errors[0]?.code).toBe(verdict.suggested.code);
    return;
  }
  const yaml = verdict.errors?.[0]?.code === "LOAD_ERR_YAML_PARSE";
  // Where a YAML parser gives up depends on the parser.
  const place = (list: Said[]) => (yaml ? list.map(({ code }) => ({ code })) : list);
  expect({ name, successful: found.successful, errors: place(found.errors), schema: found.schema }).toEqual({
    name,
    successful: verdict.successful,
    errors: place(verdict.errors ?? []) as Said[],
    schema: verdict.schema_valid,
  });
  if (verdict.warning_counts) {
    const counts: Record<string, number> = {};
    for (const w of found.warnings) counts[w.code] = (counts[w.code] ?? 0) + 1;
    expect(counts).toEqual(verdict.warning_counts);
    expect([found.warnings[0], found.warnings.at(-1)] as unknown[]).toEqual(verdict.warnings_sample as unknown[]);
  } else {
    expect({ name, warnings: found.warnings }).toEqual({ name, warnings: verdict.warnings ?? [] });
  }
}

/** The collection's short form of large values. */
function shorten(value: unknown, like: unknown): unknown {
  if (typeof value === "string" && isShort(like, "sha256")) {
    const bytes = Buffer.from(value, "utf8");
    return {
      length_chars: [...value].length,
      length_bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      start: [...value].slice(0, 60).join(""),
    };
  }
  if (Array.isArray(value) && isShort(like, "count")) {
    return { count: value.length, first: shorten(value[0], like["first"]), last: shorten(value.at(-1), like["last"]) };
  }
  if (Array.isArray(value)) return value.map((v, i) => shorten(v, (like as unknown[] | undefined)?.[i]));
  if (value && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([k, v]) => [k, shorten(v, (like as Record<string, unknown> | undefined)?.[k])]),
    );
  }
  return value;
}

function isShort(value: unknown, key: string): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && key in value;
}

const sorted = (list: readonly string[]): string[] => [...new Set(list)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

let allEvents: string[] | undefined;

function eventsOf(names: readonly string[]): unknown {
  allEvents ??= sorted(JSON.parse(readFileSync(sharedPath("verdicts", "all_events.json"), "utf8")) as string[]);
  const set = new Set(names);
  const missing = allEvents.filter((name) => !set.has(name));
  if (missing.length === 0) return "all";
  return missing.length < set.size ? { all_except: missing } : sorted(names);
}

/** What is resolved, in the collection's shape. */
function resolved(result: LoadResult): Record<string, unknown> {
  const all = describeAll(result);
  return {
    required_engine_version: all.required_engine_version,
    required_plugin_versions: all.required_plugin_versions,
    rules: all.rules.map(({ info, details: d }) => ({
      name: info.name,
      condition: info.condition,
      output: info.output,
      description: info.description,
      priority: info.priority,
      source: info.source,
      enabled: info.enabled,
      capture: info.capture,
      capture_duration: info.capture_duration,
      tags: info.tags,
      condition_compiled: d.condition_compiled,
      output_compiled: d.output_compiled,
      macros: sorted(d.macros),
      lists: sorted(d.lists),
      condition_operators: sorted(d.condition_operators),
      condition_fields: sorted(d.condition_fields),
      exception_fields: sorted(d.exception_fields),
      exception_names: sorted(d.exception_names),
      exception_operators: sorted(d.exception_operators),
      output_fields: d.output_fields,
      events: eventsOf(d.events),
    })),
    macros: all.macros.map(({ info, details: d }) => ({
      name: info.name,
      condition: info.condition,
      used: d.used,
      condition_compiled: d.condition_compiled,
      macros: sorted(d.macros),
      lists: sorted(d.lists),
      condition_fields: sorted(d.condition_fields),
      condition_operators: sorted(d.condition_operators),
      events: eventsOf(d.events),
    })),
    lists: all.lists.map(({ info, details: d }) => ({
      name: info.name,
      items_own: info.items,
      lists: sorted(d.lists),
      items_compiled: d.items_compiled,
      used: d.used,
    })),
  };
}

function sources(name: string): RuleSource[] {
  const names = readdirSync(DIR);
  if (names.includes(name)) {
    return json<{ order?: string[]; files: { file: string }[] }>(name, "verdict.json").files.map(({ file }) => ({
      name: file,
      content: readFileSync(sharedPath("verdicts", "rules", name, file)),
    }));
  }
  if (names.includes(`${name}.yaml`)) {
    return [{ name: `${name}.yaml`, content: readFileSync(sharedPath("verdicts", "rules", `${name}.yaml`)) }];
  }
  return [{ name: `${name}.yaml`, content: generate(json<Generated>(`${name}.gen.json`)) }];
}

const cases = HAS_SHARED
  ? [...new Set(readdirSync(DIR).map((file) => file.replace(/\.(yaml|gen\.json|verdict\.json|resolved\.json)$/, "")))]
  : [];

/** Throws when a case's reports or resolved facts are not the reference's. */
function compare(name: string): void {
  const result = loadRules(sources(name));
  const folder = readdirSync(DIR).includes(name);
  if (folder) {
    const { files } = json<{ files: Verdict[] }>(name, "verdict.json");
    files.forEach((verdict, i) => {
      expectSame(result.files[i] as FileReport, verdict, `${name}/${i + 1}`);
    });
  } else {
    expectSame(result.files[0] as FileReport, json<Verdict>(`${name}.verdict.json`), name);
  }
  const path = folder ? join(DIR, name, "resolved.json") : join(DIR, `${name}.resolved.json`);
  if (!existsSync(path)) return;
  const wanted = JSON.parse(readFileSync(path, "utf8")) as unknown;
  expect(shorten(resolved(result), wanted) as unknown).toEqual(wanted);
}

describe("rule file verdicts", () => {
  for (const name of cases) {
    const different = DIFFERENT[name];
    if (different === undefined) sharedTest(name, () => compare(name));
    else sharedTest(`${name} differs: ${different}`, () => expect(() => compare(name)).toThrow());
  }
});
