// SPDX-License-Identifier: Apache-2.0
// The program as a user starts it: exit status and messages of right and wrong command lines.
import { describe, expect, test } from "bun:test";
import { falco, shell } from "../support/falco.ts";

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
    [["version", "x"], 2, /^$/, /^falco: 'falco version' takes no words: 'x'\n/],
    [["version", "--", "ls"], 2, /^$/, /^falco: 'falco version' runs no command/],
  ];
  for (const [args, status, stdout, stderr] of rows) {
    test(`falco ${args.join(" ")}`, () => {
      const got = falco(args);
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
