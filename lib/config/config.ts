// SPDX-License-Identifier: Apache-2.0
// The configuration in force: falco.yaml, the files it includes, settings of the command line, defaults.
import { YamlError } from "../rules/yaml.ts";
import { type Checked, checkConfig, type Setting } from "./check.ts";
import { expandPath, FileError, readWhole } from "./files.ts";
import type { ConfigRecord } from "./key.ts";
import { type Environment, type MapNode, type Node, type Problem, parseMap } from "./node.ts";
import { applyOption } from "./option.ts";
import { type Key, SPECS, type ValueOf } from "./schema.ts";

export interface ConfigSources {
  /** falco.yaml; without it the defaults hold. */
  file?: string;
  /** Settings KEY=VALUE, applied last and in order. */
  options?: readonly string[];
  /** For ${NAME} in values. */
  env: Environment;
}

/** The configuration has mistakes: all of them, one per line. */
export class ConfigError extends Error {
  override name = "ConfigError";
  constructor(
    readonly errors: readonly Problem[],
    readonly warnings: readonly Problem[],
  ) {
    super(errors.map((e) => (e.place === "" ? e.text : `${e.place}: ${e.text}`)).join("\n"));
  }
}

export class Config {
  constructor(
    private readonly settings: ReadonlyMap<string, Setting>,
    /** Files that were read, in order. */
    readonly files: readonly string[],
    /** What is odd but no mistake. */
    readonly warnings: readonly Problem[],
  ) {}

  /** Value of a key, or its default. */
  get<K extends Key>(key: K): ValueOf<K> {
    return (this.settings.get(key)?.value ?? SPECS.get(key)?.default) as ValueOf<K>;
  }

  /** True when the key was given in a file or on the command line. */
  given(key: Key): boolean {
    return this.settings.has(key);
  }

  /** Where a key was given, for messages; "" when it was not. */
  place(key: Key): string {
    return this.settings.get(key)?.place ?? "";
  }
}

type Strategy = "append" | "override" | "add-only";

/** Reads files and merges them; mistakes are collected. */
class Loader {
  readonly root: MapNode = { kind: "map", place: "", entries: new Map() };
  readonly files: string[] = [];
  readonly errors: Problem[] = [];
  readonly warnings: Problem[] = [];

  constructor(private readonly env: Environment) {}

  /** Runs something that reads; returns undefined when it failed. */
  private attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      // Both name the file (and the line) themselves.
      if (!(error instanceof YamlError || error instanceof FileError)) throw error;
      this.errors.push({ place: "", text: error.message });
      return undefined;
    }
  }

  private read(path: string): MapNode | undefined {
    this.files.push(path);
    return this.attempt(() => parseMap(path, readWhole(path), this.env, this.warnings));
  }

  main(path: string): void {
    const map = this.read(path);
    if (map !== undefined) this.root.entries = map.entries;
  }

  /** Merges another file's keys at the top level, as the strategy says. */
  include(path: string, strategy: Strategy): void {
    for (const [key, entry] of this.read(path)?.entries ?? []) {
      const old = this.root.entries.get(key);
      if (key === "config_files") {
        this.errors.push({ place: entry.place, text: "config_files may only stand in the first file" });
      } else if (old === undefined || strategy === "override") {
        this.root.entries.set(key, entry);
      } else if (strategy === "append") {
        this.root.entries.set(key, { place: entry.place, node: appended(old.node, entry.node) });
      }
    }
  }

  /** Includes what config_files names. */
  includes(entries: readonly ConfigRecord[], place: string): void {
    for (const entry of entries) {
      const path = entry.get("path");
      if (typeof path !== "string" || path === "") {
        this.errors.push({ place, text: "config_files: an entry has no path" });
        continue;
      }
      const strategy = (entry.get("strategy") ?? "append") as Strategy;
      const found = expandPath(path);
      if ("missing" in found) this.warnings.push({ place, text: `config_files: ${found.missing}` });
      else for (const file of found.files) this.include(file, strategy);
    }
  }
}

/** A list grows by another list; anything else is replaced. */
function appended(old: Node, added: Node): Node {
  if (old.kind !== "list" || added.kind !== "list") return added;
  return { kind: "list", place: added.place, items: [...old.items, ...added.items] };
}

/**
 * Reads and checks the whole configuration. Throws ConfigError with the mistakes of all files and settings at once;
 * what is only odd is in `Config.warnings`.
 */
export function loadConfig(sources: ConfigSources): Config {
  const loader = new Loader(sources.env);
  if (sources.file !== undefined) loader.main(sources.file);
  const options = sources.options ?? [];

  // Which files to include may be set on the command line too.
  const isInclude = (option: string): boolean => /^config_files\b/.test(option);
  const apply = (list: readonly string[]): void => {
    for (const option of list) {
      const problem = applyOption(loader.root, option, sources.env);
      if (problem !== null) loader.errors.push(problem);
    }
  };
  apply(options.filter(isInclude));
  const includes = loader.root.entries.get("config_files");
  if (includes !== undefined) {
    const only: MapNode = { kind: "map", place: "", entries: new Map([["config_files", includes]]) };
    const setting = checkConfig(only).settings.get("config_files");
    if (setting !== undefined) loader.includes(setting.value as readonly ConfigRecord[], setting.place);
  }
  apply(options.filter((option) => !isInclude(option)));

  const checked: Checked = checkConfig(loader.root);
  const errors = [...loader.errors, ...checked.errors];
  const warnings = [...loader.warnings, ...checked.warnings];
  if (errors.length > 0) throw new ConfigError(errors, warnings);
  return new Config(checked.settings, loader.files, warnings);
}
