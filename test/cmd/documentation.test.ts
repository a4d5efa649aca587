// SPDX-License-Identifier: Apache-2.0
// Help, man page, Markdown and completions say the same, because they come from the same records.
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { completionScript } from "../../cmd/cli/completion.ts";
import { commandHelp, wrap } from "../../cmd/cli/help.ts";
import { manPage, markdownManual } from "../../cmd/cli/manual.ts";
import { COMMANDS } from "../../cmd/commands.ts";
import { TOP_FLAGS } from "../../cmd/top_flags.ts";
import { nearest } from "../../lib/schema/nearest.ts";

describe("the records of every command", () => {
  for (const command of COMMANDS) {
    test(command.name, () => {
      const names = command.flags.map((f) => f.name);
      const shorts = command.flags.flatMap((f) => f.short ?? []);
      expect(names).toEqual([...new Set(names)]);
      expect(shorts).toEqual([...new Set(shorts)]);
      for (const flag of command.flags) {
        expect(flag.help).toMatch(/^[A-Z0-9].*\.$/);
        for (const other of flag.conflicts ?? []) expect(names).toContain(other);
        if (flag.type !== "boolean") expect(flag.value).toMatch(/^[A-Z]/);
      }
    });
  }
});

test("each flag stands in help, man page, Markdown and completions", () => {
  const man = manPage(COMMANDS, TOP_FLAGS).replaceAll("\\-", "-");
  const markdown = markdownManual(COMMANDS, TOP_FLAGS);
  const scripts = (["bash", "zsh", "fish"] as const).map((s) => completionScript(s, COMMANDS, TOP_FLAGS));
  for (const command of COMMANDS) {
    const help = commandHelp(command);
    for (const { name } of command.flags) {
      for (const text of [help, man, markdown, scripts[0], scripts[1]]) expect(text).toContain(`--${name}`);
      expect(scripts[2]).toContain(`-l ${name}`);
    }
  }
});

describe("bash completion offers", () => {
  const complete = (words: readonly string[]): string[] => {
    const script = completionScript("bash", COMMANDS, TOP_FLAGS);
    const quoted = words.map((w) => `'${w}'`).join(" ");
    const line = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _falco; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync("bash", ["-c", line], { encoding: "utf8" }).stdout.trim().split("\n");
  };
  const rows: [string[], string[]][] = [
    [["falco", "vers"], ["version"]],
    [["falco", "--vers"], ["--version"]],
    [["falco", "list", "--form"], ["--format"]],
    [["falco", "list", "--format", "m"], ["markdown"]],
    [["falco", "list", "--format", "=", "m"], ["markdown"]],
    [
      ["falco", "list", "--format", "="],
      ["text", "markdown", "json"],
    ],
    [["falco", "--list", "--format", "m"], ["markdown"]],
    [["falco", "-r", "x.yaml", "--dry"], ["--dry-run"]],
    [["falco", "list", "sysc"], ["syscalls"]],
    [
      ["falco", "completion", ""],
      ["bash", "zsh", "fish"],
    ],
  ];
  for (const [words, offers] of rows) test(words.join(" "), () => expect(complete(words)).toEqual(offers));
});

// Other shells are asked where they are installed; their scripts are at least looked at above.
describe.skipIf(Bun.which("fish") === null)("fish completion offers", () => {
  const complete = (line: string): string[] => {
    const script = completionScript("fish", COMMANDS, TOP_FLAGS);
    const run = spawnSync("fish", ["--no-config", "-c", `${script}\ncomplete -C '${line}'`], { encoding: "utf8" });
    return run.stdout
      .trim()
      .split("\n")
      .map((offer) => offer.split("\t")[0] as string);
  };
  const rows: [string, string[]][] = [
    ["falco vers", ["version"]],
    ["falco --vers", ["--version"]],
    ["falco list --form", ["--format"]],
    ["falco list --format ", ["json", "markdown", "text"]],
    ["falco completion ", ["bash", "fish", "zsh"]],
  ];
  for (const [line, offers] of rows) test(line, () => expect(complete(line)).toEqual(offers));
});

describe.skipIf(Bun.which("zsh") === null)("zsh completion", () => {
  test("is a script without mistakes", () => {
    const script = completionScript("zsh", COMMANDS, TOP_FLAGS);
    expect(spawnSync("zsh", ["-f", "-n"], { input: script, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
  });
});

describe("wrap()", () => {
  const rows: [string, number, string[]][] = [
    ["", 10, [""]],
    ["one two three", 7, ["one two", "three"]],
    ["averylongword x", 4, ["averylongword", "x"]],
  ];
  for (const [text, width, lines] of rows)
    test(`"${text}" in ${width}`, () => expect(wrap(text, width)).toEqual(lines));
});

describe("nearest()", () => {
  const rows: [string, string | undefined][] = [
    ["lits", "list"],
    ["versoin", "version"],
    ["captur", "capture"],
    ["x", undefined],
    ["elephant", undefined],
  ];
  for (const [word, best] of rows) {
    test(word, () => expect(nearest(word, ["capture", "list", "version"])).toBe(best as string));
  }
});
