// SPDX-License-Identifier: Apache-2.0
// `falco capture` on this machine as a user runs it: commands, files, pipes, disks, signals.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { falco, MAIN, PATIENCE_MS } from "../support/falco.ts";
import { reasonToSkip, whole } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

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

  test("leaves out what it does itself, all its threads", async () => {
    const args = ["capture", "-U", "-p", "%proc.pid %thread.tid"];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const seen = new Map<string, number>();
    const said: Buffer[] = [];
    createInterface(child.stdout).on("line", (line) => {
      for (const id of line.split(" ")) seen.set(id, (seen.get(id) ?? 0) + 1);
    });
    child.stderr.on("data", (bytes: Buffer) => said.push(bytes));
    const ended = new Promise((resolve) => child.once("close", resolve));
    // Every line that it prints is a call of its own, and so many that its other threads have work too.
    const mine = `${process.pid}`;
    for (let i = 0; (seen.get(mine) ?? 0) < 2_000 && i < 10_000 && child.exitCode === null; i++) {
      for (let k = 0; k < 100; k++) existsSync("/no/such/file");
      await Bun.sleep(1);
    }
    const threads = readdirSync(`/proc/${child.pid}/task`);
    child.kill("SIGINT");
    await ended;
    expect(seen.get(mine)).toBeGreaterThanOrEqual(2_000);
    expect(threads.length).toBeGreaterThan(1);
    expect([`${child.pid}`, ...threads].filter((id) => seen.has(id))).toEqual([]);
    expect(child.exitCode).toBe(0);
    expect(
      Buffer.concat(said)
        .toString("utf8")
        .replace(/^falco: \d+ events were lost\n/m, ""),
    ).toBe("");
  });
});
