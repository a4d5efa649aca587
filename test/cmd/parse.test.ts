// SPDX-License-Identifier: Apache-2.0
// The command-line parser: every way to write a flag, and what is refused.
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../cmd/cli/errors.ts";
import type { Flag } from "../../cmd/cli/flags.ts";
import { parseArgs } from "../../cmd/cli/parse.ts";
import { compileExecutable } from "../../scripts/compile.ts";

const category = "Test";
const help = "";
const FLAGS: readonly Flag[] = [
  { name: "hex", short: "x", type: "boolean", category, help, conflicts: ["print"] },
  { name: "limit", short: "n", type: "number", integer: true, min: 0, category, help },
  { name: "print", short: "p", type: "string", category, help },
  { name: "rules", short: "r", type: "strings", value: "PATH", category, help },
  { name: "output", short: "o", type: "string", value: "FILE", category, help },
  { name: "list", type: "optional", category, help },
  { name: "format", type: "string", choices: ["text", "json"], default: "text", category, help },
];

describe("parseArgs() accepts", () => {
  const rows: [string[], Record<string, unknown>, string[], string[] | null][] = [
    [[], { format: "text" }, [], null],
    [["-n5"], { limit: 5 }, [], null],
    [["-xn5"], { hex: true, limit: 5 }, [], null],
    [["-n", "5", "w"], { limit: 5 }, ["w"], null],
    [["--limit=5"], { limit: 5 }, [], null],
    [["--limit", "1e3"], { limit: 1000 }, [], null],
    [["a", "-n", "1", "b", "-n", "2"], { limit: 2 }, ["a", "b"], null],
    [["-p", "-x"], { print: "-x" }, [], null],
    [["-p*%evt.num"], { print: "*%evt.num" }, [], null],
    [["--print=a=b"], { print: "a=b" }, [], null],
    [["--print="], { print: "" }, [], null],
    [["-r", "a", "-rb", "--rules=c"], { rules: ["a", "b", "c"] }, [], null],
    [["--list"], { list: "" }, [], null],
    [["--list=syscall", "x"], { list: "syscall" }, ["x"], null],
    [["--list", "x"], { list: "" }, ["x"], null],
    [["fd.num", "=", "-1"], {}, ["fd.num", "=", "-1"], null],
    [["-"], {}, ["-"], null],
    [["-x", "--", "ls", "-l"], { hex: true }, [], ["ls", "-l"]],
    [["--format", "json"], { format: "json" }, [], null],
  ];
  for (const [argv, flags, words, rest] of rows) {
    test(JSON.stringify(argv), () => {
      const args = parseArgs(FLAGS, argv);
      const got: Record<string, unknown> = {};
      for (const { name, type } of FLAGS) {
        if (!args.has(name)) continue;
        if (type === "boolean") got[name] = args.bool(name);
        else if (type === "number") got[name] = args.number(name);
        else if (type === "strings") got[name] = [...args.strings(name)];
        else got[name] = args.string(name);
      }
      expect(got).toEqual({ format: "text", ...flags });
      expect([...args.words]).toEqual(words);
      expect(args.rest === null ? null : [...args.rest]).toEqual(rest);
    });
  }
});

describe("parseArgs() refuses", () => {
  const rows: [string[], string][] = [
    [["--limt", "5"], "there is no flag --limt; did you mean --limit?"],
    [["--zzz"], "there is no flag --zzz"],
    [["-q"], "there is no flag -q"],
    [["-xq"], "there is no flag -q (in -xq)"],
    [["--lim", "5"], "there is no flag --lim; did you mean --limit?"],
    [["--li", "5"], "there is no flag --li"],
    [["-l"], "there is no flag -l; 'falco list' lists"],
    [["-o", ""], "-o/--output wants a FILE, not ''"],
    [["-r", "a", "-r", ""], "-r/--rules wants a PATH, not ''"],
    [["-n"], "-n/--limit wants a value: VALUE"],
    [["-n", "five"], "-n/--limit wants a number, not 'five'"],
    [["-n", ""], "-n/--limit wants a number, not ''"],
    [["-n", "1.5"], "-n/--limit wants a whole number, not 1.5"],
    [["--limit=-1"], "-n/--limit wants at least 0, not -1"],
    [["--hex=1"], "-x/--hex takes no value"],
    [["--format", "yaml"], "--format cannot be yaml; it is one of text, json"],
    [["-x", "-p", "a"], "--hex and --print cannot be given together"],
  ];
  for (const [argv, message] of rows) {
    test(JSON.stringify(argv), () => {
      expect(() => parseArgs(FLAGS, argv, { l: "'falco list' lists" })).toThrow(new UsageError(message));
    });
  }
});

test("parseArgs() in an executable looks at nothing in the directory where it is started", () => {
  const dir = mkdtempSync(join(tmpdir(), "falco-parse-"));
  try {
    const source = join(dir, "program.ts");
    const parser = join(import.meta.dir, "../../cmd/cli/parse.ts");
    const flags = [{ name: "limit", short: "n", type: "number", category, help }];
    writeFileSync(
      source,
      `import { parseArgs } from ${JSON.stringify(parser)};
       console.log(parseArgs(${JSON.stringify(flags)}, process.argv.slice(2)).number("limit"));`,
    );
    compileExecutable(source, join(dir, "program"));
    // Who opens it waits for ever.
    expect(spawnSync("mkfifo", [join(dir, "package.json")]).status).toBe(0);
    const env = { LC_ALL: "/dev/stdin" };
    const run = spawnSync(join(dir, "program"), ["-n", "5"], { cwd: dir, env, encoding: "utf8", timeout: 20_000 });
    expect(run.stdout).toBe("5\n");
    expect(run.status).toBe(0);
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 60_000);
