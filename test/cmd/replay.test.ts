// SPDX-License-Identifier: Apache-2.0
// `falco replay` as a user runs it: alerts, summary, exit status, several files, stdin, mistakes, and broken outputs.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { falco, type Outcome, shell } from "../support/falco.ts";
import { HAS_SHARED, sharedPath } from "../support/shared.ts";

// Each test starts the program many times, and the machine may be busy.
setDefaultTimeout(120_000);

const CAPTURE = sharedPath("golden", "files.scap.gz");
const RULES = `
- rule: Shell command
  desc: programs started by bash
  condition: evt.type = execve and evt.rawres = 0 and proc.pname = bash
  output: started %proc.name
  priority: INFO
  tags: [process]
- rule: Any execve
  desc: all programs
  condition: evt.type = execve and evt.rawres = 0
  output: execve of %proc.name
  priority: WARNING
  tags: [process, noisy]
`;

interface Place {
  dir: string;
  /** `falco replay` with the rules above. */
  replay(...args: string[]): Outcome;
}

/** Runs `use` in a fresh directory that has rules.yaml. */
function inPlace(use: (place: Place) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "falco-replay-"));
  try {
    writeFileSync(join(dir, "rules.yaml"), RULES);
    const env = { FALCO_HOSTNAME: "guest" };
    use({ dir, replay: (...args) => falco(["replay", "-r", "rules.yaml", ...args], { cwd: dir, env }) });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe.skipIf(!HAS_SHARED)("falco replay", () => {
  test("prints alerts and the summary", () =>
    inPlace(({ replay }) => {
      const { status, stdout, stderr } = replay("-e", CAPTURE);
      expect(stderr).toBe("");
      expect(status).toBe(0);
      const lines = stdout.trimEnd().split("\n");
      expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{9}: (Informational started|Warning execve of) \w+$/);
      const at = lines.findIndex((l) => l.startsWith("Events detected: "));
      expect(lines.length - at).toBe(7);
      expect(lines[at]).toBe(`Events detected: ${at}`);
      expect(lines[at + 1]).toBe("Rule counts by severity:");
      expect(lines[at + 4]).toBe("Triggered rules by rule name:");
    }));

  test("alerts for all rules that fit when asked, and only those selected", () =>
    inPlace(({ replay }) => {
      const count = (...args: string[]): number =>
        replay("-e", CAPTURE, ...args)
          .stdout.split("\n")
          .filter((l) => / execve of | started /.test(l)).length;
      const first = count();
      const all = count("-o", "rule_matching=all");
      expect(all).toBeGreaterThan(first);
      expect(count("-o", "rule_matching=all", "-T", "noisy")).toBe(all - first);
      expect(count("-t", "noisy")).toBe(first);
      expect(count("-D", "execve")).toBe(all - first);
      expect(count("-o", "priority=warning")).toBe(first);
      expect(count("-o", "rules[].disable.rule=*", "-o", "rules[].enable.tag=noisy")).toBe(first);
      expect(count("-n", "1")).toBe(0);
      expect(count("-M", "0.000001")).toBe(0);
    }));

  test("reads several files in order, words and standard input", () =>
    inPlace(({ dir }) => {
      const env = { FALCO_HOSTNAME: "guest" };
      const one = shell(`falco replay -r rules.yaml ${CAPTURE}`, { cwd: dir, env }).stdout;
      const two = shell(`falco replay -r rules.yaml -e ${CAPTURE} -e - < ${CAPTURE}`, { cwd: dir, env }).stdout;
      const n = Number(/Events detected: (\d+)/.exec(one)?.[1]);
      expect(n).toBeGreaterThan(0);
      expect(two).toContain(`Events detected: ${2 * n}\n`);
    }));

  test("works by the spellings of Falco", () =>
    inPlace(({ dir }) => {
      writeFileSync(join(dir, "falco.yaml"), "json_output: true\nrules_files: [rules.yaml]\n");
      const run = (...args: string[]): Outcome => falco(args, { cwd: dir });
      const replayed = run("replay", "-c", "falco.yaml", "-e", CAPTURE).stdout;
      expect(JSON.parse(replayed.split("\n")[0] ?? "")).toMatchObject({ source: "syscall" });
      expect(run("-c", "falco.yaml", "-e", CAPTURE).stdout).toBe(replayed);
      const kind = ["-o", "engine.kind=replay", "-o", `engine.replay.capture_file=${CAPTURE}`];
      expect(run("-c", "falco.yaml", ...kind).stdout).toBe(replayed);
    }));

  test("reads rules from directories and patterns in order of name", () =>
    inPlace(({ dir, replay }) => {
      mkdirSync(join(dir, "d"));
      writeFileSync(join(dir, "d", "2.yaml"), "- rule: Any execve\n  enabled: false\n  override: {enabled: replace}\n");
      writeFileSync(join(dir, "d", "1.yaml"), "- list: nothing\n  items: []\n");
      for (const more of ["d", "d/*.yaml"]) {
        const { stdout } = replay("-r", more, "-e", CAPTURE);
        expect(stdout).toContain("Shell command");
        expect(stdout).not.toContain("Any execve");
      }
    }));

  test("tells all mistakes of configuration and rules before the first event, exit 1", () =>
    inPlace(({ dir, replay }) => {
      writeFileSync(
        join(dir, "bad.yaml"),
        "- rule: x\n  desc: d\n  condition: evt.type = execve and proc.nam = a\n  output: o\n  priority: INFO\n- rule: y\n",
      );
      const rules = replay(
        "-r",
        "bad.yaml",
        "-r",
        "missing.yaml",
        "-o",
        "append_output[].extra_output=%nope",
        "-e",
        CAPTURE,
      );
      expect(rules.status).toBe(1);
      expect(rules.stdout).toBe("");
      for (const part of ["append_output[0].extra_output", "proc.nam", "missing.yaml", "rule: y"])
        expect(rules.stderr).toContain(part);
      const config = replay("-o", "json_outptu=true", "-o", "priority=x", "-e", CAPTURE);
      expect(config.status).toBe(1);
      expect(config.stderr.split("\n").filter((l) => l.includes("-o "))).toHaveLength(2);
    }));

  test("goes on after a damaged or missing file, exit 1", () =>
    inPlace(({ dir, replay }) => {
      writeFileSync(join(dir, "cut.scap.gz"), readFileSync(CAPTURE).subarray(0, 30_000));
      const whole = replay("-e", CAPTURE);
      const { status, stdout, stderr } = replay("-e", "none.scap", "-e", "cut.scap.gz", "-e", CAPTURE);
      expect(status).toBe(1);
      expect(stderr.trimEnd().split("\n")).toEqual([
        expect.stringContaining("none.scap: cannot open: no such file"),
        expect.stringContaining("cut.scap.gz: at byte "),
      ]);
      const n = (text: string): number => Number(/Events detected: (\d+)/.exec(text)?.[1]);
      expect(n(stdout)).toBeGreaterThan(n(whole.stdout));
    }));

  test("says what is missing", () =>
    inPlace(({ dir, replay }) => {
      expect(replay().stderr).toBe("falco: no trace file: name one with -e or engine.replay.capture_file\n");
      expect(replay("-e", CAPTURE, "--dry-run")).toMatchObject({ status: 0, stdout: "" });
      expect(falco(["replay", "-c", "none.yaml", "-e", CAPTURE], { cwd: dir })).toMatchObject({
        status: 1,
        stderr: "falco: none.yaml: no such file or directory\n",
      });
    }));

  test("names the present spelling of older flags", () =>
    inPlace(({ replay }) => {
      const { status, stderr } = replay("-A", "-K", "x", "-b", "-e", CAPTURE);
      expect(status).toBe(0);
      expect(stderr).toContain("-A is an older flag; now there is -o base_syscalls.all=true\n");
      expect(stderr).toContain("-K is an older flag; now there is a plugin");
    }));
});

describe.skipIf(!HAS_SHARED)("outputs of falco replay", () => {
  test("all get every alert", () =>
    inPlace(({ dir, replay }) => {
      const { stdout } = replay(
        ...["-o", "file_output.enabled=true", "-o", "file_output.filename=file.txt"],
        ...[
          "-o",
          "program_output.enabled=true",
          "-o",
          "program_output.keep_alive=true",
          "-o",
          "program_output.program=cat > program.txt",
        ],
        ...["-e", CAPTURE],
      );
      const alerts = stdout.slice(0, stdout.indexOf("Events detected"));
      expect(readFileSync(join(dir, "file.txt"), "utf8")).toBe(alerts);
      expect(readFileSync(join(dir, "program.txt"), "utf8")).toBe(alerts);
    }));

  test("a closed standard output is no error", () =>
    inPlace(({ dir }) => {
      const { status, stderr } = shell(`set -o pipefail; falco replay -r rules.yaml -e ${CAPTURE} | true`, {
        cwd: dir,
      });
      expect(status).toBe(0);
      expect(stderr.split("\n").filter((l) => l.includes("is closed"))).toHaveLength(1);
    }));

  test("a full disk is told once, counted, and the other outputs go on", () =>
    inPlace(({ replay }) => {
      const { status, stdout, stderr } = replay(
        "-o",
        "file_output.enabled=true",
        "-o",
        "file_output.filename=/dev/full",
        "-e",
        CAPTURE,
      );
      expect(status).toBe(0);
      const n = Number(/Events detected: (\d+)/.exec(stdout)?.[1]);
      expect(stdout.split("\n").filter((l) => / execve of | started /.test(l))).toHaveLength(n);
      expect(stderr.match(/cannot be written/g)).toHaveLength(1);
      expect(stderr).toContain(`output 'file': ${n} of ${n} alerts were lost`);
    }));

  test("a program that dies, and one that hangs, do not hold up the run", () =>
    inPlace(({ replay }) => {
      const program = (line: string): string[] => [
        "-o",
        "program_output.enabled=true",
        "-o",
        "program_output.keep_alive=true",
        "-o",
        `program_output.program=${line}`,
      ];
      const dead = replay(...program("exit 3"), "-e", CAPTURE);
      expect(dead.status).toBe(0);
      expect(dead.stdout).toContain("Events detected");
      const stuck = replay(
        ...program("sleep 1000"),
        "-o",
        "output_timeout=100",
        "-e",
        CAPTURE,
        "-o",
        "outputs_queue.capacity=1",
      );
      expect(stuck.status).toBe(0);
      expect(stuck.stdout).toContain("Events detected");
    }));
});
