// SPDX-License-Identifier: Apache-2.0
// `falco list`: what can be asked of events.
import type { Args } from "./cli/args.ts";
import { UsageError } from "./cli/errors.ts";
import type { Command } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";

export type ListFormat = "text" | "markdown" | "json";

/** The format that --format, --markdown and --json ask for together. */
export function listFormat(args: Args): ListFormat {
  if (args.bool("json")) return "json";
  if (args.bool("markdown")) return "markdown";
  return (args.string("format") ?? "text") as ListFormat;
}

/** System calls of an architecture as text in the given format. */
async function listSyscalls(arch: string, format: ListFormat): Promise<string> {
  const { SYSCALLS } = await import("../lib/schema/tables/syscalls.ts");
  const { EVENTS } = await import("../lib/schema/events.ts");
  const rows = SYSCALLS[arch as keyof typeof SYSCALLS].map(([nr, name, code, , exit]) => ({
    number: nr,
    name,
    code,
    event: EVENTS[exit]?.name ?? "",
    decoded: EVENTS[exit]?.key !== "GENERIC_X",
  }));
  if (format === "json") return `${JSON.stringify({ arch, syscalls: rows }, null, 2)}\n`;
  const head = ["Number", "Name", "Event", "Parameters"];
  const cells = rows.map((r) => [String(r.number), r.name, r.event, r.decoded ? "decoded" : "id only"]);
  if (format === "markdown") {
    const line = (c: readonly string[]) => `| ${c.join(" | ")} |`;
    return `${[line(head), "|---:|---|---|---|", ...cells.map(line)].join("\n")}\n`;
  }
  const { table } = await import("./cli/table.ts");
  return table(head, cells, [0]);
}

export const list: Command = {
  name: "list",
  words: "syscalls",
  summary: "List what can be asked: system calls.",
  about: ["Without a word, lists system calls."],
  flags: [
    {
      name: "format",
      type: "string",
      value: "FORMAT",
      choices: ["text", "markdown", "json"],
      category: "Output",
      help: "How to print.",
    },
    { name: "json", short: "j", type: "boolean", category: "Output", help: "The same as --format json." },
    { name: "markdown", type: "boolean", category: "Output", help: "The same as --format markdown." },
    {
      name: "arch",
      type: "string",
      value: "ARCH",
      choices: ["x86_64", "aarch64"],
      category: "Selection",
      help: "Architecture whose system calls to list; this machine's own unless given.",
    },
  ],
  examples: [{ line: "falco list syscalls --arch aarch64", does: "The system calls of 64-bit ARM." }],
  firstWords: ["syscalls"],
  async run(args) {
    const [what = "syscalls", more] = args.words;
    if (more !== undefined) throw new UsageError(`one word too many: '${more}'`);
    if (what !== "syscalls") throw new UsageError(`cannot list '${what}'; it is one of syscalls`);
    Output.stdout().text(
      await listSyscalls(args.string("arch") ?? (process.arch === "arm64" ? "aarch64" : "x86_64"), listFormat(args)),
    );
    return 0;
  },
};
