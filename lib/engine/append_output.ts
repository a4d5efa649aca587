// SPDX-License-Identifier: Apache-2.0
// What the configuration adds to the alerts of rules: append_output, static_fields, and -p of the command line.
import type { Config } from "../config/config.ts";
import type { FieldList } from "../config/key.ts";
import { FieldArgError, UnknownFieldError } from "../fields/field.ts";
import type { FieldRegistry, ResolvedField } from "../fields/registry.ts";
import { isStaticName, staticFields } from "../fields/static.ts";
import { fieldJson } from "../fields/values.ts";
import { FormatError } from "../format/error.ts";
import { compileFormat } from "../format/formatter.ts";
import type { ExtraOutput } from "../rules/describe.ts";
import { ruleFields } from "../rules/loader.ts";
import { toText } from "../scap/bytes.ts";
import type { Context } from "../sinsp/inspector.ts";

/** A rule as far as `match` of append_output looks at it. */
export interface MatchableRule {
  readonly name: string;
  readonly source: string;
  readonly tags: readonly string[];
}

/** A field that is added to output_fields: its name (UTF-16) and its value as JSON source text. */
export interface ExtraField {
  readonly name: string;
  /** What its value is made from: a format, "%name" for a field alone. */
  readonly format: string;
  /** Names of the fields in it. */
  readonly fields: readonly string[];
  json(ctx: Context): string;
}

/** Presets of -p. */
const PRESETS: Readonly<Record<string, string>> = {
  c: "container=%container.name (id=%container.id)",
  container: "container=%container.name (id=%container.id)",
  k: "k8s.ns=%k8s.ns.name k8s.pod=%k8s.pod.name container=%container.id",
  kubernetes: "k8s.ns=%k8s.ns.name k8s.pod=%k8s.pod.name container=%container.id",
};

interface Entry {
  source: string | undefined;
  rule: string | undefined;
  tags: readonly string[];
  /** Text to put behind the output. */
  text: string;
  fields: ExtraField[];
}

/** Fields that are worth knowing for every rule: ` container_id=%container.id …`. */
function suggestedOutput(registry: FieldRegistry): string {
  const names = registry.classes.flatMap((c) => c.fields.filter((f) => f.flags.suggested).map((f) => f.name));
  return names.map((name) => `${name.replaceAll(".", "_")}=%${name}`).join(" ");
}

function matches(entry: Entry, rule: MatchableRule): boolean {
  return (
    (entry.source === undefined || entry.source === rule.source) &&
    (entry.rule === undefined || entry.rule === rule.name) &&
    entry.tags.every((tag) => rule.tags.includes(tag))
  );
}

function rawField(name: string, registry: FieldRegistry): ExtraField {
  const open = name.indexOf("[");
  const bracketed = open > 0 && name.endsWith("]");
  const argument = bracketed ? name.slice(open + 1, -1) : null;
  const field: ResolvedField = registry.resolve(bracketed ? name.slice(0, open) : name, argument);
  return {
    name: toText(field.token),
    format: `%${toText(field.token)}`,
    fields: [field.field.name],
    json: (ctx) => fieldJson(field, ctx) ?? "null",
  };
}

function textField(name: string, format: string, registry: FieldRegistry): ExtraField {
  const compiled = compileFormat(format, { registry, tolerant: true });
  const fields = compiled.fields.map((f) => f.field.name);
  return { name, format, fields, json: (ctx) => JSON.stringify(toText(compiled.text(ctx) ?? "")) };
}

/** Additions of one configuration; mistakes in them are in `errors`. */
export class AppendOutput {
  readonly errors: string[] = [];
  /** The fields of rules, with those of static_fields. */
  readonly registry: FieldRegistry;
  private readonly entries: Entry[] = [];

  /** `print` is the value of -p. */
  constructor(config: Config, print?: string) {
    this.registry = this.withStatic(config);
    const place = config.place("append_output");
    config.get("append_output").forEach((record, i) => {
      const path = `${place}: append_output[${i}]`;
      const texts: string[] = [];
      const extra = record.get("extra_output") as string | undefined;
      if (extra !== undefined && extra !== "") texts.push(this.checked(extra, `${path}.extra_output`));
      if (record.get("suggested_output") === true) texts.push(suggestedOutput(this.registry));
      const list = (record.get("extra_fields") ?? []) as FieldList;
      this.entries.push({
        source: record.get("match.source") as string | undefined,
        rule: record.get("match.rule") as string | undefined,
        tags: (record.get("match.tags") ?? []) as readonly string[],
        text: texts.filter((t) => t !== "").join(" "),
        fields: list.flatMap(([name, format]) => this.field(name, format, `${path}.extra_fields`)),
      });
    });
    if (print !== undefined && print !== "") {
      const text = PRESETS[print] ?? this.checked(print, "-p");
      this.entries.push({ source: undefined, rule: undefined, tags: [], text, fields: [] });
    }
  }

  private withStatic(config: Config): FieldRegistry {
    const values = config.get("static_fields");
    for (const name of values.keys()) {
      if (isStaticName(name)) continue;
      const where = config.place("static_fields");
      this.errors.push(`${where}: static_fields: 'static.${name}' cannot be the name of a field`);
    }
    return values.size === 0 ? ruleFields : ruleFields.with(staticFields(values));
  }

  /** Text to put behind a rule's output, a blank first; "" for none. */
  text(rule: MatchableRule): string {
    return this.entries.map((e) => (e.text !== "" && matches(e, rule) ? ` ${e.text}` : "")).join("");
  }

  /** Fields to add to output_fields. */
  fields(rule: MatchableRule): ExtraField[] {
    return this.entries.flatMap((e) => (matches(e, rule) ? e.fields : []));
  }

  /** What is added to a rule, for its description. */
  describe(rule: MatchableRule): ExtraOutput {
    const fields = this.fields(rule);
    const alone = fields.filter((f) => f.format === `%${f.name}`);
    const formatted = fields.filter((f) => f.format !== `%${f.name}`);
    return {
      text: this.text(rule),
      formatted: Object.fromEntries(formatted.map((f) => [f.name, f.format])),
      fields: [...alone, ...formatted].map((f) => f.format),
    };
  }

  /** The format, compiled once to find its mistakes. */
  private checked(format: string, where: string): string {
    this.attempt(where, () => compileFormat(format, { registry: this.registry, tolerant: true }));
    return format;
  }

  private field(name: string, format: string | null, where: string): ExtraField[] {
    const made = this.attempt(where, () =>
      format === null ? rawField(name, this.registry) : textField(name, format, this.registry),
    );
    return made === undefined ? [] : [made];
  }

  private attempt<T>(where: string, make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof FieldArgError || error instanceof UnknownFieldError)) {
        throw error;
      }
      this.errors.push(`${where}: ${error.message}`);
      return undefined;
    }
  }
}
