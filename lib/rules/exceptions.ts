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
  const reader = new ExceptionReader(rule, place, appended, report);
  return node.items.map((item) => reader.read(item));
}

/** Reads the exceptions of one rule item. */
class ExceptionReader {
  /** How often a name was used. */
  private readonly names = new Map<string, number>();

  constructor(
    private readonly rule: Place,
    private readonly exceptions: Place,
    private readonly appended: boolean,
    private readonly report: FileReport,
  ) {}

  read(node: YamlNode): ExceptionItem {
    const unnamed = this.exceptions.inner("exception", "", node.offset);
    if (node.kind !== "map") {
      fail("LOAD_ERR_YAML_VALIDATE", "An exception must be a mapping with name, fields and values", unnamed);
    }
    const nameNode = requireValue(node, "name", unnamed);
    const name = scalarText(nameNode, unnamed.inner("value for", "name", nameNode.offset));
    const place = this.rule.inner("exception", name, node.offset);
    this.noteName(name, place);

    const fieldsNode = mapGet(node, "fields");
    if (!fieldsNode && !this.appended) fail("LOAD_ERR_YAML_VALIDATE", "The key 'fields' is missing", place);
    const compsNode = mapGet(node, "comps");
    const entries = new EntryReader();
    const fields = fieldsNode && entries.read(fieldsNode, "fields", place);
    const comps = compsNode && entries.read(compsNode, "comps", place);

    const values: ExceptionEntry[] = [];
    const valuesNode = mapGet(node, "values");
    if (valuesNode) {
      const at = place.inner("exception values", "", valuesNode.offset);
      if (valuesNode.kind !== "seq") fail("LOAD_ERR_YAML_VALIDATE", "'values' must be a list", at);
      for (const value of valuesNode.items) {
        values.push(entries.read(value, "", at.inner("exception value", "", value.offset)) ?? { item: "" });
      }
    } else if (this.appended) {
      this.report.warn("LOAD_APPEND_NO_VALUES", `Exception '${name}' is appended to without values`, place);
    }
    return { name, place, fields, comps, values };
  }

  /** Warns about a name for every time it was used before. */
  private noteName(name: string, place: Place): void {
    const times = this.names.get(name) ?? 0;
    this.names.set(name, times + 1);
    for (let i = 0; i < times; i++) {
      const message = `The exception name '${name}' is used more than once in this rule`;
      this.report.warn("LOAD_EXCEPTION_NAME_NOT_UNIQUE", message, place);
    }
  }
}

/** Most values that one exception may have; an alias can stand for a list many times. */
const MAX_VALUES = 1_000_000;

/** Reads the scalars and lists of one exception. */
class EntryReader {
  private values = 0;
  /** Lists that are being read: by an alias one can contain itself. */
  private readonly open = new Set<YamlNode>();

  /** A scalar or list; undefined for anything else. */
  read(node: YamlNode, key: string, parent: Place): ExceptionEntry | undefined {
    const place = parent.inner("value for", key, node.offset);
    if (++this.values > MAX_VALUES) {
      fail("LOAD_ERR_YAML_VALIDATE", `An exception can have at most ${MAX_VALUES} values`, parent);
    }
    if (node.kind === "scalar" && !node.isNull) return { item: scalarText(node, place) };
    if (node.kind !== "seq") return undefined;
    if (this.open.has(node)) fail("LOAD_ERR_YAML_VALIDATE", "The list contains itself", parent);
    this.open.add(node);
    const inner = (item: YamlNode) => this.read(item, "", place.inner("exception", "", item.offset)) ?? { item: "" };
    const list = node.items.map(inner);
    this.open.delete(node);
    return { list };
  }
}

/** Whether an entry is there and not empty. */
export function isGiven(entry: ExceptionEntry | undefined): entry is ExceptionEntry {
  return entry !== undefined && (entry.list ? entry.list.length > 0 : entry.item !== "");
}

/** Text of an entry that should be a scalar. */
function itemOf(entry: ExceptionEntry): string {
  return entry.list ? "" : entry.item;
}

/** Operators that an exception of one field may have: those that take a list. */
function takesList(operator: string): boolean {
  return LIST_OPERATORS.has(operator) || (/ (oneof|anyof|allof)$/.test(operator) && isOperator(operator));
}

/** An operator without the blanks around it. */
function operatorOf(entry: ExceptionEntry): string {
  return itemOf(entry).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

/**
 * Fills in the operators that were left out and checks fields and operators of an exception. Without `registry` any
 * field will do.
 */
export function validateException(exception: ExceptionItem, registry: FieldRegistry | undefined): void {
  const { fields, place } = exception;
  if (!isGiven(fields)) {
    fail("LOAD_ERR_VALIDATE", "An exception needs 'fields', a field or a list of fields", place);
  }
  if (!isGiven(exception.comps)) {
    exception.comps = fields.list ? { list: fields.list.map(() => ({ item: "=" })) } : { item: "in" };
  }
  const { comps } = exception;
  if (fields.list) {
    if (!comps.list) fail("LOAD_ERR_VALIDATE", "'comps' must be a list when 'fields' is one", place);
    if (fields.list.length !== comps.list.length) {
      const message = `'fields' and 'comps' must have the same length, found ${fields.list.length} and ${comps.list.length}`;
      fail("LOAD_ERR_VALIDATE", message, place);
    }
    const operators = comps.list.map(operatorOf);
    const wrong = operators.find((operator) => !isOperator(operator));
    if (wrong !== undefined) fail("LOAD_ERR_VALIDATE", `'${wrong}' is no comparison operator`, place);
    exception.comps = { list: operators.map((item) => ({ item })) };
  } else {
    const operator = operatorOf(comps);
    if (comps.list || !takesList(operator)) {
      const message =
        "'comps' of a single field must be in, pmatch, intersects, or an operator followed by oneof, anyof or allof";
      fail("LOAD_ERR_VALIDATE", message, place);
    }
    exception.comps = { item: operator };
  }
  for (const name of (fields.list ?? [fields]).map(itemOf)) {
    if (registry === undefined || isField(name, registry)) continue;
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

/** Parts of a scalar that stands for a list: what lies between commas outside of quotes. */
const PART = /(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^,])+/gs;

/** A part with quotes where it needs them; the blanks around it stay. */
function quotePart(part: string): string {
  const [, front = "", text = "", back = ""] = /^(\s*)(.*?)(\s*)$/s.exec(part) ?? [];
  return front + quoteValue(text) + back;
}

/** `(a, b)` for a list operator, the bare value for others. */
function valueText(value: ExceptionEntry, operator: string): string {
  if (value.list) return `(${value.list.map((v) => quoteValue(itemOf(v))).join(", ")})`;
  if (!takesList(operator)) return quoteValue(value.item);
  return value.item.startsWith("(") ? value.item : `(${value.item.replace(PART, quotePart)})`;
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
          ({ name, operator }, i) => ` ${name} ${operator} ${valueText(cells[i] as ExceptionEntry, operator)}`,
        );
        return `(${checks.join(" and ")})`;
      });
      for (const { name } of columns) fields.add(name);
      part = `(${rows.join(" or ")})`;
    } else {
      if (values.some((v) => v.list)) fail("LOAD_ERR_VALIDATE", "'values' of a single field must be scalars", place);
      fields.add(names.item);
      part = `(${names.item} ${itemOf(comps)} ${valueText({ list: values }, "in")})`;
    }
    text += ` and not ${part}`;
  }
  return text;
}

/** Names, operators and fields of a rule's exceptions, for its description. */
export function exceptionOperators(exceptions: readonly ExceptionItem[]): Set<string> {
  const operators = new Set<string>();
  for (const { comps } of exceptions) {
    for (const comp of comps?.list ?? (comps ? [comps] : [])) operators.add(itemOf(comp));
  }
  return operators;
}
