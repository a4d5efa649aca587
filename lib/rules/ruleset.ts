// SPDX-License-Identifier: Apache-2.0
// The rules that run, compiled: asks of every event which of them match.
import type { FieldRegistry } from "../fields/registry.ts";
import { type Ast, filterFacts } from "../filter/ast.ts";
import { syscallsOf } from "../filter/event_types.ts";
import { compileRuleset as compileFilters, type Ruleset as FilterSet, interpretRuleset } from "../filter/ruleset.ts";
import type { Format } from "../format/formatter.ts";
import { EVENT_MAX } from "../schema/events.ts";
import { SYSCALL_NAMES } from "../schema/tables/syscalls.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { CompiledRule } from "./compile.ts";
import type { LoadResult } from "./loader.ts";
import { compileOutput } from "./output.ts";
import { PRIORITY } from "./priority.ts";
import { type Selection, selector } from "./selection.ts";

/** A rule that runs. */
export interface LoadedRule {
  /** Position among the rules that run, in file order. */
  index: number;
  name: string;
  description: string;
  /** 0 Emergency … 7 Debug. */
  priority: number;
  source: string;
  /** Sorted, each once. */
  tags: readonly string[];
  /** Output with what the configuration appends. */
  output: Format;
  /** Whether a match records events to a file. */
  capture: boolean;
  /** ms to record; 0 = the configuration's default. */
  captureDuration: number;
}

export interface RulesetOptions {
  /** "first": at most one match per event, the first in file order; "all": every match, in file order. */
  matching?: "first" | "all";
  /** Event source whose rules are wanted. */
  source?: string;
  /** Rules of less priority (a higher number) are left out. */
  minPriority?: number;
  selection?: readonly Selection[];
  /** Text put behind a rule's output, with the blank before it. */
  appendOutput?: (rule: { name: string; source: string; tags: readonly string[] }) => string;
  /** Walk the trees instead of compiling them. */
  interpret?: boolean;
}

/** A condition that mentions the direction of events decides for itself which half of a call it wants. */
const DIRECTION = "evt.dir";

export class Ruleset {
  /** Rules that matched the last event, [0, n) with n as `match` returned it; reused. */
  readonly hits: LoadedRule[] = [];
  /** 1 for the event types that any rule wants, by event id. */
  readonly eventTypes = new Uint8Array(EVENT_MAX);
  private readonly indexes: number[] = [];

  constructor(
    readonly rules: readonly LoadedRule[],
    private readonly filters: FilterSet,
    /** Enter events of old captures: the rules that name the direction, and their positions in `rules`. */
    private readonly enter: { filters: FilterSet; positions: readonly number[] } | null,
    types: readonly Uint8Array[],
    private readonly first: boolean,
    private readonly conditions: readonly Ast[],
  ) {
    for (const mask of types) for (let i = 0; i < mask.length; i++) this.eventTypes[i]! |= mask[i]!;
  }

  /** Mask by system-call code (SC) of the calls that any rule wants. */
  syscalls(): Uint8Array {
    const wanted = new Uint8Array(SYSCALL_NAMES.length);
    for (const ast of this.conditions) {
      const calls = syscallsOf(ast);
      for (let i = 0; i < wanted.length; i++) wanted[i]! |= calls[i] ?? 0;
    }
    return wanted;
  }

  /** Names of the fields that conditions and outputs mention. */
  fields(): string[] {
    return [
      ...this.conditions.flatMap((ast) => filterFacts(ast).fields),
      ...this.rules.flatMap((rule) => rule.output.fields.map((f) => f.field.name)),
    ];
  }

  /** Number of rules that match the current event; they are in `hits`. */
  match(ctx: Context): number {
    if (ctx.ev.legacyEnter) return this.matchEnter(ctx);
    if (this.first) {
      const index = this.filters.first(ctx);
      if (index < 0) return 0;
      this.hits[0] = this.rules[index]!;
      return 1;
    }
    this.indexes.length = 0;
    const n = this.filters.all(ctx, this.indexes);
    for (let i = 0; i < n; i++) this.hits[i] = this.rules[this.indexes[i]!]!;
    return n;
  }

  private matchEnter(ctx: Context): number {
    if (!this.enter) return 0;
    const { filters, positions } = this.enter;
    if (this.first) {
      const index = filters.first(ctx);
      if (index < 0) return 0;
      this.hits[0] = this.rules[positions[index]!]!;
      return 1;
    }
    this.indexes.length = 0;
    const n = filters.all(ctx, this.indexes);
    for (let i = 0; i < n; i++) this.hits[i] = this.rules[positions[this.indexes[i]!]!]!;
    return n;
  }
}

/** Makes the ruleset of one event source. `loaded` must be successful. Throws OutputError when `appendOutput` is wrong. */
export function compileRuleset(loaded: LoadResult, options: RulesetOptions = {}): Ruleset {
  const { matching = "first", source = "syscall", minPriority = PRIORITY.DEBUG, interpret = false } = options;
  const runs = selector(options.selection ?? []);
  const chosen = loaded.compiled.rules.filter(
    ({ definition }) => definition.source === source && definition.priority <= minPriority && runs(definition),
  );
  const registry = loaded.collector.options.sources.get(source) as FieldRegistry;
  const rules = chosen.map(({ definition, output }, index): LoadedRule => {
    const { name, description, priority, tags, capture, captureDuration } = definition;
    const appended = options.appendOutput?.({ name, source, tags }) ?? "";
    const format = compileOutput(output + appended, registry);
    return { index, name, description, priority, source, tags, output: format, capture, captureDuration };
  });
  const make = interpret ? interpretRuleset : compileFilters;
  const positions = chosen.flatMap((rule, i) => (filterFacts(rule.ast).fields.includes(DIRECTION) ? [i] : []));
  const enter =
    positions.length === 0 ? null : { filters: make(positions.map((i) => chosen[i] as CompiledRule)), positions };
  return new Ruleset(
    rules,
    make(chosen),
    enter,
    chosen.map((rule) => rule.types),
    matching === "first",
    chosen.map((rule) => rule.ast),
  );
}
