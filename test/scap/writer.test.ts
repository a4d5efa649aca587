// SPDX-License-Identifier: Apache-2.0
// What the writer writes reads back the same, opens in sysdig, and failures to write are one clear error.
import { describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyCapture } from "../../lib/scap/copy.ts";
import { EventCursor } from "../../lib/scap/cursor.ts";
import { ScapIoError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { type InitialState, NEXT } from "../../lib/scap/source.ts";
import { createCaptureWriter } from "../../lib/scap/writer.ts";
import { EV } from "../../lib/schema/tables/enums.ts";
import { type EventSpec, encodeEvent } from "../support/events.ts";
import { HAS_SHARED, ROOT, sharedPath, sharedTest } from "../support/shared.ts";
import {
  BASE_TIME,
  block,
  cat,
  event,
  eventBlock,
  FDS,
  fdList,
  interfaceList,
  MACHINE,
  machineInfo,
  PROCESS,
  processEntry,
  type Reading,
  readAll,
  sectionHeader,
  tempPath,
  userList,
  write,
} from "./build.ts";

const SYSDIG = Bun.which("sysdig");

const STATE: InitialState = {
  processes: [PROCESS, { ...PROCESS, tid: 1235, args: [], env: [], cgroups: [], cwd: "" }],
  fds: new Map([
    [PROCESS.tid, FDS.map(([fd]) => fd)],
    [1235, []],
  ]),
  interfaces: [
    { family: 4, name: "eth0", address: 0x0a000001, netmask: 0xffffff00, broadcast: 0xffffffff, linkspeed: 7n },
    {
      family: 6,
      name: "lo",
      address: "a".repeat(16),
      netmask: "b".repeat(16),
      broadcast: "c".repeat(16),
      linkspeed: 0n,
    },
  ],
  users: [{ uid: 1000, gid: 1001, name: "älice", home: "/home/a", shell: "/bin/sh" }],
  groups: [{ gid: 1001, name: "staff" }],
};

/** A cursor on an event of its own memory, as a live source would have it. */
function cursorOn(spec: EventSpec, flags = 0, cpu = 2): EventCursor {
  const c = new EventCursor();
  c.bytes = encodeEvent(spec, BASE_TIME);
  c.view = new DataView(c.bytes.buffer, c.bytes.byteOffset, c.bytes.length);
  c.type = EV[spec.type];
  c.nparams = c.view.getUint32(22, true);
  c.length = c.bytes.length;
  c.flags = flags;
  c.cpu = cpu;
  c.reset();
  return c;
}

async function copy(from: string, to: string, compress = false): Promise<Error | null> {
  const source = await openCapture(from, { asRecorded: true });
  const writer = createCaptureWriter(to, { compress });
  try {
    await copyCapture(source, writer);
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    await writer.close();
    await source.close();
  }
}

/** Events and state of a reading, in a form that compares. */
function content(reading: Reading): unknown {
  return { events: reading.events, machine: reading.source.machine, state: reading.source.state };
}

describe("CaptureWriter", () => {
  test.each([false, true])("writes the whole state, compressed: %p", async (compress) => {
    const path = tempPath();
    const writer = createCaptureWriter(path, { compress });
    writer.writeHeader(MACHINE, STATE);
    await writer.close();
    const { source } = await readAll(path);
    expect(source.machine).toEqual(MACHINE);
    expect(source.state).toEqual(STATE);
    expect(source.packing).toBe(compress ? "gzip" : "plain");
    const metadata = [0x0a0d0d0a, 0x201, 0x219, 0x220, 0x215, 0x218];
    expect([...source.blocks.keys()]).toEqual(metadata);
    expect(writer.bytesWritten).toBe(statSync(path).size);
  });

  test("a large state is cut into blocks and comes back whole", async () => {
    const env = Array.from({ length: 60 }, (_, i) => `VARIABLE_${i}=${"v".repeat(50)}`);
    const processes = Array.from({ length: 2000 }, (_, i) => ({ ...PROCESS, tid: i, pid: i, env }));
    const state = { ...STATE, processes };
    const path = tempPath();
    const writer = createCaptureWriter(path);
    writer.writeHeader(MACHINE, state);
    await writer.close();
    const { source } = await readAll(path);
    expect(source.state.processes).toEqual(processes);
    expect(source.blocks.get(0x215)).toBeGreaterThan(1);
  });

  test("texts longer than readers take are cut", async () => {
    const long = "x".repeat(70_000);
    const path = tempPath();
    const writer = createCaptureWriter(path);
    writer.writeHeader(MACHINE, { ...STATE, processes: [{ ...PROCESS, comm: long, env: [long] }] });
    await writer.close();
    const { source } = await readAll(path);
    expect(source.state.processes[0]).toMatchObject({ ...PROCESS, comm: "x".repeat(1024), env: ["x".repeat(4096)] });
  });

  test("writes events with flags, hidden ones and LARGE ones", async () => {
    const path = tempPath();
    const writer = createCaptureWriter(path);
    writer.writeHeader(MACHINE, STATE);
    const json = "j".repeat(200_000);
    writer.writeEvent(cursorOn({ type: "CLOSE_X", params: [0, 5], tid: 9 }));
    writer.writeEvent(cursorOn({ type: "CLOSE_X", params: [0, 6] }, 1));
    writer.writeHiddenEvent(cursorOn({ type: "CLOSE_X", params: [0, 7] }));
    writer.writeEvent(cursorOn({ type: "CONTAINER_JSON_2_E", params: [json] }));
    writer.writeEvent(cursorOn({ type: "CONTAINER_JSON_2_E", params: [json] }, 1));
    await writer.close();
    const source = await openCapture(path);
    const seen: number[][] = [];
    while (source.next() === NEXT.EVENT || (await source.more())) {
      if (seen.length < source.stats().events) seen.push([source.blockId, source.cursor.flags & 1, source.cursor.cpu]);
    }
    await source.close();
    expect(seen).toEqual([
      [0x216, 0, 2],
      [0x217, 1, 2],
      [0x217, 1, 2],
      [0x221, 0, 2],
      [0x222, 1, 2],
    ]);
    expect(writer.events).toBe(5);
  });

  test("flush() leaves a file that reads to its last event, plain and gzip", async () => {
    for (const compress of [false, true]) {
      const path = tempPath();
      const writer = createCaptureWriter(path, { compress });
      writer.writeHeader(MACHINE, STATE);
      for (let i = 0; i < 100; i++) writer.writeEvent(cursorOn({ type: "CLOSE_X", params: [0, i] }));
      await writer.flush();
      const { events, error } = await readAll(path);
      expect(events.length).toBe(100);
      // The end of the gzip stream is not there yet.
      expect(error === null).toBe(!compress);
      await writer.close();
    }
  });

  test("a writer killed at any moment leaves whole events", async () => {
    const script = tempPath(".ts");
    const path = tempPath();
    writeFileSync(
      script,
      `import { createCaptureWriter } from ${JSON.stringify(join(ROOT, "lib/scap/writer.ts"))};
       import { openCapture } from ${JSON.stringify(join(ROOT, "lib/scap/reader.ts"))};
       const source = await openCapture(${JSON.stringify(write(cat(sectionHeader(), machineInfo()), eventBlock(event({ type: "CLOSE_X", params: [0, 5] }))))});
       const writer = createCaptureWriter(${JSON.stringify(path)});
       writer.writeHeader(source.machine, source.state);
       source.next();
       for (;;) { for (let i = 0; i < 20000; i++) writer.writeEvent(source.cursor); console.log(writer.events); await 0; }`,
    );
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    let told = 0;
    child.stdout.on("data", (d: Buffer) => {
      told = Math.max(told, ...d.toString().trim().split("\n").map(Number));
      if (told > 300_000) child.kill("SIGKILL");
    });
    await once(child, "exit");
    const { events, error } = await readAll(path);
    // At most what was gathered last is missing.
    expect(events.length).toBeGreaterThan(told - 6000);
    if (error !== null) expect(error.message).toMatch(/bytes before the end of the file/);
  });
});

describe("copyCapture()", () => {
  const head = cat(sectionHeader({ minor: 0 }), machineInfo());
  const note = event({ type: "NOTIFICATION_E", params: ["id", "text"] });
  const close = event({ type: "CLOSE_X", params: [-9, 5], tid: -1 });

  test("brings every old block to the present layout without changing what it says", async () => {
    const old = write(
      head,
      interfaceList(1),
      userList(1),
      block(0x213, processEntry(7)),
      fdList(1),
      eventBlock(close, { version: 1 }),
      eventBlock(note, { version: 1, flags: 1 }),
      eventBlock(close),
      eventBlock(close, { flags: 1, large: true }),
    );
    const path = tempPath();
    expect(await copy(old, path)).toBeNull();
    const [before, after] = [await readAll(old), await readAll(path)];
    expect(content(after)).toEqual(content(before));
    expect([...after.source.blocks.keys()]).toEqual([0x0a0d0d0a, 0x201, 0x219, 0x220, 0x215, 0x218]);
    // Written once more, it is the same file.
    const again = tempPath();
    expect(await copy(path, again)).toBeNull();
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
  });

  test("concatenated captures stay so", async () => {
    const first = cat(head, fdList(1), eventBlock(close), eventBlock(note));
    const second = cat(head, userList(2), eventBlock(note));
    const path = tempPath();
    expect(await copy(write(first, second), path)).toBeNull();
    const reading = await readAll(path);
    expect(reading.events.map((e) => [e.section, e.type])).toEqual([
      [1, EV.CLOSE_X],
      [1, EV.NOTIFICATION_E],
      [2, EV.NOTIFICATION_E],
    ]);
    expect(reading.source.state.users.length).toBe(1);
  });

  test("whole events before damage are written", async () => {
    const path = tempPath();
    const error = await copy(write(head, eventBlock(close), eventBlock(note).subarray(0, 30)), path);
    expect(error?.message).toMatch(/wanted an event block/);
    expect((await readAll(path)).events.length).toBe(1);
  });
});

/** Lines that sysdig prints for a capture. */
function sysdigLines(path: string): string {
  const run = spawnSync(SYSDIG as string, ["-r", path], { maxBuffer: 256 * 1024 * 1024, env: { TZ: "UTC" } });
  expect(run.stderr.toString()).toBe("");
  return run.stdout.toString("latin1");
}

const OLD = HAS_SHARED ? readdirSync(sharedPath("captures")).filter((f) => f.endsWith(".scap")) : [];
const GOLDEN = HAS_SHARED ? readdirSync(sharedPath("golden")).filter((f) => /\.scap(\.gz)?$/.test(f)) : [];

for (const name of OLD) {
  // sysdig 0.29.3 cannot read the comments of the first file; what we write of it, it can.
  const original = name === "curl_google_comments.scap" ? "curl_google.scap" : name;
  const body = async (): Promise<void> => {
    for (const compress of [false, true]) {
      const path = tempPath();
      expect(await copy(sharedPath("captures", name), path, compress)).toBeNull();
      expect(sysdigLines(path)).toBe(sysdigLines(sharedPath("captures", original)));
    }
  };
  if (SYSDIG !== null) sharedTest(`${name} written again says the same in sysdig`, body);
  else test.skip(`${name} written again says the same in sysdig (sysdig is not installed)`, body);
}

for (const [dir, names] of [
  ["captures", OLD],
  ["golden", GOLDEN],
] as const) {
  for (const name of names) {
    if (name.startsWith("mixed") || name.startsWith("suspicious") || name.startsWith("intrusion")) continue;
    sharedTest(`${name} written again has the same events and state`, async () => {
      const path = tempPath();
      const damage = await copy(sharedPath(dir, name), path, true);
      const [before, after] = [await readAll(sharedPath(dir, name)), await readAll(path)];
      expect(damage?.message).toBe(before.error?.message as string);
      expect(after.error).toBeNull();
      expect(content(after)).toEqual(content(before));
    });
  }
}

describe("failures to write", () => {
  const source = write(
    cat(sectionHeader(), machineInfo()),
    ...Array.from({ length: 20_000 }, (_, i) => eventBlock(event({ type: "CLOSE_X", params: [0, i] }, i))),
  );
  const failing = async (path: string, compress: boolean): Promise<Error> => {
    const capture = await openCapture(source, { asRecorded: true });
    try {
      const writer = createCaptureWriter(path, { compress });
      try {
        await copyCapture(capture, writer);
      } finally {
        await writer.close();
      }
    } catch (error) {
      return error as Error;
    } finally {
      await capture.close();
    }
    return new Error("nothing failed");
  };

  test.each([false, true])("a full disk, compressed: %p", async (compress) => {
    const error = await failing("/dev/full", compress);
    expect(error).toBeInstanceOf(ScapIoError);
    expect(error.message).toBe("/dev/full: cannot write: no space left on the device");
  });

  test("a path that cannot be created", async () => {
    expect((await failing("/nonexistent/a.scap", false)).message).toMatch(
      /cannot create the file: no such file or dir/,
    );
    expect((await failing("/tmp", true)).message).toMatch(/cannot create the file: it is a directory/);
  });

  test.each([false, true])("a closed pipe, compressed: %p", (compress) => {
    const script = tempPath(".ts");
    writeFileSync(
      script,
      `import { createCaptureWriter } from ${JSON.stringify(join(ROOT, "lib/scap/writer.ts"))};
       import { openCapture } from ${JSON.stringify(join(ROOT, "lib/scap/reader.ts"))};
       import { copyCapture } from ${JSON.stringify(join(ROOT, "lib/scap/copy.ts"))};
       try {
         const writer = createCaptureWriter("-", { compress: ${compress} });
         for (;;) await copyCapture(await openCapture(${JSON.stringify(source)}, { asRecorded: true }), writer);
       } catch (error) { process.stderr.write(error.code + " " + error.message); process.exit(3); }`,
    );
    const run = spawnSync("bash", [
      "-c",
      `"${process.execPath}" "${script}" | head -c 100 >/dev/null; exit \${PIPESTATUS[0]}`,
    ]);
    expect(run.stderr.toString()).toBe("EPIPE standard output: cannot write: the reader closed the pipe");
    expect(run.status).toBe(3);
  });
});
