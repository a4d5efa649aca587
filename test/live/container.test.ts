// SPDX-License-Identifier: Apache-2.0
// `falco run` and a container: what runs in a control group named as runtimes name theirs has its id, and rules see it.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { MAIN, PATIENCE_MS } from "../support/falco.ts";
import { ROOT } from "../support/shared.ts";
import { reasonToSkip } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

/** Mount points of control groups that are asked for a thread's container: the unified one, or cpu and memory of old. */
function groupRoots(): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const old = mounts.filter(([, , type, options]) => type === "cgroup" && /(^|,)(cpu|memory)(,|$)/.test(options ?? ""));
  const unified = mounts.filter(([, , type]) => type === "cgroup2");
  return (old.length > 0 ? old : unified).map(([, path]) => path as string);
}

/** Makes the group and resolves to its directories, innermost first; a text says why it cannot be made. */
function makeGroup(...path: string[]): string[] | string {
  let why = "no control groups are mounted";
  for (const root of groupRoots()) {
    const made: string[] = [];
    try {
      let dir = root;
      for (const name of path) {
        dir = join(dir, name);
        if (mkdirSync(dir, { recursive: true }) !== undefined) made.unshift(dir);
      }
      return made;
    } catch (error) {
      why = (error as Error).message;
    }
  }
  return why;
}

const id = randomBytes(32).toString("hex");
const noProbe = reasonToSkip();
const group = noProbe === null ? makeGroup("docker", id) : noProbe;
const reason = typeof group === "string" ? group : null;

interface Alert {
  rule: string;
  output_fields: Record<string, unknown>;
}

describe.skipIf(reason !== null)(`falco run and a container (${reason ?? "root"})`, () => {
  let dir = "";
  let falco: ChildProcess;
  let alerts: Interface;
  const mark = `falco-container-${process.pid}`;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "falco-container-"));
    // Who reads our file, in or out of the container.
    const rule = `
- rule: Mark read
  desc: A file of this test was opened.
  condition: evt.type = openat and fd.name = ${join(dir, mark)}
  output: mark (id=%container.id full=%container.full_id vpid=%proc.vpid name=%proc.name)
  priority: INFO
`;
    writeFileSync(join(dir, "mark.yaml"), rule);
    writeFileSync(join(dir, mark), "");
    const args = ["run", "-r", join(ROOT, "rules/falco_rules.yaml"), "-r", join(dir, "mark.yaml")];
    args.push("-o", "json_output=true", "-o", "rule_matching=all");
    falco = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    alerts = createInterface(falco.stdout as NodeJS.ReadableStream);
    const messages = createInterface(falco.stderr as NodeJS.ReadableStream);
    await new Promise<void>((resolve, reject) => {
      messages.on("line", (line) => line.endsWith("are watched") && resolve());
      falco.once("close", (status) => reject(new Error(`it ended with ${status} before it watched`)));
    });
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => falco.once("close", resolve));
    falco.kill("SIGINT");
    await ended;
    rmSync(dir, { recursive: true });
    for (const made of group as string[]) rmdirSync(made);
  });

  /** Runs a shell line and gives the alerts that `wanted` picks, up to `enough` of them. */
  async function alertsOf(line: string, enough: number, wanted: (alert: Alert) => boolean): Promise<Alert[]> {
    const found: Alert[] = [];
    const done = new Promise<void>((resolve) => {
      const take = (text: string): void => {
        if (!text.startsWith("{")) return;
        const alert = JSON.parse(text) as Alert;
        if (wanted(alert)) found.push(alert);
        if (found.length < enough) return;
        alerts.off("line", take);
        resolve();
      };
      alerts.on("line", take);
    });
    const run = spawnSync("sh", ["-c", line], { encoding: "utf8" });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
    await done;
    return found;
  }

  test("a process in its group has the container's id, its first one is number 1", async () => {
    const [made] = group as string[];
    const inside = `cat ${join(dir, mark)}`;
    const line = `echo $$ > ${made}/cgroup.procs && exec unshare --pid --fork ${inside}`;
    const [alert] = await alertsOf(line, 1, (a) => a.rule === "Mark read");
    expect(alert?.output_fields).toMatchObject({
      "container.id": id.slice(0, 12),
      "container.full_id": id,
      "proc.vpid": 1,
      "proc.name": "cat",
    });
  });

  test("a process outside has not", async () => {
    const [alert] = await alertsOf(`cat ${join(dir, mark)}`, 1, (a) => a.rule === "Mark read");
    expect(alert?.output_fields["container.id"]).not.toBe(id.slice(0, 12));
  });

  test("a shipped rule tells of what happens inside with the container's id", async () => {
    const [made] = group as string[];
    const line = `echo $$ > ${made}/cgroup.procs && exec unshare --pid --fork head -c 1 /etc/shadow >/dev/null`;
    const wanted = (a: Alert): boolean => a.output_fields["container.id"] === id.slice(0, 12);
    const found = await alertsOf(line, 2, wanted);
    expect(found.map((a) => a.rule)).toEqual(["Namespaces changed in a container", "Password file read"]);
    expect(found[1]?.output_fields["fd.name"]).toBe("/etc/shadow");
  });
});
