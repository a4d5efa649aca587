// SPDX-License-Identifier: Apache-2.0
// Makes alerts of matches: a compiled ruleset with, for each rule, the ready recipe of its alert.
import { fieldJson } from "../fields/values.ts";
import type { Format } from "../format/formatter.ts";
import type { Alert, AlertStyle } from "../outputs/alert.ts";
import { toText } from "../scap/bytes.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { AppendOutput } from "./append_output.ts";
import type { Detection, MatchedRule, Matcher } from "./engine.ts";

/** A rule of a compiled ruleset. */
export interface AlertingRule extends MatchedRule {
  readonly source: string;
  /** In byte order. */
  readonly tags: readonly string[];
  /** Output with what the configuration appends. */
  readonly output: Format;
}

export interface AlertingRuleset extends Matcher {
  readonly rules: readonly AlertingRule[];
}

/** Makes the alerts of one rule. */
type Recipe = (ctx: Context) => Alert;

const NO_FIELDS: Alert["fields"] = [];

function recipe(rule: AlertingRule, append: AppendOutput, style: AlertStyle, hostname: string): Recipe {
  const { name, priority, source, tags, output } = rule;
  const wanted = style.json && style.includeFields;
  const plain = output.fields.map((field) => ({ field, name: toText(field.token) }));
  const extra = append.fields(rule);
  const fieldsOf = (ctx: Context): Alert["fields"] => {
    const fields: [string, string][] = [];
    for (const f of plain) fields.push([f.name, fieldJson(f.field, ctx) ?? "null"]);
    for (const f of extra) fields.push([f.name, f.json(ctx)]);
    return fields;
  };
  return (ctx) => ({
    rule: name,
    priority,
    source,
    tags,
    time: ctx.ev.timeExact(),
    hostname,
    message: output.text(ctx) ?? "",
    fields: wanted ? fieldsOf(ctx) : NO_FIELDS,
  });
}

/** Joins a ruleset with the look of its alerts. */
export function makeDetection(
  ruleset: AlertingRuleset,
  append: AppendOutput,
  style: AlertStyle,
  hostname: string,
): Detection {
  const recipes = ruleset.rules.map((rule) => recipe(rule, append, style, hostname));
  return { matcher: ruleset, alert: (rule, ctx) => (recipes[rule.index] as Recipe)(ctx) };
}
