// SPDX-License-Identifier: Apache-2.0
// The items of rule files as data: what the reader makes, the collector merges and the compiler uses.
import type { Place } from "./messages.ts";

/** A scalar or list of an exception; lists may nest. */
export type ExceptionEntry = { item: string; list?: undefined } | { list: ExceptionEntry[] };

export interface ExceptionItem {
  name: string;
  place: Place;
  /** Undefined when the key is missing or its value is neither scalar nor list. */
  fields: ExceptionEntry | undefined;
  comps: ExceptionEntry | undefined;
  values: ExceptionEntry[];
}

/** A text with the place it was read from. */
export interface PlacedText {
  text: string;
  /** Place in the item that defined the rule or macro first; places in the text are told relative to it. */
  place: Place;
  /** Where the text stands, when an `override` replaced it. */
  replacedAt?: Place;
}

/** Values of a rule item; undefined when the item does not have the key. */
export interface RuleValues {
  condition?: PlacedText | undefined;
  output?: PlacedText | undefined;
  desc?: string | undefined;
  priority?: number | undefined;
  source?: string | undefined;
  enabled?: boolean | undefined;
  capture?: boolean | undefined;
  capture_duration?: number | undefined;
  warn_evttypes?: boolean | undefined;
  "skip-if-unknown-filter"?: boolean | undefined;
  tags?: string[] | undefined;
  exceptions?: ExceptionItem[] | undefined;
}

export interface Definition {
  name: string;
  place: Place;
  /** Rank by first definition. */
  index: number;
  /** Rank of the last change: what a list or macro may refer to must rank before it. */
  visibility: number;
}

export interface ListDefinition extends Definition {
  items: string[];
}

export interface MacroDefinition extends Definition {
  condition: PlacedText;
}

export interface RuleDefinition extends Definition {
  condition: PlacedText;
  output: PlacedText;
  description: string;
  priority: number;
  source: string;
  /** The source is not loaded; the rule takes part in nothing but redefinition. */
  unknownSource: boolean;
  enabled: boolean;
  capture: boolean;
  /** ms; 0 = the configuration's default. */
  captureDuration: number;
  warnEventTypes: boolean;
  skipIfUnknownFilter: boolean;
  /** Sorted, each once. */
  tags: string[];
  exceptions: ExceptionItem[];
}

/** A version of three numbers. */
export type Version = readonly [number, number, number];

export function versionText(version: Version): string {
  return version.join(".");
}

const VERSION = /^[\t-\r ]*\+?([0-9]{1,9})\.[\t-\r ]*\+?([0-9]{1,9})\.[\t-\r ]*\+?([0-9]{1,9})/;

/** Three numbers at the beginning of a text; undefined when it begins otherwise. */
export function parseVersion(text: string): Version | undefined {
  const m = VERSION.exec(text);
  return m ? [Number(m[1]), Number(m[2]), Number(m[3])] : undefined;
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export interface PluginVersion {
  name: string;
  version: string;
}

export interface PluginRequirement extends PluginVersion {
  alternatives: PluginVersion[];
}
