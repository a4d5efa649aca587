// SPDX-License-Identifier: Apache-2.0
// Damaged trace files end in one clear error, after all whole events before the damage.
import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { ScapFormatError, ScapIoError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { NEXT } from "../../lib/scap/source.ts";
import {
  block,
  cat,
  event,
  eventBlock,
  fdList,
  interfaceList,
  lie,
  machineInfo,
  processEntry,
  readAll,
  sectionHeader,
  str16,
  u8,
  u16,
  u32,
  u64,
  userList,
  write,
} from "./build.ts";

const HEAD = cat(sectionHeader(), machineInfo());
const CLOSE = event({ type: "CLOSE_X", params: [0, 5] });
const GOOD = cat(HEAD, eventBlock(CLOSE), eventBlock(CLOSE), eventBlock(CLOSE));

/** Opens and reads; gives the events before the error and the error. */
async function outcome(...parts: Buffer[]): Promise<{ events: number; error: ScapFormatError }> {
  try {
    const { events, error } = await readAll(write(...parts));
    expect(error).toBeInstanceOf(ScapFormatError);
    return { events: events.length, error: error as ScapFormatError };
  } catch (error) {
    expect(error).toBeInstanceOf(ScapFormatError);
    return { events: -1, error: error as ScapFormatError };
  }
}

/** Offset −1: not checked. Events −1: the file does not open. */
const CASES: readonly (readonly [what: string, bytes: Buffer, events: number, offset: number, said: RegExp])[] = [
  ["an empty file", Buffer.alloc(0), -1, 0, /found an empty file, wanted a section header/],
  ["one byte", Buffer.from([0x0a]), -1, 1, /wanted a block header/],
  ["text", Buffer.from("this is no trace file"), -1, 0, /found block type 0x73696874, wanted a section header/],
  ["a wrong magic", cat(sectionHeader({ magic: 7 }), machineInfo()), -1, 8, /found 0x7, wanted byte-order magic/],
  ["a big-endian capture", sectionHeader({ magic: 0x4d3c2b1a }), -1, 8, /found a capture of a big-endian machine/],
  ["a newer major version", cat(sectionHeader({ major: 2 }), machineInfo()), -1, 12, /found version 2\.x/],
  ["a section header alone", sectionHeader(), -1, 28, /wanted a machine info block/],
  ["events without machine info", cat(sectionHeader(), eventBlock(CLOSE)), -1, 28, /found an event, wanted a machine/],
  ["a block length below the least", cat(HEAD, u32(0x215), u32(11)), 0, 224, /found 11, wanted a block length of/],
  ["a trailer that differs", cat(sectionHeader(), lieTrailer(machineInfo())), 0, 216, /wanted block length 192/],
  [
    "a machine info block that is too short",
    cat(sectionHeader(), block(0x201, u32(4))),
    -1,
    36,
    /wanted a machine info/,
  ],
  [
    "a process list that ends in an entry",
    cat(HEAD, block(0x215, processEntry(9).subarray(0, 150))),
    0,
    228,
    /whole entry/,
  ],
  [
    "an old process list that ends in an entry",
    cat(HEAD, block(0x213, processEntry(7).subarray(0, 99))),
    0,
    228,
    /whole/,
  ],
  ["a process entry of length 0", cat(HEAD, block(0x215, u32(0), Buffer.alloc(200))), 0, 228, /an entry of 0 bytes/],
  [
    "a process entry of 4 GiB",
    cat(HEAD, block(0x215, u32(-1), Buffer.alloc(200))),
    0,
    228,
    /entry of 4294967295 bytes/,
  ],
  ["an entry whose texts overrun it", cat(HEAD, block(0x215, overrun())), 0, 228, /fields overrun its length/],
  ["a descriptor list without thread id", cat(HEAD, block(0x218, u32(1))), 0, 228, /wanted a whole entry/],
  ["an interface of an unknown type", cat(HEAD, block(0x205, u16(9), Buffer.alloc(40))), 0, 228, /interface of type 9/],
  ["a user entry of an unknown type", cat(HEAD, block(0x206, u8(2), Buffer.alloc(40))), 0, 228, /entry of type 2/],
  ["a file cut in the state", cat(HEAD, fdList(2)).subarray(0, 300), 0, 300, /wanted the rest of block FDL v2/],
  [
    "a cut event block",
    GOOD.subarray(0, -3),
    2,
    -1,
    /found \d+ bytes before the end of the file, wanted an event block/,
  ],
  ["a cut block header", cat(GOOD, u32(0x216)), 3, -1, /found 4 bytes .*wanted a block header of 8 bytes/],
  [
    "an unknown block among events",
    cat(GOOD, block(0x999, u32(0)), eventBlock(CLOSE)),
    3,
    -1,
    /found block type 0x999/,
  ],
  ["a state block among events", cat(GOOD, userList(2)), 3, -1, /found block type 0x220, wanted an event block/],
  ["an event block of length 0", cat(GOOD, u32(0x216), u32(0), Buffer.alloc(90)), 3, -1, /found a length of 0/],
  ["an event block above 64 KiB", cat(GOOD, u32(0x216), u32(65540), Buffer.alloc(65532)), 3, -1, /a length of 65540/],
  ["a LARGE block of 4 GiB", cat(GOOD, u32(0x221), u32(-1), Buffer.alloc(90)), 3, -1, /a length of 4294967295/],
  ["an event of length 0", cat(GOOD, eventBlock(lie(CLOSE, { length: 0 }))), 3, -1, /found a length of 0/],
  ["an event longer than its block", cat(GOOD, eventBlock(lie(CLOSE, { length: 47 }))), 3, -1, /found a length of 47/],
  ["33 parameters", cat(GOOD, eventBlock(lie(CLOSE, { nparams: 33 }))), 3, -1, /found 33, wanted .* at most 32/],
  ["4294967295 parameters", cat(GOOD, eventBlock(lie(CLOSE, { nparams: -1 >>> 0 }))), 3, -1, /found 4294967295/],
  [
    "lengths that overrun the event",
    cat(GOOD, eventBlock(lie(CLOSE, { nparams: 20 }))),
    3,
    -1,
    /20 parameters that fit/,
  ],
  [
    "a parameter longer than the event",
    cat(GOOD, eventBlock(lie(CLOSE, { param0: 65535 }))),
    3,
    -1,
    /2 parameters that fit/,
  ],
  [
    "a 4 GiB parameter",
    cat(GOOD, eventBlock(lie(event({ type: "ASYNCEVENT_E" }), { param0: 0xfffffff0 }))),
    3,
    -1,
    /that fit/,
  ],
  [
    "a v1 event whose lengths do not add up",
    cat(GOOD, eventBlock(lie(CLOSE, { param0: 3 }), { version: 1 })),
    3,
    -1,
    /v1 event/,
  ],
  ["a second section cut in its state", cat(GOOD, HEAD.subarray(0, 100)), 3, -1, /wanted the rest of block MI/],
];

function lieTrailer(b: Buffer): Buffer {
  const copy = Buffer.from(b);
  copy.writeUInt32LE(7, copy.length - 4);
  return copy;
}

function overrun(): Buffer {
  const entry = processEntry(9);
  entry.writeUInt16LE(60000, 4 + 5 * 8);
  return entry;
}

describe("damage", () => {
  test.each(CASES)("%s", async (_, bytes, events, offset, said) => {
    const result = await outcome(bytes);
    expect(result.error.message).toMatch(said);
    expect(result.error.message).not.toContain("\n");
    expect(result.events).toBe(events);
    if (offset >= 0) expect(result.error.offset).toBe(offset);
  });

  test("a capture cut anywhere gives the whole events before the cut", async () => {
    const state = cat(HEAD, interfaceList(2), userList(2), block(0x215, processEntry(9)), fdList(2));
    const blocks = [eventBlock(CLOSE), eventBlock(CLOSE, { flags: 1 }), eventBlock(CLOSE, { version: 1 })];
    const whole = cat(state, ...blocks);
    const ends = blocks.map((_, i) => state.length + cat(...blocks.slice(0, i + 1)).length);
    for (let cut = 0; cut <= whole.length; cut++) {
      const expected = ends.filter((end) => end <= cut).length;
      const atBoundary = cut === state.length || ends.includes(cut);
      let events = -1;
      let error: Error | null = null;
      try {
        const reading = await readAll(write(whole.subarray(0, cut)));
        events = reading.events.length;
        error = reading.error;
      } catch (thrown) {
        error = thrown as Error;
      }
      // With the machine info there is a capture, whose state is what was whole.
      expect([cut, events]).toEqual([cut, cut >= HEAD.length ? expected : events]);
      // Cuts between blocks of the state leave a whole, smaller capture.
      if (atBoundary) expect([cut, error]).toEqual([cut, null]);
      else if (error !== null || cut > state.length) expect(error).toBeInstanceOf(ScapFormatError);
    }
  });
});

describe("damaged compression", () => {
  const events = Array.from({ length: 20_000 }, (_, i) =>
    eventBlock(event({ type: "WRITE_X", params: [i, `${(i * 2654435761) % 4294967296}`, i, i * 31] }, i)),
  );
  const plain = cat(HEAD, ...events);
  const gzip = gzipSync(plain);

  test("a gzip file cut in two delivers what its first half holds", async () => {
    const { events, error } = await outcome(gzip.subarray(0, gzip.length >> 1));
    expect(events).toBeGreaterThan(8000);
    expect(error.message).toMatch(/found the end of the file, wanted more gzip data/);
    expect(error.offset).toBe(gzip.length >> 1);
  });

  test("a damaged gzip file delivers what lies before the damage", async () => {
    const damaged = Buffer.from(gzip);
    damaged.fill(0xff, gzip.length >> 1, (gzip.length >> 1) + 200);
    const before = (await outcome(gzip.subarray(0, gzip.length >> 1))).events;
    const { events, error } = await outcome(damaged);
    expect(events).toBeGreaterThanOrEqual(before - 1);
    expect(events).toBeLessThan(20_000);
    expect(error.message).toMatch(/damaged data|found a length|found block type|parameters/);
  });

  test("a wrong checksum is told after all events", async () => {
    const damaged = Buffer.from(gzip);
    damaged.writeUInt32LE(0, gzip.length - 8);
    const { events, error } = await outcome(damaged);
    expect(events).toBe(20_000);
    expect(error.message).toMatch(/damaged data \(incorrect data check\)/);
  });

  test("a zstd file cut in two", async () => {
    const zstd = zstdCompressSync(plain);
    const { events, error } = await outcome(zstd.subarray(0, zstd.length >> 1));
    expect(events).toBeGreaterThan(5000);
    expect(error.message).toMatch(/wanted more zstd data/);
  });

  test("a damaged zstd file", async () => {
    const zstd = zstdCompressSync(plain);
    zstd.fill(0xff, zstd.length >> 1, (zstd.length >> 1) + 50);
    const { events, error } = await outcome(zstd);
    expect(events).toBeGreaterThan(5000);
    expect(error.message).toMatch(/zstd data|parameters|found a length/);
  });

  test("closing in the middle of reading damage again closes no other file", async () => {
    const damaged = Buffer.from(gzipSync(cat(HEAD, ...events.slice(0, 2000))));
    damaged.fill(0xff, damaged.length >> 1);
    const path = write(damaged);
    const other = write(plain);
    for (let i = 0; i < 40; i++) {
      const source = await openCapture(path);
      const reading = source.more();
      await source.close();
      const neighbour = await openCapture(other);
      await source.close();
      await reading.catch(() => false);
      let read = 0;
      do {
        while (neighbour.next() === NEXT.EVENT) read++;
      } while (await neighbour.more());
      await neighbour.close();
      expect(read).toBe(20_000);
    }
  });

  test("gzip in which there is no capture", async () => {
    expect((await outcome(gzipSync(Buffer.from("hello world")))).error.message).toMatch(/wanted a section header/);
    expect((await outcome(gzipSync(Buffer.alloc(0)))).error.message).toMatch(/found an empty file/);
    expect((await outcome(Buffer.from([0x1f, 0x8b]))).error.message).toMatch(/wanted more gzip data/);
    expect((await outcome(Buffer.from([0x1f, 0x8b, 9, 9, 9, 9]))).error.message).toMatch(/damaged data/);
  });
});

describe("files that cannot be read", () => {
  test.each([
    ["missing", "/nonexistent/x.scap", /cannot open: no such file/],
    ["a directory", import.meta.dir, /cannot read: it is a directory/],
    ["part of the path is a file", "/etc/passwd/x", /not a directory/],
  ])("%s", async (_, path, said) => {
    const failure = await readAll(path).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ScapIoError);
    expect(String((failure as Error).message)).toMatch(said);
    expect((failure as ScapIoError).file).toBe(path);
  });
});

test("an entry of a list may lie across windows", async () => {
  const entry = processEntry(9);
  const n = 20_000;
  const { source, error } = await readAll(write(HEAD, block(0x215, Buffer.concat(new Array(n).fill(entry)))));
  expect(error).toBeNull();
  expect(source.state.processes.length).toBe(n);
});

test("a list of more processes than any machine has is refused, with what came before", async () => {
  // Each entry of version 1 is 54 zeros.
  const { source, error } = await readAll(write(gzipSync(cat(HEAD, block(0x202, Buffer.alloc(54 * 600_000))))));
  expect(error?.message).toMatch(/wanted at most 524288 processes/);
  expect(source.state.processes.length).toBe(524_289);
});

test("a descriptor of a unix socket whose name overruns its entry is damage", async () => {
  const body = cat(u64(1), u64(2), u8(8), u64(3), u64(4), str16("name"));
  body.writeUInt16LE(999, body.length - 6);
  const { error } = await outcome(HEAD, block(0x218, u64(1), u32(body.length + 4), body, Buffer.alloc(2000)));
  expect(error.message).toMatch(/whole descriptor entry/);
});
