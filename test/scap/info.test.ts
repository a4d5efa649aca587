// SPDX-License-Identifier: Apache-2.0
// What --info and --raw say of a capture.
import { describe, expect, test } from "bun:test";
import { gatherInfo, isoTime } from "../../lib/scap/info.ts";
import { rawLine } from "../../lib/scap/raw.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import type { EventSpec } from "../support/events.ts";
import {
  block,
  cat,
  event,
  eventBlock,
  fdList,
  interfaceList,
  machineInfo,
  processEntry,
  sectionHeader,
  userList,
  write,
} from "./build.ts";

const HEAD = cat(sectionHeader(), machineInfo());

async function infoOf(...parts: Buffer[]): ReturnType<typeof gatherInfo> {
  const source = await openCapture(write(...parts), { asRecorded: true });
  try {
    return await gatherInfo(source);
  } finally {
    await source.close();
  }
}

describe("gatherInfo()", () => {
  const close = event({ type: "CLOSE_X", params: [0, 5] }, 2_000_000);
  const read = event({ type: "READ_E", params: [0, 5], short: true }, 1_000_000);

  test("counts state, blocks and events of every section", async () => {
    const lists = cat(interfaceList(1), userList(2), block(0x215, processEntry(9)), fdList(2));
    const first = cat(HEAD, lists, eventBlock(close, { version: 1 }), eventBlock(read), eventBlock(read, { flags: 0 }));
    const info = await infoOf(first, HEAD, eventBlock(close));
    expect(info).toMatchObject({ packing: "plain", events: 4, unknownEvents: 0, damage: null });
    expect(info.sections.length).toBe(2);
    expect(info.sections[0]).toEqual({
      format: "1.2",
      hostname: "testhost",
      cpus: 4,
      memoryBytes: 8 * 1024 ** 3,
      maxPid: 32768,
      bootTime: "2020-09-13T12:26:40.000000001Z",
      processes: 0,
      threads: 1,
      descriptors: 9,
      descriptorsByType: {
        file: 1,
        file_v2: 1,
        ipv4_sock: 1,
        ipv6_sock: 1,
        ipv4_servsock: 1,
        ipv6_servsock: 1,
        unix_sock: 1,
        pidfd: 1,
        uninitialized: 1,
      },
      interfaces: 2,
      users: 1,
      groups: 1,
      events: 3,
      // The earliest and latest, whatever their order.
      firstEvent: "2023-11-14T22:13:21.000000000Z",
      lastEvent: "2023-11-14T22:13:22.000000000Z",
      duration: 1,
    });
    expect(Object.fromEntries(info.blocks.map((b) => [b.name, b.count]))).toEqual({
      SHB: 2,
      MI: 2,
      "IL v1": 1,
      "UL v2": 1,
      "PL v9": 1,
      "FDL v2": 1,
      "EV v1": 1,
      "EV v2": 2,
      "EVF v2": 1,
    });
    expect(info.eventsByType).toEqual([
      { id: 5, name: "close", direction: "<", count: 2 },
      { id: 6, name: "read", direction: ">", count: 2 },
    ]);
  });

  test("tells damage after what lies before it", async () => {
    const info = await infoOf(HEAD, eventBlock(close), eventBlock(close).subarray(0, 20));
    expect(info.events).toBe(1);
    expect(info.damage).toMatch(/found 20 bytes before the end of the file/);
  });
});

test("isoTime() keeps nanoseconds and takes any 64-bit time", () => {
  expect(isoTime(1_700_000_000_123_456_789n)).toBe("2023-11-14T22:13:20.123456789Z");
  expect(isoTime(0n)).toBe("1970-01-01T00:00:00.000000000Z");
  expect(isoTime(0xffffffffffffffffn)).toBe("2554-07-21T23:34:33.709551615Z");
});

describe("rawLine()", () => {
  const cases: readonly (readonly [EventSpec, string])[] = [
    [{ type: "CLOSE_X", params: [-9, 5], tid: -1 }, "1 1700000000.000000000 1 -1 < close res=-9 fd=5"],
    [
      { type: "OPENAT_2_X", params: [3, -100, "/a\nb\\", 0x41, 0o644, 0xfe01, 77] },
      "< openat fd=3 dirfd=AT_FDCWD name=/a\\nb\\\\ flags=0x41 mode=0644 dev=0xfe01 ino=77",
    ],
    [{ type: "WRITE_X", params: [3, 'a"b\n', 1, 4] }, '< write res=3 data="a\\"b\\n" fd=1 size=4'],
    [{ type: "WRITE_X", params: [3, "\xff\x01", 1, 4] }, "< write res=3 data=ff01 fd=1 size=4"],
    [{ type: "READ_X", params: [3, null, 1, 4] }, "< read res=3 data=<NA> fd=1 size=4"],
    [{ type: "CONNECT_E", params: [3, Buffer.from([2, 127, 0, 0, 1, 0x50, 0])] }, "> connect fd=3 addr=127.0.0.1:80"],
    [{ type: "CONNECT_E", params: [3, Buffer.from("\x01/run/x\0")] }, "> connect fd=3 addr=unix:/run/x"],
    [{ type: "CONNECT_E", params: [3, Buffer.from([2, 127])] }, "> connect fd=3 addr=027f"],
    [{ type: "POLL_X", params: [1, Buffer.from([1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5, 0])] }, "< poll res=1 fds=7:5"],
    [
      { type: "SETSOCKOPT_X", params: [0, 3, 1, 2, Buffer.from([2, 1, 0, 0, 0]), 4] },
      "< setsockopt res=0 fd=3 level=1 optname=2 val=1 optlen=4",
    ],
    [{ type: "SETSOCKOPT_X", params: [0, 3, 1, 2, Buffer.from([99, 1]), 4] }, "val=6301 optlen=4"],
  ];
  test.each(cases)("%j", async (spec, line) => {
    const source = await openCapture(write(HEAD, eventBlock(event(spec))), { asRecorded: true });
    expect(source.next()).toBe(NEXT.EVENT);
    expect(rawLine(source.cursor)).toContain(line);
    await source.close();
  });
});
