// SPDX-License-Identifier: Apache-2.0
// Trace files of this machine: read back event for event and state for state; killed and full-disk writers.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { CaptureFiles } from "../../lib/engine/capture/files.ts";
import { type EventSink, runCapture, Stop } from "../../lib/engine/capture/run.ts";
import { openMachine } from "../../lib/engine/machine.ts";
import { LineWriter } from "../../lib/fields/line_writer.ts";
import type { EventCursor } from "../../lib/scap/cursor.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { FD_TYPE, type InitialState, NEXT } from "../../lib/scap/source.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { falco, PATIENCE_MS, shell } from "../support/falco.ts";
import { ROOT } from "../support/shared.ts";
import { compile, Puppet, reasonToSkip } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

const reason = reasonToSkip();
let dir = "";
let churn = "";
beforeAll(() => {
  ({ dir, program: churn } = compile("churn.c"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** All of an event that a file keeps; times in ns since the epoch. */
function signature(cursor: EventCursor, base: bigint): string {
  const params = Array.from({ length: cursor.nparams }, (_, i) => Bun.hash(cursor.raw(i)).toString(36));
  const ts = base + BigInt(cursor.ts);
  return `${ts} ${cursor.cpu} ${cursor.tid} ${cursor.type} ${params.join(",")}`;
}

/** The lists in an order of their own, without what files do not hold. */
function comparable(state: InitialState): Map<string, string> {
  const out = new Map<string, string>();
  const text = (value: object): string =>
    JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? `${v}` : v));
  for (const p of state.processes) out.set(`thread ${p.tid}`, text({ ...p, startTime: 0, readTs: 0 }));
  for (const [tid, fds] of state.fds)
    for (const fd of fds) {
      // The lists of a file have flags and device of files only.
      const kept = fd.type === FD_TYPE.FILE_V2 ? fd : { ...fd, openFlags: 0, dev: 0 };
      out.set(`descriptor ${tid}/${fd.fd}`, text(kept));
    }
  for (const u of state.users) out.set(`user ${u.uid} ${u.name}`, text(u));
  for (const g of state.groups) out.set(`group ${g.gid} ${g.name}`, text(g));
  for (const [i, entry] of state.interfaces.entries()) out.set(`interface ${i}`, text(entry));
  return out;
}

/** Entries of `a` that are missing in `b` or differ there. */
function missing(a: Map<string, string>, b: Map<string, string>): string[] {
  return [...a].flatMap(([key, value]) => (b.get(key) === value ? [] : [`${key}: ${value} / ${b.get(key)}`]));
}

/**
 * The lists of a file say of files only whether they are closed on execve. So a pipe or socket of the head that an
 * execve closed is still there when the file is read back: `line` of `missing` is about such a one.
 */
function outlived(line: string, head: InitialState): boolean {
  const [, fd, name] = /^descriptor \d+\/(\d+): .*"name":"([^"]*)".* \/ undefined$/.exec(line) ?? [];
  if (fd === undefined) return false;
  const inHead = [...head.fds.values()].flat().find((f) => f.fd === Number(fd) && f.name === name);
  return inHead !== undefined && inHead.type !== FD_TYPE.FILE_V2;
}

/** Starts `falco capture -w FILE` in the background. */
function capturing(file: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, [join(ROOT, "cmd/main.ts"), "capture", "-w", file], { stdio: "ignore" });
}

describe.skipIf(reason !== null)(`trace files of this machine (${reason ?? "root"})`, () => {
  test("are read back event for event and state for state", async () => {
    const file = join(dir, "same.scap");
    const puppet = new Puppet(churn, "3");
    await puppet.says("going");
    const { source, inspector } = await openMachine({ ringBytes: 64 << 20 });
    const files = new CaptureFiles(inspector, {
      path: file,
      compress: false,
      rotation: { maxBytes: 0, maxEvents: 0, seconds: 0, limit: 0 },
      fatfile: false,
      filtered: false,
      snaplen: Number.POSITIVE_INFINITY,
    });
    const written: string[] = [];
    const note = (cursor: EventCursor): void => void written.push(signature(cursor, source.baseTime));
    const sink: EventSink = {
      waiting: false,
      event(cursor) {
        note(cursor);
        return files.event(cursor);
      },
      filtered: (cursor) => files.filtered(cursor),
      internal(cursor) {
        note(cursor);
        files.internal(cursor);
      },
      section: () => files.section(),
      turn: () => files.turn(),
    };
    const out = new LineWriter(64);
    const stop = new Stop();
    const run = runCapture(inspector, {
      matches: null,
      line: null,
      sink: { out, enough: 1, flush: () => {} },
      events: sink,
      limit: 20_000,
      internal: false,
      duration: 10_000,
      stop,
    });
    await run;
    const last = inspector.snapshotState();
    await files.close();
    const { drops } = source.stats();
    await source.close();
    puppet.goOn();
    await puppet.end();

    const read = await openCapture(file);
    const head = read.state;
    const again = new Inspector(read);
    const found: string[] = [];
    let atLast: InitialState | undefined;
    do {
      while (again.next() === NEXT.EVENT) {
        found.push(signature(read.cursor, read.baseTime));
        // What the last event closes is there until the next one, as in the capture.
        if (found.length === written.length) atLast = again.snapshotState();
      }
    } while (await read.more());
    expect(drops).toBe(0);
    expect(found.length).toBeGreaterThan(5_000);
    expect(found).toEqual(written);
    const [want, got] = [comparable(last), comparable(atLast ?? again.snapshotState())];
    expect(missing(want, got).slice(0, 10)).toEqual([]);
    expect(
      missing(got, want)
        .filter((line) => !outlived(line, head))
        .slice(0, 10),
    ).toEqual([]);
    await read.close();
  });

  test("are readable to their last whole event when the writer is killed at any moment", async () => {
    const puppet = new Puppet(churn, "3");
    await puppet.says("going");
    const outcomes: string[] = [];
    let events = 0;
    for (const ms of [0, 130, 480]) {
      const file = join(dir, `killed-${ms}.scap`);
      const child = capturing(file);
      // From the moment on that there is something to read.
      while (!existsSync(file) || statSync(file).size === 0) await Bun.sleep(1);
      await Bun.sleep(ms);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      const read = falco(["capture", "-r", file, "-q", "-v"]);
      events += Number(/^(\d+) events/m.exec(read.stderr)?.[1] ?? 0);
      const whole = read.status === 0;
      const cut = read.status === 1 && /^falco: \S+\.scap: .*end of the file.*\n/m.test(read.stderr);
      if (!whole && !cut) outcomes.push(`${ms} ms: status ${read.status}, ${read.stderr}`);
    }
    puppet.goOn();
    await puppet.end();
    expect(outcomes).toEqual([]);
    expect(events).toBeGreaterThan(0);
  });

  test("end in one line and exit status 1 when the disk is full", () => {
    const disk = join(dir, "disk");
    mkdirSync(disk);
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]);
    // Without the right to mount there is a device that is always full.
    const file = mount.status === 0 ? join(disk, "x.scap") : "/dev/full";
    try {
      const run = falco([
        "capture",
        "-w",
        file,
        "--",
        "sh",
        "-c",
        "i=0; while [ $i -lt 20000 ]; do : </dev/null; i=$((i+1)); done",
      ]);
      expect(run.status).toBe(1);
      expect(run.stderr.replace(/^falco: \d+ events were lost\n/m, "")).toBe(
        `falco: ${file}: cannot write: no space left on the device\n`,
      );
      if (mount.status === 0) {
        expect(statSync(file).size).toBeGreaterThan(0);
        expect(falco(["capture", "-r", file, "-q"]).status).not.toBe(null);
      }
    } finally {
      if (mount.status === 0) spawnSync("umount", [disk]);
    }
  });

  test("to a pipe that is closed: no error", () => {
    const run = shell("falco capture -w - | head -c 1000 | wc -c; echo $PIPESTATUS");
    expect(run.stdout).toBe("1000\n0\n");
    expect(run.stderr.replace(/^falco: \d+ events were lost\n/m, "")).toBe("");
  });

  test("to a pipe, that a capture reads at the other end", () => {
    const run = shell(
      "falco capture -w - -- sh -c 'cat /etc/hostname >/dev/null' | falco capture -r - -p '%proc.name %fd.name' evt.type=openat",
    );
    expect(run.stdout).toContain("cat /etc/hostname\n");
    expect(run.status).toBe(0);
  });
});
