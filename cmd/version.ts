// SPDX-License-Identifier: Apache-2.0
// `falco version`: what this program is and which interfaces it speaks.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SCHEMA_VERSION } from "../lib/schema/events.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";

/** Put in by scripts/build.ts. */
declare const BUILD_VERSION: string | undefined;

/** Versions of the interfaces that rule files, plugins and probes are checked against. */
export const ENGINE_VERSION = "0.63.0";
export const PLUGIN_API_VERSION = "3.12.0";
export const DRIVER_API_VERSION = "10.1.0";

/** The program's own version; with the commit, "0.1.0+abc…", in a built program. */
export function programVersion(): string {
  if (typeof BUILD_VERSION === "string") return BUILD_VERSION;
  const manifest = readFileSync(join(import.meta.dir, "../package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

const MACHINE: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** The versions as text, line by line as Falco prints them. */
export function versionText(): string {
  const own = programVersion();
  const lines = [
    `Falco version: ${own} (${MACHINE[process.arch] ?? process.arch})`,
    `Libs version:  ${own}`,
    `Plugin API:    ${PLUGIN_API_VERSION}`,
    `Engine:        ${ENGINE_VERSION}`,
    "Driver:",
    `  API version:    ${DRIVER_API_VERSION}`,
    `  Schema version: ${SCHEMA_VERSION}`,
    `  Default driver: ${own}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The versions as a JSON object with the keys that Falco uses. */
export function versionJson(): Record<string, string | number> {
  const own = programVersion();
  return {
    default_driver_version: own,
    driver_api_version: DRIVER_API_VERSION,
    driver_schema_version: SCHEMA_VERSION,
    engine_version: Number(ENGINE_VERSION.split(".")[1]),
    engine_version_semver: ENGINE_VERSION,
    falco_version: own,
    libs_version: own,
    plugin_api_version: PLUGIN_API_VERSION,
  };
}

export const version: Command = {
  name: "version",
  words: "",
  summary: "Say which version this is and which interfaces it speaks.",
  about: [],
  flags: [{ name: "json", short: "j", type: "boolean", category: "Output", help: "Print one JSON object." }],
  examples: [{ line: "falco version --json", does: "The same for programs." }],
  async run(args) {
    Output.stdout().text(args.bool("json") ? `${JSON.stringify(versionJson())}\n` : versionText());
    return 0;
  },
};
