// SPDX-License-Identifier: Apache-2.0
// What can be said about a rule file: codes with their meaning, places inside places, errors and warnings.
import type { Position, YamlFile } from "./yaml.ts";

/** Codes of errors. */
export const ERROR_CODES = {
  LOAD_ERR_FILE_READ: {
    short: "File read error",
    long: "The rule file could not be opened or read.",
  },
  LOAD_ERR_YAML_PARSE: {
    short: "YAML parse error",
    long: "The text is not valid YAML.",
  },
  LOAD_ERR_YAML_VALIDATE: {
    short: "Error validating internal structure of YAML file",
    long: "The YAML is valid, but an item lacks a key, has a value of the wrong type, or is nested wrongly.",
  },
  LOAD_ERR_COMPILE_CONDITION: {
    short: "Error compiling condition",
    long: "A condition does not follow the filter grammar, or names a field, event type, operator or value that does not exist or does not fit.",
  },
  LOAD_ERR_COMPILE_OUTPUT: {
    short: "Error compiling output",
    long: "An output does not follow the format grammar or names a field that does not exist.",
  },
  LOAD_ERR_VALIDATE: {
    short: "Error validating rule/macro/list/exception objects",
    long: "An item contradicts another one: it refers to something that is not defined, or changes it in a way that is not allowed.",
  },
  LOAD_ERR_EXTENSION: {
    short: "Error in extension item",
    long: "An extension to the rule file format is wrong.",
  },
} as const;

/** Codes of warnings. */
export const WARNING_CODES = {
  LOAD_UNKNOWN_SOURCE: {
    short: "Unknown event source",
    long: "A rule is for an event source that is not loaded. The rule is skipped.",
  },
  LOAD_UNSAFE_NA_CHECK: {
    short: "Unsafe <NA> comparison in condition",
    long: "A condition compares a field with <NA>, which is only the printed form of a value that is missing. Use exists instead.",
  },
  LOAD_NO_EVTTYPE: {
    short: "Condition has no event-type restriction",
    long: "A condition can match most event types, so it is evaluated for every event. Restrict it with evt.type.",
  },
  LOAD_UNKNOWN_FILTER: {
    short: "Unknown field or event-type in condition or output",
    long: "A rule names a field or event type that does not exist; it is skipped because skip-if-unknown-filter is set.",
  },
  LOAD_UNUSED_MACRO: {
    short: "Unused macro",
    long: "No rule and no other macro refers to this macro.",
  },
  LOAD_UNUSED_LIST: {
    short: "Unused list",
    long: "No rule, macro or other list refers to this list.",
  },
  LOAD_UNKNOWN_ITEM: {
    short: "Unknown rules file item",
    long: "An item of the file is none of the kinds of item that are known. It is ignored.",
  },
  LOAD_DEPRECATED_ITEM: {
    short: "Used deprecated item",
    long: "Something is used that has a newer spelling and will go away.",
  },
  LOAD_WARNING_EXTENSION: {
    short: "Warning in extension item",
    long: "An extension to the rule file format is doubtful.",
  },
  LOAD_APPEND_NO_VALUES: {
    short: "Appended exception has no values",
    long: "An exception is appended to without giving values, so nothing changes.",
  },
  LOAD_EXCEPTION_NAME_NOT_UNIQUE: {
    short: "Multiple exceptions defined with the same name",
    long: "A rule has several exceptions of one name. Values that are appended later go to the first of them.",
  },
  LOAD_INVALID_MACRO_NAME: {
    short: "Invalid macro name",
    long: "A macro's name must begin with a letter and consist of letters, digits and underscores, or no condition can use it.",
  },
  LOAD_INVALID_LIST_NAME: {
    short: "Invalid list name",
    long: "A list's name must not contain blanks, quotes, commas, equals signs or parentheses.",
  },
  LOAD_COMPILE_CONDITION: {
    short: "Warning in rule condition",
    long: "A condition is valid, but probably does not mean what it says.",
  },
  LOAD_UNKNOWN_KEY: {
    short: "Unknown key",
    long: "An item has a key that it does not know. The key is ignored.",
  },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
export type WarningCode = keyof typeof WARNING_CODES;

/** Meaning of a code: in a few words, and in a sentence. */
export function describeCode(code: ErrorCode | WarningCode): { short: string; long: string } {
  return { ...ERROR_CODES, ...WARNING_CODES }[code];
}

export type ItemType =
  | "rules content"
  | "rules content item"
  | "required_engine_version"
  | "required plugin versions"
  | "required plugin versions entry"
  | "required plugin versions alternative"
  | "list"
  | "list item"
  | "macro"
  | "macro condition"
  | "rule"
  | "rule condition"
  | "condition expression"
  | "rule output"
  | "rule priority"
  | "overrides"
  | "exceptions"
  | "exception"
  | "exception values"
  | "exception value"
  | "value for";

/** Part of a condition: where in its text, counted from 1 as the filter parser does; line and col 0 for all of it. */
export interface InCondition {
  text: string;
  line: number;
  col: number;
}

/** Bytes of the text before a place in it. */
function offsetIn({ text, line, col }: InCondition): number {
  const before = text.split(/[\r\n]/).slice(0, Math.max(0, line - 1));
  return before.reduce((sum, l) => sum + Buffer.byteLength(l) + 1, Math.max(0, col - 1));
}

/** One place with the places it lies in. */
export class Place {
  constructor(
    readonly type: ItemType,
    readonly name: string,
    readonly file: YamlFile,
    /** Index in `file.text`. */
    readonly at: number,
    readonly parent: Place | null,
    /** Set for a part of a condition; `at` is then where the item begins that holds the condition. */
    readonly inCondition: InCondition | null = null,
  ) {}

  /** A place inside this one. */
  inner(type: ItemType, name: string, at: number): Place {
    return new Place(type, name, this.file, at, this);
  }

  /** A place in the text of this condition. */
  expression(part: InCondition): Place {
    return new Place("condition expression", "", this.file, this.at, this, part);
  }

  /** From the file down to this place. */
  chain(): Place[] {
    const chain: Place[] = [];
    for (let place: Place | null = this; place; place = place.parent) chain.unshift(place);
    return chain;
  }

  /** Line and column as the reference gives them: for a part of a condition, its place in the text is added. */
  position(): Position {
    const base = this.file.position(this.at);
    const part = this.inCondition;
    if (!part) return base;
    return { line: base.line + part.line, column: base.column + part.col, offset: base.offset + offsetIn(part) };
  }

  /** Lines of text around the place with a caret under it. */
  snippet(): string {
    const part = this.inCondition;
    if (part && part.line > 0) return withCaret(part.text.split(/[\r\n]/)[part.line - 1] ?? "", part.col - 1);
    if (part) return withCaret(part.text.split(/[\r\n]/)[0] ?? "", 0);
    const { line, column } = this.file.position(this.at);
    return withCaret(this.file.line(line), column);
  }

  /** What the place's position counts in: the file's name, or the beginning of the condition's text in quotes. */
  positionName(): string {
    const part = this.inCondition;
    if (!part) return this.file.name;
    const text = part.text.replace(/\s+/g, " ");
    return JSON.stringify(text.length > 20 ? `${text.slice(0, 17)}...` : text);
  }
}

/** Widest line of text shown; a longer one is cut around the caret. */
const SNIPPET_WIDTH = 160;

/** A line and below it a caret under a byte column. */
function withCaret(line: string, column: number): string {
  const before = Buffer.from(line).subarray(0, column).toString();
  let text = line;
  let at = before.length;
  if (text.length > SNIPPET_WIDTH) {
    const from = Math.max(0, Math.min(at - SNIPPET_WIDTH / 2, text.length - SNIPPET_WIDTH));
    text = text.slice(from, from + SNIPPET_WIDTH);
    at -= from;
  }
  return `${text}\n${text.slice(0, at).replace(/[^\t]/g, " ").padEnd(at)}^\n`;
}

/** An error or warning about a place in a rule file. */
export interface Issue<C extends ErrorCode | WarningCode = ErrorCode | WarningCode> {
  code: C;
  message: string;
  place: Place;
  /** The field, when the issue is the use of a deprecated one. */
  deprecatedField?: string;
}

/** A mistake that ends the reading or compiling of one item. */
export class RuleError extends Error {
  override name = "RuleError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }

  issue(): Issue<ErrorCode> {
    return { code: this.code, message: this.message, place: this.place };
  }
}

/** Most further errors and most warnings that are kept of a file. */
const MAX_MORE_ERRORS = 1000;
const MAX_WARNINGS = 100_000;

/**
 * What was found in one file. The loader goes on after the first error to find the others; they and the warnings that
 * come after it are kept apart, because an item that failed may be the reason for them.
 */
export class FileReport {
  /** Nothing, or the first error. */
  readonly errors: Issue<ErrorCode>[] = [];
  readonly warnings: Issue<WarningCode>[] = [];
  readonly moreErrors: Issue<ErrorCode>[] = [];
  readonly moreWarnings: Issue<WarningCode>[] = [];
  /** Result of comparing the file with the table of keys; null when it was not compared. */
  schemaValid: boolean | null = null;
  schemaWarnings: string[] = [];

  constructor(readonly name: string) {}

  get successful(): boolean {
    return this.errors.length === 0;
  }

  /** How many errors and warnings were found that are not kept. */
  dropped = 0;

  error(error: RuleError): void {
    if (this.successful) this.errors.push(error.issue());
    else if (this.moreErrors.length < MAX_MORE_ERRORS) this.moreErrors.push(error.issue());
    else this.dropped++;
  }

  warn(code: WarningCode, message: string, place: Place, deprecatedField?: string): void {
    const issue: Issue<WarningCode> = { code, message, place };
    if (deprecatedField !== undefined) issue.deprecatedField = deprecatedField;
    const warnings = this.successful ? this.warnings : this.moreWarnings;
    if (warnings.length < MAX_WARNINGS) warnings.push(issue);
    else this.dropped++;
  }
}
