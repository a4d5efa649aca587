// SPDX-License-Identifier: Apache-2.0
// Flags that work without a subcommand.
import type { Flag } from "./cli/flags.ts";

export const TOP_FLAGS: readonly Flag[] = [
  { name: "help", short: "h", type: "boolean", category: "Other", help: "Print this help." },
  { name: "version", type: "boolean", category: "Other", help: "Print the versions of program and interfaces." },
  { name: "json", short: "j", type: "boolean", category: "Other", help: "Print JSON where a table would be printed." },
];
