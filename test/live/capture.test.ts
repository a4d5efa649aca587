// SPDX-License-Identifier: Apache-2.0
// `falco capture` on this machine as a user runs it: commands, files, pipes, disks, signals.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { falco, shell } from "../support/falco.ts";
import { reasonToSkip, whole } from "./support.ts";

const reason = reasonToSkip();
let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "falco-capture-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const lines = (text: string): string[] => text.trimEnd().split("\n");

describe.skipIf(reason !== null)(`falco capture, live (${reason ?? "root"})`, () => {
  test("-- COMMAND: it and its descendants from its execve on, and its exit status", () => {
    const script = "echo $$; (exec sleep 0.01); /bin/true & wait; exit 7";
    const format = "%evt.type %proc.pid %proc.ppid %proc.name %evt.arg.res";
    const run = whole(() => falco(["capture", "-p", `*${format}`, "--", "sh", "-c", script]));
    expect(run.status).toBe(7);
    const [pid, ...events] = lines(run.stdout).filter((l) => l !== "");
    expect(run.stderr).toBe("");
    const family = new Set([pid]);
    const wrong: string[] = [];
    for (const line of events) {
      const [, who, parent] = line.split(" ");
      if (family.has(parent)) family.add(who);
      if (!family.has(who)) wrong.push(line);
    }
    expect(wrong).toEqual([]);
    expect(family.size).toBe(3);
    expect(events[0]).toMatch(/^execve \d+ \d+ sh 0$/);
    expect(events.at(-1)).toMatch(new RegExp(`^procexit ${pid} `));
  });

  test("-- COMMAND: 128 and the signal that ended it; 1 and a line when there is no such command", () => {
    expect(falco(["capture", "-q", "--", "sh", "-c", "kill -TERM $$"]).status).toBe(143);
    const none = whole(() => falco(["capture", "-q", "--", "/no/such/command"]));
    expect(none.status).toBe(1);
    expect(none.stderr).toMatch(/^falco: cannot run a command: .*\/no\/such\/command.*\n$/);
  });

  test("-w: what is read back of the file is what was shown of the machine", () => {
    const file = join(dir, "same.scap");
    const format = "*%evt.num %evt.rawtime %evt.cpu %proc.name %thread.tid %proc.ppid %evt.type %fd.name %evt.args";
    const run = whole(() => falco(["capture", "-w", file, "--", "sh", "-c", "cat /etc/hostname; ls / >/dev/null"]));
    expect(run).toMatchObject({ status: 0, stderr: "" });
    const read = falco(["capture", "-r", file, "-p", format]);
    expect(read.status).toBe(0);
    const events = lines(read.stdout);
    expect(events.some((l) => / cat \d+ \d+ openat \/etc\/hostname /.test(l))).toBe(true);
    expect(events.filter((l) => l.includes("<NA> <NA>"))).toEqual([]);
    expect(events[0]).toMatch(/^1 \d+ \d+ sh \d+ \d+ execve /);
  });

  test("leaves out what it does itself, all its threads", () => {
    const line = "falco capture -M 0.5 -p '%proc.pid' & sleep 0.05; wait; echo own $!";
    const run = whole(() => shell(line, { cwd: dir }));
    const pids = lines(run.stdout);
    const own = pids.pop()?.split(" ")[1];
    expect(pids.length).toBeGreaterThan(10);
    // bash runs the function in a subshell, whose child the program is.
    expect(new Set(pids).has(own ?? "")).toBe(false);
    expect(run.stderr).toBe("");
  });
});
