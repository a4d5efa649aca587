// SPDX-License-Identifier: Apache-2.0
// The program as a user starts it: exit status and messages of right and wrong command lines.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { falco, onTerminal, shell } from "../support/falco.ts";
import { ROOT } from "../support/shared.ts";

const CAPTURE = join(ROOT, "captures/attack.scap.gz");

describe("falco answers", () => {
  const rows: [string[], number, RegExp, RegExp][] = [
    [["--version"], 0, /^Falco version: \d+\.\d+\.\d+.*\nLibs version: [\s\S]*Schema version: 4\.5\.1\n/, /^$/],
    [["--help"], 0, /^Usage: falco COMMAND[\s\S]*Commands:\n[\s\S]*version/, /^$/],
    [["version", "-h"], 0, /^Usage: falco version [\s\S]*--json/, /^$/],
    [["help", "list"], 0, /^Usage: falco list /, /^$/],
    [["lits"], 2, /^$/, /^falco: there is no command 'lits'; did you mean 'list'\?\n/],
    [["--verson"], 2, /^$/, /^falco: there is no flag --verson; did you mean --version\?\n/],
    [["list", "--formt", "json"], 2, /^$/, /^falco: there is no flag --formt; did you mean --format\?\n/],
    [["list", "nothing"], 2, /^$/, /^falco: cannot list 'nothing'/],
    [["list", "plugins"], 0, /^0 Plugins Loaded:\n\n$/, /^$/],
    [["--list-plugins"], 0, /^0 Plugins Loaded:\n\n$/, /^$/],
    [["--plugin-info", "json"], 1, /^$/, /^falco: there is no plugin 'json'/],
    [
      ["--enable-source", "k8s_audit", "--dry-run"],
      2,
      /^$/,
      /^falco: --enable-source: there is no event source 'k8s_audit'/,
    ],
    [["--enable-source", "syscall", "--dry-run"], 0, /^$/, /^$/],
    [["--disable-source", "syscall"], 2, /^$/, /^falco: --disable-source leaves no event source\n/],
    [["help", "help"], 0, /^Usage: falco COMMAND/, /^$/],
    [["capture", "-l"], 2, /^$/, /^falco: there is no flag -l; 'falco list fields' lists fields\n/],
    [["capture", "-r", ""], 2, /^$/, /^falco: -r\/--read wants a FILE, not ''\n/],
    [["capture", "-r", CAPTURE, "-n", "1", ""], 0, /^1 09:00:08/, /^$/],
    [["capture", "-r", "a\x1b[2J\nb"], 1, /^$/, /^falco: a\\x1b\[2J\\nb: cannot open: no such file or directory\n$/],
    [["validate", "docs"], 1, /^$/, /^falco: no rule file in docs\n$/],
    [["version", "x"], 2, /^$/, /^falco: 'falco version' takes no words: 'x'\n/],
    [["version", "--", "ls"], 2, /^$/, /^falco: 'falco version' runs no command/],
  ];
  for (const [args, status, stdout, stderr] of rows) {
    test(`falco ${args.join(" ")}`, () => {
      const got = falco(args, { cwd: ROOT });
      expect(got.stderr).toMatch(stderr);
      expect(got.stdout).toMatch(stdout);
      expect(got.status).toBe(status);
    });
  }

  test("--version --json with Falco's keys", () => {
    expect(Object.keys(JSON.parse(falco(["--version", "--json"]).stdout) as object).sort()).toEqual([
      "default_driver_version",
      "driver_api_version",
      "driver_schema_version",
      "engine_version",
      "engine_version_semver",
      "falco_version",
      "libs_version",
      "plugin_api_version",
    ]);
  });
});

describe("falco writes", () => {
  test("to a closed pipe: quiet success", () => {
    const got = shell("falco list syscalls | true; echo $" + "{PIPESTATUS[0]}");
    expect(got).toEqual({ status: 0, stdout: "0\n", stderr: "" });
  });

  test("to a full disk: one line and exit status 1", () => {
    const got = shell("falco list syscalls >/dev/full");
    expect(got).toEqual({ status: 1, stdout: "", stderr: "falco: no space left on device (write)\n" });
  });
});

describe("falco on a terminal", () => {
  const dir = mkdtempSync(join(tmpdir(), "falco-terminal-"));
  const hostile = join(dir, "hostile.scap");
  // A program that calls itself "clear the screen".
  const bytes = gunzipSync(readFileSync(CAPTURE)).latin1Slice().replaceAll("wget", "\x1b[2J");
  writeFileSync(hostile, bytes, "latin1");
  afterAll(() => rmSync(dir, { recursive: true }));

  const COLOUR = "\x1b[32msleep\x1b[39m";
  const first = ["capture", "-r", CAPTURE, "-n", "1"];

  test("colours its lines", () => expect(onTerminal(first)).toContain(COLOUR));
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as Record<string, string>[]) {
    test(`shows no colour and no bar with ${JSON.stringify(env)}`, () => {
      expect(onTerminal(first, { env })).toContain(" sleep (122) < ");
      const alerts = onTerminal(["replay", CAPTURE], { env });
      expect(alerts).toContain("\n09:00:12.060153590: Notice Service looks around");
      if (env["TERM"] === "dumb") expect(alerts).not.toContain("\x1b");
    });
  }

  test("makes control characters in events visible", () => {
    for (const flags of [[], ["-p", "%proc.name %proc.cmdline"], ["-j"], ["-A"], ["--raw"]]) {
      const shown = onTerminal(["capture", "-r", hostile, ...flags]);
      expect(shown).toMatch(/\\(x|u00)1b\[2J/);
      expect(shown).not.toContain("\x1b[2J");
    }
    expect(onTerminal(["replay", hostile])).not.toContain("\x1b[2J");
  });

  test("keeps the escape sequences of a format", () => {
    const shown = onTerminal(["capture", "-r", hostile, "-p", "\x1b[1;44m%proc.name\x1b[0m", "evt.type=execve"]);
    expect(shown).toContain("\x1b[1;44m\\x1b[2J\x1b[0m");
  });

  for (const columns of [40, 60, 200]) {
    test(`has help for ${columns} columns`, () => {
      const lines = onTerminal(["capture", "--help"], { columns }).split("\n");
      const prose = lines.slice(1, lines.indexOf("Examples:"));
      expect(prose.filter((line) => line.length > columns)).toEqual([]);
      expect(Math.max(...prose.map((line) => line.length))).toBeGreaterThan(Math.min(columns, 120) - 20);
    });
  }

  test("writes what is in the events to pipes as it is", () => {
    expect(falco(["capture", "-r", hostile, "-p", "%proc.name"]).stdout).toContain("\x1b[2J\n");
  });
});
