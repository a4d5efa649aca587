// SPDX-License-Identifier: Apache-2.0
// Joining and normalising of paths, and addresses as text.
import { describe, expect, test } from "bun:test";
import { formatIpv4, formatIpv6, isLoopback, mappedIpv4 } from "../../lib/sinsp/address.ts";
import { joinPath, MAX_PATH, normalizePath, TOO_LONG, UNKNOWN_DIR } from "../../lib/sinsp/path.ts";

describe("joinPath()", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["/home/a/", "b", "/home/a/b"],
    ["/home/a", "b", "/home/a/b"],
    ["/home/a/", "../b", "/home/b"],
    ["/home/a/", "../../../../b", "/b"],
    ["/home/a/", "./b/./c//d/", "/home/a/b/c/d"],
    ["/home/a/", "..", "/home"],
    ["/home/a/", ".", "/home/a"],
    ["/", "..", "/"],
    ["/", "x", "/x"],
    ["/home/a/", "/etc/../etc//passwd", "/etc/passwd"],
    ["/home/a/", "", "/home/a"],
    ["/home/a/", ".hidden/..x", "/home/a/.hidden/..x"],
    ["", "x/../y", "y"],
    [UNKNOWN_DIR, "rel.txt", "<UNKNOWN>rel.txt"],
    [UNKNOWN_DIR, "/abs", "/abs"],
    [UNKNOWN_DIR, "a//b/../c/", "<UNKNOWN>a/c"],
    [UNKNOWN_DIR, "../a", "<UNKNOWN>../a"],
    ["/home/a/", "\xff\xfe/\xe4", "/home/a/\xff\xfe/\xe4"],
  ];
  for (const [base, path, wanted] of cases) {
    test(`${base} + ${path} = ${wanted}`, () => expect(joinPath(base, path)).toBe(wanted));
  }

  test("a path of the longest length is kept, a longer one replaced", () => {
    const longest = `/${"a".repeat(MAX_PATH - 3)}`;
    expect(joinPath("/", longest)).toBe(longest);
    expect(joinPath("/", `${longest}a`)).toBe(TOO_LONG);
    expect(joinPath(longest, "b")).toBe(TOO_LONG);
    const name = "b".repeat(MAX_PATH - 1 - "/home/".length);
    expect(joinPath("/home", name)).toBe(`/home/${name}`);
    expect(joinPath("/home/", name)).toBe(`/home/${name}`);
    expect(joinPath("/home/", `${name}b`)).toBe(TOO_LONG);
    expect(joinPath("/", "x".repeat(1 << 20))).toBe(TOO_LONG);
  });

  test("the length counts before anything is resolved", () => {
    expect(joinPath("/", "a/../".repeat(300))).toBe(TOO_LONG);
    expect(joinPath("/", `/${"a/../".repeat(300)}`)).toBe(TOO_LONG);
  });

  test("normalizePath() of ten thousand dots ends", () => {
    expect(normalizePath(`/a${"/..".repeat(10_000)}/b`)).toBe("/b");
  });
});

describe("addresses", () => {
  const bytes = (...groups: number[]) => groups.map((g) => String.fromCharCode(g >> 8, g & 255)).join("");
  test("formatIpv4()", () => {
    expect(formatIpv4(0x7f000001)).toBe("127.0.0.1");
    expect(formatIpv4(0xffffffff)).toBe("255.255.255.255");
  });
  const v6: readonly (readonly [string, string])[] = [
    [bytes(0, 0, 0, 0, 0, 0, 0, 0), "::"],
    [bytes(0, 0, 0, 0, 0, 0, 0, 1), "::1"],
    [bytes(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10), "2001:db8::10"],
    [bytes(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x10), "2001:db8:0:1::10"],
    [bytes(0xfe80, 0, 0, 0, 1, 2, 3, 4), "fe80::1:2:3:4"],
    [bytes(1, 0, 2, 0, 3, 0, 4, 0), "1:0:2:0:3:0:4:0"],
    [bytes(1, 0, 0, 2, 0, 0, 3, 4), "1::2:0:0:3:4"],
    [bytes(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x020a), "::ffff:192.0.2.10"],
  ];
  for (const [ip, text] of v6) test(`formatIpv6() ${text}`, () => expect(formatIpv6(ip)).toBe(text));
  test("mappedIpv4()", () => {
    expect(mappedIpv4(bytes(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x020a))).toBe(0xc000020a);
    expect(mappedIpv4(bytes(0, 0, 0, 0, 0, 0, 0, 1))).toBeUndefined();
  });
  test("isLoopback()", () => {
    expect(isLoopback(0x7fffffff)).toBe(true);
    expect(isLoopback(0x80000001)).toBe(false);
    expect(isLoopback(bytes(0, 0, 0, 0, 0, 0, 0, 1))).toBe(true);
    expect(isLoopback(bytes(0, 0, 0, 0, 0, 0, 0, 2))).toBe(false);
  });
});
