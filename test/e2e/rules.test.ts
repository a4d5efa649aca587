// SPDX-License-Identifier: Apache-2.0
// Questions about rules as a user asks them: validate, describe, and the spellings that Falco users know.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { falco } from "../support/falco.ts";
import { ROOT, sharedPath, sharedTest } from "../support/shared.ts";

const DIR = mkdtempSync(join(tmpdir(), "falco-rules-"));
afterAll(() => rmSync(DIR, { recursive: true }));

function made(name: string, text: string): string {
  writeFileSync(join(DIR, name), text);
  return join(DIR, name);
}

const GOOD = made(
  "good.yaml",
  `- list: shells
  items: [bash, sh]
- macro: started
  condition: evt.type = execve
- rule: Shell started
  desc: A shell was started.
  condition: started and proc.name in (shells)
  output: shell (command=%proc.cmdline)
  priority: WARNING
  tags: [demo]
`,
);
const BAD = made(
  "bad.yaml",
  `- rule: Broken
  desc: Its condition names no field.
  condition: evt.typ = open
  output: x
  priority: WARNING
`,
);

describe("falco says of rule files", () => {
  const rows: [string, string[], number, RegExp, RegExp][] = [
    ["a good one", ["validate", GOOD], 0, /^.*good\.yaml: Ok\n$/, /^$/],
    [
      "a bad one",
      ["validate", GOOD, BAD],
      1,
      /good\.yaml: Ok\n.*bad\.yaml: Invalid\n1 Error:\n[\s\S]*Broken[\s\S]*bad\.yaml:3:14[\s\S]*LOAD_ERR_COMPILE_CONDITION/,
      /^$/,
    ],
    ["a missing one", ["validate", "/nonexistent.yaml"], 1, /LOAD_ERR_FILE_READ/, /^$/],
    ["none", ["validate"], 2, /^$/, /^falco: name the rule files to check\n/],
    ["the same with -V", ["-V", GOOD], 0, /^.*good\.yaml: Ok\n$/, /^$/],
    ["several with -V", ["-V", GOOD, BAD], 1, /Ok\n[\s\S]*Invalid/, /^$/],
    [
      "all rules",
      ["describe", "-r", GOOD],
      0,
      /^Rule +Description\n-+ +-+\nShell started +A shell was started\.\n$/,
      /^$/,
    ],
    ["the same with -L", ["-L", "-r", GOOD], 0, /\nShell started +A shell was started\.\n$/, /^$/],
    [
      "one rule",
      ["describe", "Shell started", "-r", GOOD],
      0,
      /Resolved: +\(evt\.type = execve and proc\.name in \(bash, sh\)\)\n/,
      /^$/,
    ],
    ["the same with -l", ["-l", "Shell started", "-r", GOOD], 0, /^Rule: +Shell started\n/, /^$/],
    [
      "one that is not there",
      ["describe", "Shell startd", "-r", GOOD],
      1,
      /^$/,
      /^falco: there is no rule 'Shell startd'; did you mean 'Shell started'\?\n$/,
    ],
    ["rules with mistakes", ["describe", "-r", BAD], 1, /^$/, /^falco: [\s\S]*LOAD_ERR_COMPILE_CONDITION/],
    ["two names", ["describe", "a", "b", "-r", GOOD], 2, /^$/, /^falco: one word too many: 'b'/],
  ];
  for (const [name, args, status, stdout, stderr] of rows) {
    test(name, () => {
      const got = falco(args);
      expect(got.stderr).toMatch(stderr);
      expect(got.stdout).toMatch(stdout);
      expect(got.status).toBe(status);
    });
  }

  test("a good one, in JSON, with -o json_output=true and what it comes to", () => {
    const got = JSON.parse(falco(["-V", GOOD, "-L", "-o", "json_output=true"]).stdout) as Record<string, unknown>;
    expect(Object.keys(got).sort()).toEqual(["falco_describe_results", "falco_load_results"]);
    expect(got["falco_load_results"]).toEqual([
      { errors: [], name: GOOD, schema_valid: true, schema_warnings: [], successful: true, warnings: [] },
    ]);
  });

  test("the rules inside the program, without any file", () => {
    const { rules } = JSON.parse(falco(["describe", "--json"]).stdout) as { rules: unknown[] };
    const written = readFileSync(join(ROOT, "rules/falco_rules.yaml"), "utf8").match(/^- rule:/gm) ?? [];
    expect(rules).toHaveLength(written.length);
  });

  sharedTest("the same of the oracle rules as the reference", () => {
    const want = JSON.parse(readFileSync(sharedPath("golden/rules_describe.json"), "utf8")) as unknown;
    const args = ["-L", "-c", sharedPath("golden/falco_oracle.yaml"), "-r", sharedPath("golden/rules_oracle.yaml")];
    const got = JSON.parse(falco(args).stdout) as unknown;
    expect(facts(got)).toEqual(facts(want));
  });
});

/**
 * A description with its sets in order and without the printed conditions: the reference leaves out quotes that are
 * needed to read them again.
 */
function facts(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.every((v) => typeof v === "string") ? [...value].sort() : value.map(facts);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "condition_compiled");
  return Object.fromEntries(entries.map(([key, v]) => [key, facts(v)]));
}

test("falco --support holds versions, system, configuration and rules", () => {
  const got = JSON.parse(falco(["--support", "-r", GOOD, "-o", "priority=notice"]).stdout) as {
    config: { priority: string };
    rules_files: { name: string; variants: { content: string }[] }[];
    system_info: { sysname: string };
  };
  expect(Object.keys(got)).toEqual(["cmdline", "config", "engine_info", "rules_files", "system_info", "version"]);
  expect(got.config.priority).toBe("notice");
  expect(got.system_info.sysname).toBe("Linux");
  expect(got.rules_files[0]?.variants[0]?.content).toBe(readFileSync(GOOD, "utf8"));
});

describe("falco lists", () => {
  const rows: [string[], RegExp][] = [
    [["list", "-N"], /^evt\.num\n[\s\S]*\nproc\.name\n[\s\S]*\nfd\.name\n/],
    [["--list", "-N"], /\nproc\.name\n/],
    [["--list=syscall", "-v"], /Field Class: +evt[\s\S]*\(Type: UINT64\)/],
    [["list", "fields", "--format", "markdown"], /^# Fields\n[\s\S]*`proc\.name` \| CHARBUF \|/],
    [["list", "events"], /^< open\(FD fd, FSPATH name, FLAGS32 flags: /m],
    [["--list-events"], /^The events below are valid for Falco \*Schema Version\*: 4\.5\.1\n\n## Syscall events\n/],
    [["--list-events", "--markdown"], /\nDefault \| Dir \| Name \| Params\n/],
    [["list", "syscalls", "--arch", "aarch64", "-N"], /^openat\n/m],
    [["-i"], /^Ignored syscall\(s\):\n- /],
    [["--page-size"], /^Your system page size is: \d+ bytes\n$/],
  ];
  for (const [args, shape] of rows) {
    test(args.join(" "), () => {
      const got = falco(args);
      expect(got.stderr).toBe("");
      expect(got.stdout).toMatch(shape);
      expect(got.status).toBe(0);
    });
  }

  test("fields, events and system calls in JSON", () => {
    const fields = JSON.parse(falco(["list", "-j"]).stdout) as { fields: { name: string }[] }[];
    expect(fields.flatMap((c) => c.fields.map((f) => f.name))).toContain("proc.aname");
    const events = JSON.parse(falco(["--list-events", "-j"]).stdout) as { syscall_events: { name: string }[] };
    expect(events.syscall_events.map((e) => e.name)).toContain("openat2");
    const calls = JSON.parse(falco(["list", "syscalls", "-j", "--arch", "x86_64"]).stdout) as {
      syscalls: { number: number; name: string }[];
    };
    expect(calls.syscalls.find((c) => c.name === "execve")?.number).toBe(59);
  });

  test("nothing for a source that is not there", () => {
    expect(falco(["--list=nope"])).toEqual({
      status: 1,
      stdout: "",
      stderr: "falco: there is no event source 'nope'; there is syscall\n",
    });
  });
});
