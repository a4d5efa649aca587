// SPDX-License-Identifier: Apache-2.0
// Exceptions of rules: reading them, checking them, and turning them into a part of the rule's condition.
import type { FieldRegistry } from "../fields/registry.ts";
import { isField } from "../filter/checker.ts";
import { isOperator, TRANSFORMER_NAMES } from "../filter/parser.ts";
import { fail, requireValue, scalarText } from "./decode.ts";
import type { ExceptionEntry, ExceptionItem } from "./items.ts";
import type { FileReport, Place } from "./messages.ts";
import { mapGet, type YamlNode } from "./yaml.ts";

/** Operators whose right-hand side is a list. */
const LIST_OPERATORS: ReadonlySet<string> = new Set(["in", "pmatch", "intersects"]);

/** Reads the value of `exceptions`; an empty value counts as none. */
export function readExceptions(node: YamlNode, rule: Place, appended: boolean, report: FileReport): ExceptionItem[] {
  if (node.kind === "scalar" && node.isNull) return [];
  const place = rule.inner("exceptions", "", node.offset);
  if (node.kind !== "seq") {
    fail("LOAD_ERR_YAML_VALIDATE", "'exceptions' must be a list of exceptions", place);
  }
  const seen = new Map<string, number>();
  return node.items.map((item) => {
    const exception = readException(item, rule, place, appended);
    const times = seen.get(exception.name) ?? 0;
    for (let i = 0; i < times; i++) {
      const message = `The exception name '${exception.name}' is used more than once in this rule`;
      report.warn("LOAD_EXCEPTION_NAME_NOT_UNIQUE", message, exception.place);
    }
    seen.set(exception.name, times + 1);
    return exception;
  });
}

function readException(node: YamlNode, rule: Place, exceptions: Place, appended: boolean): ExceptionItem {
  const unnamed = exceptions.inner("exception", "", node.offset);
  if (node.kind !== "map") {
    fail("LOAD_ERR_YAML_VALIDATE", "An exception must be a mapping with name, fields and values", unnamed);
  }
  const nameNode = requireValue(node, "name", unnamed);
  const name = scalarText(nameNode, unnamed.inner("value for", "name", nameNode.offset));
  const place = rule.inner("exception", name, node.offset);

  const fieldsNode = mapGet(node, "fields");
  if (!fieldsNode && !appended) {
    fail("LOAD_ERR_YAML_VALIDATE", "The key 'fields' is missing", place);
  }
  const compsNode = mapGet(node, "comps");
  const reader = new EntryReader();
  const fields = fieldsNode && reader.read(fieldsNode, "fields", place);
  const comps = compsNode && reader.read(compsNode, "comps", place);

  const values: ExceptionEntry[] = [];
  const valuesNode = mapGet(node, "values");
  if (valuesNode) {
    const at = place.inner("exception values", "", valuesNode.offset);
    if (valuesNode.kind !== "seq") {
      fail("LOAD_ERR_YAML_VALIDATE", "'values' must be a list", at);
    }
    for (const value of valuesNode.items) {
      values.push(reader.read(value, "", at.inner("exception value", "", value.offset)) ?? { item: "" });
    }
  }
  return { name, place, fields, comps, values };
}

/** Most values that one exception may have; an alias can stand for a list many times. */
const MAX_VALUES = 1_000_000;
/** Lists of values are lists of lists at most three levels deep; what lies deeper counts as empty. */
const MAX_LEVELS = 3;

/** Reads the scalars and lists of one exception. */
class EntryReader {
  private values = 0;

  /** A scalar or list; undefined for anything else. */
  read(node: YamlNode, key: string, parent: Place, level = 0): ExceptionEntry | undefined {
    const place = parent.inner("value for", key, node.offset);
    if (++this.values > MAX_VALUES) {
      fail("LOAD_ERR_YAML_VALIDATE", `An exception can have at most ${MAX_VALUES} values`, parent);
    }
    if (node.kind === "scalar" && !node.isNull) return { item: scalarText(node, place) };
    if (node.kind !== "seq" || level >= MAX_LEVELS) return undefined;
    const inner = (item: YamlNode) =>
      this.read(item, "", place.inner("exception value", "", item.offset), level + 1) ?? { item: "" };
    return { list: node.items.map(inner) };
  }
}

function isEmpty(entry: ExceptionEntry | undefined): boolean {
  return !entry || (entry.list ? entry.list.length === 0 : entry.item === "");
}

/** Text of an entry that should be a scalar. */
function itemOf(entry: ExceptionEntry): string {
  return entry.list ? "" : entry.item;
}

/** Operators that an exception of one field may have: those that take a list. */
function takesList(operator: string): boolean {
  return LIST_OPERATORS.has(operator) || (/ (oneof|anyof|allof)$/.test(operator) && isOperator(operator));
}

/** Fills in the operators that were left out and checks fields and operators of an exception. */
export function validateException(exception: ExceptionItem, registry: FieldRegistry): void {
  const { fields, place } = exception;
  if (!fields || isEmpty(fields)) {
    fail("LOAD_ERR_VALIDATE", "An exception needs 'fields', a field or a list of fields", place);
  }
  if (isEmpty(exception.comps)) {
    exception.comps = fields.list ? { list: fields.list.map(() => ({ item: "=" })) } : { item: "in" };
  }
  const comps = exception.comps as ExceptionEntry;
  const names = fields.list ?? [fields];
  const operators = comps.list ?? [comps];
  if (fields.list) {
    if (!comps.list) fail("LOAD_ERR_VALIDATE", "'comps' must be a list when 'fields' is one", place);
    if (names.length !== operators.length) {
      const message = `'fields' and 'comps' must have the same length, found ${names.length} and ${operators.length}`;
      fail("LOAD_ERR_VALIDATE", message, place);
    }
  } else if (comps.list || !takesList(comps.item)) {
    const message =
      "'comps' of a single field must be in, pmatch, intersects, or an operator followed by oneof, anyof or allof";
    fail("LOAD_ERR_VALIDATE", message, place);
  }
  for (const operator of operators.map(itemOf)) {
    if (!isOperator(operator.trim())) fail("LOAD_ERR_VALIDATE", `'${operator}' is no comparison operator`, place);
  }
  for (const name of names.map(itemOf)) {
    if (isField(name, registry)) continue;
    const near = registry.suggest(name);
    fail("LOAD_ERR_VALIDATE", `'${name}' is no field${near ? `; the nearest is '${near}'` : ""}`, place);
  }
}

/** A right-hand side that is a field or made by transformers. */
const CALL = new RegExp(`^(val|${TRANSFORMER_NAMES.join("|")})\\(.*\\)`);

/**
 * Text for a value or list item in a condition. What is quoted already, can stand bare or is a transformer is taken as
 * it is; anything else is quoted. An empty text stays empty.
 */
export function quoteValue(text: string): string {
  if (/^[^()"'\s=,]*$/.test(text) || /^(["']).*\1$/s.test(text) || CALL.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** `(a, b)` for a list operator, the bare value for others. */
function valueText(value: ExceptionEntry, operator: string): string {
  if (value.list) return `(${value.list.map((v) => quoteValue(itemOf(v))).join(", ")})`;
  if (!takesList(operator.trim())) return quoteValue(value.item);
  return value.item.startsWith("(") ? value.item : `(${quoteValue(value.item)})`;
}

/**
 * A rule's condition with its exceptions: `(condition) and not (…)` for every exception that has values. The fields
 * that came to be used are added to `fields`.
 */
export function withExceptions(condition: string, exceptions: readonly ExceptionItem[], fields: Set<string>): string {
  if (exceptions.length === 0) return condition;
  let text = `(${condition})`;
  for (const { fields: names, comps, values, place } of exceptions) {
    if (values.length === 0 || !names || !comps) continue;
    let part: string;
    if (names.list) {
      const columns = names.list.map((name, i) => ({ name: itemOf(name), operator: itemOf(comps.list?.[i] ?? comps) }));
      const rows = values.map((value) => {
        const cells = value.list ?? [value];
        if (!value.list || cells.length !== columns.length) {
          const found = value.list ? `a list of ${cells.length}` : "a scalar";
          fail(
            "LOAD_ERR_VALIDATE",
            `Each of 'values' must be a list of ${columns.length} values, found ${found}`,
            place,
          );
        }
        const checks = columns.map(
          ({ name, operator }, i) => `${name} ${operator} ${valueText(cells[i] as ExceptionEntry, operator)}`,
        );
        return `(${checks.join(" and ")})`;
      });
      for (const { name } of columns) fields.add(name);
      part = `(${rows.join(" or ")})`;
    } else {
      if (values.some((v) => v.list)) fail("LOAD_ERR_VALIDATE", "'values' of a single field must be scalars", place);
      fields.add(names.item);
      part = `${names.item} ${itemOf(comps)} ${valueText({ list: values }, "in")}`;
    }
    text += ` and not (${part})`;
  }
  return text;
}

/** Names, operators and fields of a rule's exceptions, for its description. */
export function exceptionOperators(exceptions: readonly ExceptionItem[]): Set<string> {
  const operators = new Set<string>();
  for (const { comps } of exceptions) {
    for (const comp of comps?.list ?? (comps ? [comps] : [])) operators.add(itemOf(comp).trim());
  }
  return operators;
}
