// SPDX-License-Identifier: Apache-2.0
// Makes alerts of matches: a compiled ruleset with, for each rule, the ready recipe of its alert.
import { fieldJson } from "../fields/values.ts";
import type { Format } from "../format/formatter.ts";
import { type Alert, type AlertStyle, timeField } from "../outputs/alert.ts";
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

/** A field as it stands in the JSON object: `"name":` and its value. */
interface FieldMaker {
  readonly key: string;
  json(ctx: Context): string;
}

/** All fields of a rule's alerts in order of their names; of equal names the last wins. */
function fieldMakers(rule: AlertingRule, append: AppendOutput, style: AlertStyle): FieldMaker[] {
  const byName = new Map<string, (ctx: Context) => string>();
  for (const field of rule.output.fields) byName.set(toText(field.token), (ctx) => fieldJson(field, ctx) ?? "null");
  for (const extra of append.fields(rule)) byName.set(extra.name, (ctx) => extra.json(ctx));
  byName.set(timeField(style), (ctx) => String(ctx.ev.timeExact()));
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, json], i) => ({ key: `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`, json }));
}

function recipe(rule: AlertingRule, append: AppendOutput, style: AlertStyle, hostname: string): Recipe {
  const { name, priority, source, tags, output } = rule;
  const makers = style.json && style.includeFields ? fieldMakers(rule, append, style) : [];
  const fieldsOf = (ctx: Context): string => {
    let text = "";
    for (const maker of makers) text += maker.key + maker.json(ctx);
    return text === "" ? "" : `${text}}`;
  };
  return (ctx) => ({
    rule: name,
    priority,
    source,
    tags,
    time: ctx.ev.timeExact(),
    hostname,
    message: output.text(ctx) ?? "",
    fields: fieldsOf(ctx),
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
