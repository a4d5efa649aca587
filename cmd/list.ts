// SPDX-License-Identifier: Apache-2.0
// `falco list`: what can be asked of events.
import type { Args } from "./cli/args.ts";
import { UsageError } from "./cli/errors.ts";
import type { Command, Flag } from "./cli/flags.ts";
import { Output } from "./cli/output.ts";

export type ListFormat = "text" | "markdown" | "json";

const OUTPUT = "Output";

/** How listings are printed; the top-level spellings share these. */
export const LIST_FLAGS: readonly Flag[] = [
  {
    name: "format",
    type: "string",
    value: "FORMAT",
    choices: ["text", "markdown", "json"],
    category: OUTPUT,
    help: "How to print a listing.",
  },
  { name: "markdown", type: "boolean", category: OUTPUT, help: "The same as --format markdown." },
  { name: "names-only", short: "N", type: "boolean", category: OUTPUT, help: "List names only, one a line." },
];

/** The format that --format, --markdown and --json ask for together. */
export function listFormat(args: Args): ListFormat {
  if (args.bool("json")) return "json";
  if (args.bool("markdown")) return "markdown";
  return (args.string("format") ?? "text") as ListFormat;
}

/** Event sources whose fields are known. */
const SOURCES = ["syscall"];

/** Fields of filters and formats; `source` "" = of all sources. */
export async function fieldsText(args: Args, source: string): Promise<string> {
  const { listFields } = await import("../lib/format/list.ts");
  if (source !== "" && !SOURCES.includes(source)) {
    throw new Error(`there is no event source '${source}'; there is ${SOURCES.join(", ")}`);
  }
  return listFields({
    format: listFormat(args),
    verbose: args.bool("verbose"),
    namesOnly: args.bool("names-only"),
    ...(source === "" ? {} : { source }),
  });
}

async function eventsText(args: Args): Promise<string> {
  const { listEvents } = await import("../lib/format/list.ts");
  return listEvents({
    format: listFormat(args),
    old: args.bool("verbose"),
    namesOnly: args.bool("names-only"),
  });
}

async function syscallsText(args: Args): Promise<string> {
  const { SYSCALLS } = await import("../lib/schema/tables/syscalls.ts");
  const { EVENTS } = await import("../lib/schema/events.ts");
  const arch = args.string("arch") ?? (process.arch === "arm64" ? "aarch64" : "x86_64");
  const rows = SYSCALLS[arch as keyof typeof SYSCALLS].map(([nr, name, code, , exit]) => ({
    number: nr,
    name,
    code,
    event: EVENTS[exit]?.name ?? "",
    decoded: EVENTS[exit]?.key !== "GENERIC_X",
  }));
  if (args.bool("names-only")) return rows.map((r) => `${r.name}\n`).join("");
  const format = listFormat(args);
  if (format === "json") return `${JSON.stringify({ arch, syscalls: rows }, null, 2)}\n`;
  const head = ["Number", "Name", "Event", "Parameters"];
  const cells = rows.map((r) => [String(r.number), r.name, r.event, r.decoded ? "decoded" : "id only"]);
  if (format === "markdown") {
    const line = (c: readonly string[]): string => `| ${c.join(" | ")} |`;
    return `${[line(head), "|---:|---|---|---|", ...cells.map(line)].join("\n")}\n`;
  }
  const { table } = await import("./cli/table.ts");
  return table(head, cells, [0]);
}

/** Plugins that are loaded: none, for this version has none. */
export function pluginsText(args: Args): string {
  return listFormat(args) === "json" ? "[]\n" : "0 Plugins Loaded:\n\n";
}

/** What can be listed, by the word that asks for it. */
const LISTS: Readonly<Record<string, (args: Args) => Promise<string>>> = {
  fields: (args) => fieldsText(args, args.string("source") ?? ""),
  events: eventsText,
  syscalls: syscallsText,
  plugins: async (args) => pluginsText(args),
};
const NAMES = Object.keys(LISTS);

export const list: Command = {
  name: "list",
  words: NAMES.join("|"),
  summary: "List what can be asked: fields, events, system calls, plugins.",
  about: ["Without a word, lists the fields of filters and formats."],
  flags: [
    { name: "json", short: "j", type: "boolean", category: OUTPUT, help: "The same as --format json." },
    ...LIST_FLAGS,
    {
      name: "verbose",
      short: "v",
      type: "boolean",
      category: "Selection",
      help: "With fields: their types, and deprecated fields too. With events: older versions too.",
    },
    {
      name: "source",
      type: "string",
      value: "SOURCE",
      category: "Selection",
      help: "List only fields of this event source.",
    },
    {
      name: "arch",
      type: "string",
      value: "ARCH",
      choices: ["x86_64", "aarch64"],
      category: "Selection",
      help: "Architecture whose system calls to list; this machine's own unless given.",
    },
  ],
  examples: [
    { line: "falco list fields -N | grep '^fd'", does: "Names of all fields of descriptors." },
    { line: "falco list events --format markdown", does: "Events and their parameters, for a document." },
    { line: "falco list syscalls --arch aarch64", does: "The system calls of 64-bit ARM." },
  ],
  firstWords: NAMES,
  async run(args) {
    const [what = "fields", more] = args.words;
    if (more !== undefined) throw new UsageError(`one word too many: '${more}'`);
    const text = Object.hasOwn(LISTS, what) ? LISTS[what] : undefined;
    if (text === undefined) throw new UsageError(`cannot list '${what}'; it is one of ${NAMES.join(", ")}`);
    Output.stdout().text(await text(args));
    return 0;
  },
};
