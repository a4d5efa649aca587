// SPDX-License-Identifier: Apache-2.0
// Functions on field values.
import { describe, expect, test } from "bun:test";
import {
  b64,
  basename,
  concat,
  getopt,
  getoptKey,
  join,
  len,
  tolower,
  toupper,
} from "../../lib/fields/transformers.ts";

test("tolower() and toupper() change ASCII letters only", () => {
  expect(tolower("aBC\xc4 1")).toBe("abc\xc4 1");
  expect(toupper("aBc\xe4 1")).toBe("ABC\xe4 1");
});

test.each([
  ["/a/b", "b"],
  ["b", "b"],
  ["/a/", ""],
  ["", ""],
])("basename(%p) is %p", (path, base) => {
  expect(basename(path)).toBe(base);
});

test.each([
  ["YWJj", "abc"],
  ["YWI=", "ab"],
  ["YWI", "ab"],
  ["/w==", "\xff"],
  ["", ""],
  ["a", undefined],
  ["YW-j", undefined],
])("b64(%p) is %p", (text, bytes) => {
  expect(b64(text)).toBe(bytes as string);
});

test("len() counts bytes and elements, and is 0 without value", () => {
  expect([len("abc"), len(["a", "b"]), len(undefined), len(5)]).toEqual([3, 2, 0, 0]);
});

test("join() and concat() take numbers too", () => {
  expect(join("-", ["a", 1, true])).toBe("a-1-true");
  expect(concat(["a", 2n, 70000])).toBe("a270000");
});

describe("getopt()", () => {
  test.each([
    [["-a", "-b", "x"], "ab:", ["a", "b", "x"]],
    [["-abx"], "ab:", ["a", "b", "x"]],
    [["-z"], "a", ["?", "z"]],
    [["-b"], "b:", ["?"]],
    [["-a", "--", "-b"], "ab", ["a"]],
    [["-a", "word", "-b"], "ab", ["a"]],
    [["--long", "-a"], "a", ["a"]],
    [["-"], "a", []],
  ] as const)("of %p with %p is %p", (args, spec, found) => {
    expect(getopt([...args], spec)).toEqual([...found]);
  });

  test("with a key gives the last value", () => {
    expect(getoptKey(["-b", "1", "-b2"], "b:", "b")).toBe("2");
    expect(getoptKey(["-a"], "ab:", "a")).toBe("");
    expect(getoptKey(["-b"], "b:", "b")).toBe("");
    expect(getoptKey(["-a"], "ab:", "b")).toBeUndefined();
  });
});
