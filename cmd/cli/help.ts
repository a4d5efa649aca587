// SPDX-License-Identifier: Apache-2.0
// Help texts, made from the flag and command records.
import type { Command, Flag } from "./flags.ts";

/** Columns of a terminal below which labels stand on lines of their own. */
const NARROW = 60;

/** The two columns of a list: the left one padded, the right one wrapped to `width` characters a line in all. */
function columns(rows: readonly (readonly [string, string])[], width: number): string[] {
  // A narrow terminal has no room for two columns: the text goes below its label.
  const left = width < NARROW ? 4 : Math.min(34, Math.max(...rows.map(([l]) => l.length)) + 2);
  return rows.flatMap(([label, text]) => {
    const lines = wrap(text, width - left - 2);
    const first = label.length + 2 > left ? [`  ${label}`, ...lines.map((l) => `  ${" ".repeat(left)}${l}`)] : null;
    return first ?? lines.map((l, i) => `  ${(i === 0 ? label : "").padEnd(left)}${l}`);
  });
}

/** Breaks a text at blanks into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/** How a flag is written: "-n, --limit N". */
export function flagSpelling(flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  if (flag.type === "boolean") return `${short}--${flag.name}`;
  if (flag.type === "optional") return `${short}--${flag.name}[=${flag.value ?? "VALUE"}]`;
  return `${short}--${flag.name} ${flag.value ?? "VALUE"}${flag.type === "strings" ? "…" : ""}`;
}

/** Flags in the order of their categories' first appearance. */
export function byCategory(flags: readonly Flag[]): Map<string, Flag[]> {
  const groups = new Map<string, Flag[]>();
  for (const flag of flags) {
    const group = groups.get(flag.category);
    if (group) group.push(flag);
    else groups.set(flag.category, [flag]);
  }
  return groups;
}

function flagText(flag: Flag): string {
  const more = flag.choices === undefined ? "" : ` One of ${flag.choices.join(", ")}.`;
  const usual = flag.default === undefined ? "" : ` [default: ${flag.default}]`;
  return `${flag.help}${more}${usual}`;
}

export function usageLine(command: Command): string {
  const words = command.words === "" ? "" : ` ${command.words}`;
  return `falco ${command.name} [FLAG]…${words}`;
}

/** Help of one subcommand. */
export function commandHelp(command: Command, width = 100): string {
  const out = [`Usage: ${usageLine(command)}`, "", ...wrap(command.summary, width)];
  for (const paragraph of command.about) out.push("", ...wrap(paragraph, width));
  for (const [category, flags] of byCategory(command.flags)) {
    out.push(
      "",
      `${category}:`,
      ...columns(
        flags.map((f) => [flagSpelling(f), flagText(f)] as const),
        width,
      ),
    );
  }
  if (command.examples.length > 0) {
    out.push("", "Examples:");
    for (const { line, does } of command.examples) out.push(`  ${line}`, `      ${does}`);
  }
  return `${out.join("\n")}\n`;
}

/** Help of the program as a whole. */
export function programHelp(commands: readonly Command[], top: readonly Flag[], width = 100): string {
  const out = [
    "Usage: falco COMMAND [FLAG]… [WORD]…",
    "",
    ...wrap(
      "Runtime security for Linux: reads what the kernel was asked to do, keeps track of every process and descriptor, and tells what matters.",
      width,
    ),
    "",
    "Commands:",
    ...columns(
      commands.map((c) => [c.name, c.summary] as const),
      width,
    ),
  ];
  for (const [category, flags] of byCategory(top)) {
    out.push(
      "",
      `${category}:`,
      ...columns(
        flags.map((f) => [flagSpelling(f), flagText(f)] as const),
        width,
      ),
    );
  }
  out.push("", "'falco COMMAND --help' tells more about a command.");
  return `${out.join("\n")}\n`;
}
