// SPDX-License-Identifier: Apache-2.0
// Loads rule files in order: read, collect, compile; one report per file.
import { builtinFields } from "../fields/registry.ts";
import { Collector, type LoaderOptions } from "./collector.ts";
import { CompileCache, type Compiled, compileCollected } from "./compile.ts";
import type { Version } from "./items.ts";
import { FileReport, Place, RuleError } from "./messages.ts";
import { parseRuleFile, Reader } from "./reader.ts";
import { checkSchema } from "./schema.ts";
import { YamlFile } from "./yaml.ts";

/** Version of the rule language; rule files may require one. */
export const ENGINE_VERSION: Version = [0, 63, 0];

/** Plugins whose fields are built in, with the version they correspond to. */
const BUILTIN_PLUGINS = [{ name: "container", version: "0.7.1" }];

/** Fields that rules on system calls can use. */
export const ruleFields = builtinFields;

/** A rule file: its content, or why it could not be read. */
export type RuleSource = { name: string; content: string | Uint8Array } | { name: string; error: string };

export interface LoadResult {
  /** One report per file, in order. */
  files: FileReport[];
  /** No file has an error. */
  successful: boolean;
  collector: Collector;
  /** What all files together come to; of use only when `successful`. */
  compiled: Compiled;
}

/**
 * Loads rule files. Mistakes do not throw: they are in the reports, those of all files at once. Each file is judged
 * together with all files before it, as items may change what an earlier file defined.
 */
export function loadRules(files: readonly RuleSource[], options: Partial<LoaderOptions> = {}): LoadResult {
  const collector = new Collector({
    sources: new Map([["syscall", ruleFields]]),
    engineVersion: ENGINE_VERSION,
    plugins: BUILTIN_PLUGINS,
    ...options,
  });
  const cache = new CompileCache();
  let compiled: Compiled = { lists: new Map(), macros: new Map(), rules: [] };
  const reports = files.map((source) => {
    const report = new FileReport(source.name);
    if ("error" in source) {
      const file = new YamlFile(source.name, "");
      report.error(new RuleError("LOAD_ERR_FILE_READ", source.error, new Place("rules content", "", file, 0, null)));
      return report;
    }
    const file = parseRuleFile(source, report);
    if (!file) return report;
    const first = file.documents[0];
    if (first) {
      report.schemaWarnings = checkSchema(first);
      report.schemaValid = report.schemaWarnings.length === 0;
    }
    collector.begin(report);
    new Reader(file, report, collector).read();
    compiled = compileCollected(collector, report, cache);
    return report;
  });
  return { files: reports, successful: reports.every((r) => r.successful), collector, compiled };
}
