// SPDX-License-Identifier: Apache-2.0
// The reader takes every block of every version, however the file is packed, and checks what it delivers.
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { emptyProcess } from "../../lib/scap/lists.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import type { ProcessEntry } from "../../lib/scap/source.ts";
import { EV } from "../../lib/schema/tables/enums.ts";
import { ROOT } from "../support/shared.ts";
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
  readAll,
  sectionHeader,
  str16,
  tempPath,
  u8,
  u32,
  u64,
  userList,
  write,
} from "./build.ts";

const HEAD = cat(sectionHeader(), machineInfo());
const CLOSE = event({ type: "CLOSE_X", params: [0, 5], tid: 100 });

/** Fields of PROCESS that a list of the given version does not have. */
function missing(version: number): (keyof ProcessEntry)[] {
  const fields: (keyof ProcessEntry)[] = [];
  if (version < 2) fields.push("vmSizeKb", "vmRssKb", "vmSwapKb", "pfMajor", "pfMinor");
  if (version < 3) fields.push("env");
  if (version < 4) fields.push("vtid", "vpid", "cgroups");
  if (version < 5) fields.push("root");
  if (version < 6) fields.push("sid");
  if (version < 7) fields.push("exepath");
  if (version < 8) fields.push("vpgid");
  if (version < 9) {
    fields.push("pidnsInitStart", "tty", "loginuid", "exeWritable", "capInheritable", "capPermitted", "capEffective");
    fields.push("exeUpperLayer", "exeIno", "exeInoCtime", "exeInoMtime", "exeFromMemfd", "exeLowerLayer", "pgid");
  }
  return fields;
}

function without(fields: readonly (keyof ProcessEntry)[]): ProcessEntry {
  const empty = emptyProcess();
  return { ...PROCESS, ...Object.fromEntries(fields.map((f) => [f, empty[f]])) };
}

describe("process lists", () => {
  const ids: readonly (readonly [number, number])[] = [
    [1, 0x202],
    [1, 0x8000abcd],
    [2, 0x207],
    [2, 0x8013abcd],
    [3, 0x209],
    [3, 0x8014abcd],
    [4, 0x210],
    [5, 0x211],
    [6, 0x212],
    [7, 0x213],
    [8, 0x214],
    [9, 0x215],
  ];
  test.each(ids)("version %d, block %d", async (version, id) => {
    const entry = processEntry(version);
    const { source } = await readAll(write(HEAD, block(id, entry, entry)));
    const wanted = without(missing(version));
    expect(source.state.processes).toEqual([wanted, wanted]);
  });

  test("version 9 entries of older writers end earlier", async () => {
    const { source } = await readAll(write(HEAD, block(0x215, processEntry(9, "pidns"), processEntry(9, "loginuid"))));
    const [pidns, loginuid] = source.state.processes;
    const late: (keyof ProcessEntry)[] = [
      "exeIno",
      "exeInoCtime",
      "exeInoMtime",
      "exeFromMemfd",
      "exeLowerLayer",
      "pgid",
    ];
    expect(pidns).toEqual(without(late));
    expect(loginuid).toEqual(without([...late, "pidnsInitStart", "tty", "capEffective", "exeUpperLayer"]));
  });
});

describe("other lists", () => {
  test.each([
    [1, 0x203],
    [1, 0x8001abcd],
    [2, 0x218],
  ])("descriptors version %d, block %d", async (version, id) => {
    const { source } = await readAll(write(HEAD, fdList(version, id)));
    const wanted = FDS.map(([fd]) => (version === 1 ? { ...fd, dev: 0 } : fd));
    expect(source.state.fds.get(PROCESS.tid)).toEqual(wanted);
  });

  test("a descriptor of an unknown type is kept as unsupported", async () => {
    const entry = cat(u64(3), u64(0), u8(77), str16("x"));
    const { source } = await readAll(write(HEAD, block(0x218, u64(1), u32(entry.length + 4), entry)));
    expect(source.state.fds.get(1)).toMatchObject([{ fd: 3, type: 10, name: "unknown-type:[77]" }]);
  });

  test.each([
    [1, 0x205],
    [1, 0x8011abcd],
    [2, 0x219],
  ])("interfaces version %d, block %d", async (version, id) => {
    const { source } = await readAll(write(HEAD, interfaceList(version, id)));
    expect(source.state.interfaces).toMatchObject([
      { family: 4, name: "eth0", address: 0x0a000001, netmask: 0xffffff00, broadcast: 0x0a0000ff, linkspeed: 1000n },
      { family: 6, name: "lo", linkspeed: 0n },
    ]);
  });

  test.each([
    [1, 0x206],
    [1, 0x8012abcd],
    [2, 0x220],
  ])("users version %d, block %d", async (version, id) => {
    const { source } = await readAll(write(HEAD, userList(version, id)));
    expect(source.state.users).toEqual([
      { uid: 1000, gid: 1001, name: "alice", home: "/home/alice", shell: "/bin/sh" },
    ]);
    expect(source.state.groups).toEqual([{ gid: 1001, name: "staff" }]);
  });

  test("machine info, also under its old id; unknown blocks and section options are passed over", async () => {
    const odd = block(0x7777, Buffer.alloc(100_001, 1));
    const options = sectionHeader({ minor: 0, extra: Buffer.from("a comment of a user") });
    const { source } = await readAll(write(options, odd, machineInfo(0x8002abcd), odd));
    expect(source.machine).toEqual(MACHINE);
    expect(source.minor).toBe(0);
  });
});

describe("events", () => {
  const NOTE = { type: "NOTIFICATION_E", params: ["id", "text"] } as const;
  test.each([
    ["EV v1", 1, null, false, 0x204],
    ["EV v1, old id", 1, null, false, 0x8010abcd],
    ["EVF v1", 1, 1, false, 0x208],
    ["EV v2", 2, null, false, 0x216],
    ["EVF v2", 2, 1, false, 0x217],
    ["EV v2 LARGE", 2, null, true, 0x221],
    ["EVF v2 LARGE", 2, 1, true, 0x222],
  ] as const)("%s", async (_, version, flags, large, id) => {
    const first = event({ type: "CLOSE_X", params: [-9, 5], tid: 2 ** 40 + 3 }, 0);
    const second = event({ type: "OPENAT_2_X", params: [3, -100, "/a b", 1, 0, 2, 3], tid: -1 }, 7);
    const blocks = [first, second].map((e) => eventBlock(e, { version, flags, large, id, cpu: 3 }));
    const { source, events, error } = await readAll(write(HEAD, ...blocks));
    expect(error).toBeNull();
    expect(source.baseTime).toBe(BASE_TIME);
    expect(events.map((e) => [e.num, e.type, e.tid, e.cpu, e.ts, e.flags & 1])).toEqual([
      [1, EV.CLOSE_X, 2 ** 40 + 3, 3, 0, flags ?? 0],
      [2, EV.OPENAT_2_X, -1, 3, 7000, flags ?? 0],
    ]);
    expect(events[1]?.params[2]).toBe("/a b\0");
  });

  test("a v1 event whose writer counted three bytes too many", async () => {
    const e = event(NOTE);
    const old = eventBlock(e, { version: 1 });
    // The length stated is 3 greater than what is there, as those writers had it.
    old.writeUInt32LE(old.readUInt32LE(10 + 16) + 3, 10 + 16);
    const { events } = await readAll(write(HEAD, old));
    expect(events[0]?.params).toEqual(["id\0", "text\0"]);
  });

  test("a payload larger than the window comes whole from a LARGE block", async () => {
    const json = "x".repeat(3 * 1024 * 1024);
    const big = event({ type: "CONTAINER_JSON_2_E", params: [json] });
    const { events, error } = await readAll(
      write(HEAD, eventBlock(CLOSE), eventBlock(big, { large: true }), eventBlock(CLOSE)),
    );
    expect(error).toBeNull();
    expect(events.map((e) => e.params[0]?.length)).toEqual([8, json.length + 1, 8]);
  });

  test("events of unknown types are passed over and counted", async () => {
    const unknown = Buffer.from(CLOSE);
    unknown.writeUInt16LE(60000, 20);
    const many = Buffer.concat(new Array(20_000).fill(eventBlock(unknown, { version: 1 })));
    const { source, events } = await readAll(
      write(HEAD, eventBlock(unknown), eventBlock(CLOSE), many, eventBlock(CLOSE)),
    );
    expect(events.map((e) => e.num)).toEqual([1, 2]);
    expect(source.unknownEvents).toBe(20_001);
  });

  test("events that lie across windows come whole, whatever their size", async () => {
    const parts: Buffer[] = [];
    const sizes: number[] = [];
    for (let i = 0; i < 3000; i++) {
      const n = (i * 7919) % 3000;
      sizes.push(n);
      parts.push(eventBlock(event({ type: "WRITE_X", params: [n, "y".repeat(n), 1, n] }, i)));
    }
    const { events, error } = await readAll(write(HEAD, ...parts));
    expect(error).toBeNull();
    expect(events.map((e) => e.params[1]?.length)).toEqual(sizes);
  });

  test("blocks whose length is no multiple of four are read", async () => {
    const odd = eventBlock(CLOSE);
    const body = odd.subarray(8, odd.length - 4);
    const total = u32(body.length + 13);
    const { events, error } = await readAll(write(HEAD, cat(u32(0x216), total, body, Buffer.alloc(1), total), odd));
    expect(error).toBeNull();
    expect(events.length).toBe(2);
  });
});

describe("packing", () => {
  const plain = cat(
    HEAD,
    ...Array.from({ length: 5000 }, (_, i) => eventBlock(event({ type: "CLOSE_X", params: [0, i] }, i))),
  );
  const half = Math.floor(plain.length / 2);
  const packed: readonly (readonly [string, Buffer])[] = [
    ["plain", plain],
    ["gzip", gzipSync(plain)],
    ["gzip in several members", cat(gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half)))],
    ["gzip with zeros after it", cat(gzipSync(plain), Buffer.alloc(1000))],
    ["gzip with other bytes after it", cat(gzipSync(plain), Buffer.from("something else that is not gzip"))],
    ["zstd", zstdCompressSync(plain)],
    ["zstd in several frames", cat(zstdCompressSync(plain.subarray(0, half)), zstdCompressSync(plain.subarray(half)))],
  ];
  test.each(packed)("%s", async (_, bytes) => {
    const { events, error } = await readAll(write(bytes));
    expect(error).toBeNull();
    expect(events.length).toBe(5000);
    expect(events.at(-1)?.ts).toBe(4_999_000);
  });

  /** Events read of standard input: a pipe, or the file that is redirected there. */
  function fromStandardInput(bytes: Buffer, pipe: boolean): string {
    const script = tempPath(".ts");
    const reader = JSON.stringify(join(ROOT, "test/scap/build.ts"));
    writeFileSync(script, `import { readAll } from ${reader}; console.log((await readAll("-")).events.length);`);
    const line = `"$0" "$1" < "$2"`;
    const run = spawnSync("sh", ["-c", pipe ? `cat "$2" | "$0" "$1"` : line, process.execPath, script, write(bytes)]);
    expect(run.stderr.toString()).toBe("");
    return run.stdout.toString();
  }

  test.each(packed)("%s from standard input", (_, bytes) => {
    expect(fromStandardInput(bytes, true)).toBe("5000\n");
    expect(fromStandardInput(bytes, false)).toBe("5000\n");
  });

  test("all that lies before damage is read from standard input too", async () => {
    for (const pack of [gzipSync, zstdCompressSync]) {
      const bytes = Buffer.from(pack(plain));
      bytes.fill(0xff, Math.floor(bytes.length * 0.7));
      const { events } = await readAll(write(bytes));
      expect(events.length).toBeGreaterThan(pack === gzipSync ? 3000 : 0);
      expect(fromStandardInput(bytes, true)).toBe(`${events.length}\n`);
      expect(fromStandardInput(bytes, false)).toBe(`${events.length}\n`);
    }
  });

  test("gzip sections one after the other are read in turn, each with its own state", async () => {
    const second = cat(
      sectionHeader(),
      machineInfo(),
      fdList(2),
      eventBlock(event({ type: "CLOSE_X", params: [0, 1] }, 9_000_000)),
    );
    const { source, events, error } = await readAll(write(cat(gzipSync(plain), gzipSync(second))));
    expect(error).toBeNull();
    expect(events.at(-1)).toMatchObject({ num: 5001, ts: 0, section: 2 });
    expect(source.baseTime).toBe(BASE_TIME + 9_000_000_000n);
    expect(source.state.fds.size).toBe(1);
  });

  test("users at the start of a further section do not count, events do", async () => {
    const user = eventBlock(event({ type: "USER_ADDED_E", params: [0, 0, "root", "/root", "/bin/sh", ""] }));
    const section = cat(HEAD, user, user, eventBlock(CLOSE), user);
    const { events } = await readAll(write(section, section));
    expect(events.map((e) => e.num)).toEqual([1, 2, 3, 4, 4, 4, 5, 6]);
  });
});

describe("captures without events", () => {
  test("open with their state and end", async () => {
    const { source, events, error } = await readAll(write(HEAD, fdList(2)));
    expect([events.length, error, source.state.fds.size]).toEqual([0, null, 1]);
    expect(source.progress()).toBe(1);
  });

  test("a second section without events is told too", async () => {
    const { events, error, source } = await readAll(write(HEAD, eventBlock(CLOSE), HEAD));
    expect([events.length, error, source.sections]).toEqual([1, null, 2]);
  });
});

test("openCapture() reads progress between 0 and 1", async () => {
  const source = await openCapture(write(HEAD, Buffer.concat(new Array(40_000).fill(eventBlock(CLOSE)))));
  const first = source.progress();
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(1);
  await source.close();
});
