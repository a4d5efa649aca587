// SPDX-License-Identifier: Apache-2.0
// The byte writer: numbers, escapes, growth.
import { expect, test } from "bun:test";
import { LineWriter } from "../../lib/fields/line_writer.ts";

function written(write: (out: LineWriter) => void, size = 1): string {
  const out = new LineWriter(size);
  write(out);
  return out.take();
}

test.each([
  0, 7, 10, 11, 101, 909, 1001, 10010, 123456, 1234567, 12345678, 99, 100, 12345, 999999999, 1000000000, 1795332393300,
  140715267518464, 9007199254740991, -1, -9007199254740991,
])("dec(%p) is the number", (n) => {
  expect(written((out) => out.dec(n))).toBe(String(n));
});

test.each([
  [0, 0, "0"],
  [0, 0xfe00, "FE00"],
  [0, 0xffffffff, "FFFFFFFF"],
  [0x7f0c, 0x02a85a4c, "7F0C02A85A4C"],
  [1, 0, "100000000"],
  [0xffffffff, 0xffffffff, "FFFFFFFFFFFFFFFF"],
])("hex(%p, %p) is %p", (high, low, text) => {
  expect(written((out) => out.hex(high, low))).toBe(text);
});

test("nanos() keeps leading zeros", () => {
  expect(written((out) => out.nanos(5))).toBe("000000005");
  expect(written((out) => out.nanos(123456789))).toBe("123456789");
});

test("fit() pads and cuts", () => {
  const fit = (text: string, width: number): string =>
    written((out) => {
      out.str("|");
      const start = out.at;
      out.str(text);
      out.fit(start, width);
      out.str("|");
    });
  expect(fit("ab", 4)).toBe("|ab  |");
  expect(fit("abcdef", 4)).toBe("|abcd|");
});

test.each([
  "",
  "plain",
  'quote " and \\',
  "\b\t\n\f\r\0\x1f\x7f",
  "caf\xc3\xa9",
  "broken \xc3( \xff",
  "x".repeat(5000),
])("json(%p) is what JSON.stringify makes of the text", (bytes) => {
  const text = Buffer.from(bytes, "latin1").utf8Slice();
  expect(
    JSON.parse(
      Buffer.from(
        written((out) => out.json(bytes)),
        "latin1",
      ).utf8Slice(),
    ),
  ).toBe(text);
  const pieces = written((out) => {
    const start = out.beginJson();
    out.str(bytes.slice(0, 3));
    out.str(bytes.slice(3));
    out.endJson(start);
  });
  expect(JSON.parse(Buffer.from(pieces, "latin1").utf8Slice())).toBe(text);
});

test("long strings and ranges come over whole", () => {
  const long = Array.from({ length: 300 }, (_, i) => String.fromCharCode(i & 255)).join("");
  const bytes = Buffer.from(long, "latin1");
  expect(written((out) => out.str(long))).toBe(long);
  expect(written((out) => out.range(bytes, 0, bytes.length))).toBe(long);
  expect(written((out) => out.range(bytes, 65, 68))).toBe("ABC");
});

test("take() leaves what was there before the start", () => {
  const out = new LineWriter(4);
  out.str("abc");
  out.str("def");
  expect(out.take(3)).toBe("def");
  expect(out.take()).toBe("abc");
  expect(out.at).toBe(0);
});
