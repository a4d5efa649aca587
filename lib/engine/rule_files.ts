// SPDX-License-Identifier: Apache-2.0
// Which rule files a run uses, and their contents.
import type { Config } from "../config/config.ts";
import { expandPath, FileError, readWhole } from "../config/files.ts";
import type { RuleSource } from "../rules/loader.ts";

/** Reads rule files, directories and patterns in order. What cannot be read is in the result with its reason. */
export function readRuleFiles(paths: readonly string[]): RuleSource[] {
  return paths.flatMap((path): RuleSource[] => {
    const found = expandPath(path);
    if ("missing" in found) return [{ name: path, error: found.missing }];
    return found.files.map((name) => {
      try {
        return { name, content: readWhole(name) };
      } catch (error) {
        if (error instanceof FileError) return { name, error: error.message };
        throw error;
      }
    });
  });
}

/** Paths of rule files: those given on the command line, else those of the configuration. */
export function rulePaths(config: Config, given: readonly string[]): readonly string[] {
  return given.length > 0 ? given : config.get("rules_files");
}
