// SPDX-License-Identifier: Apache-2.0
// The matchers behind glob, pmatch, regex, and the reading of constants.
import { expect, test } from "bun:test";
import { ConstantError, parseAddress, parseConstant, parseHex, parseNetwork } from "../../lib/filter/constants.ts";
import { compileGlob, globPrefix } from "../../lib/filter/glob.ts";
import { PathTree } from "../../lib/filter/path_tree.ts";
import { compileRegex, regexPrefix, simplerOperator } from "../../lib/filter/regex.ts";
import { portOfService } from "../../lib/filter/services.ts";
import { toBytes } from "../../lib/scap/bytes.ts";
import { PT } from "../../lib/schema/tables/enums.ts";

test("compileGlob() matches as fnmatch(3) does without flags", () => {
  const table: readonly [pattern: string, text: string, expected: boolean][] = [
    ["x[[.a.]]", "xa", true],
    ["[[=a=]b]", "b", true],
    ["[![.a.]]", "a", false],
    ["[[.a.]-c]", "b", true],
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", ".a/b", true],
    ["**", "ab", true],
    ["?", "", false],
    ["?", "/", true],
    ["a*c", "abc", true],
    ["a*c", "ac", true],
    ["a*c", "acb", false],
    ["*a*b*", "xxaxxbxx", true],
    ["*a*b", "ab.ab", true],
    ["*.txt", "a.txt", true],
    ["*.txt", ".txt.x", false],
    ["[abc]", "b", true],
    ["[a-c]x", "bx", true],
    ["[!a-c]", "b", false],
    ["[^a-c]", "d", true],
    ["[]]", "]", true],
    ["[!]]", "]", false],
    ["[a-]", "-", true],
    ["[]-a]", "^", true],
    ["[[:digit:]]*", "7up", true],
    ["[[:digit:]]", "x", false],
    ["[[:nope:]]", "n]", true],
    ["[a", "[a", true],
    ["a[", "a[", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["a\\", "a\\", false],
    ["[\\]]", "]", true],
    ["[/]", "/", true],
    ["\xc3?", "\xc3\xa9", true],
  ];
  const wrong = table.filter(([pattern, text, expected]) => compileGlob(pattern)(text) !== expected);
  expect(wrong).toEqual([]);
});

test("compileGlob() can ignore case", () => {
  const match = compileGlob("[A-C]*Sh", true);
  expect(["bASH", "CSH", "Bsh", "dash"].map(match)).toEqual([true, true, true, false]);
  expect(compileGlob("[!a]", true)("A")).toBe(false);
});

test("compileGlob() stays linear on patterns that make others backtrack", () => {
  const match = compileGlob(`${"*a".repeat(60)}*b`);
  expect(match("a".repeat(100_000))).toBe(false);
}, 120_000);

test("PathTree compares component by component", () => {
  const tree = new PathTree(["/etc", "/var/log/", "/home/*/.ssh", "relative/x"]);
  const table: Readonly<Record<string, boolean>> = {
    "/etc": true,
    "/etc/": true,
    "//etc//passwd": true,
    "/etcetera": false,
    "/var": false,
    "/var/log": true,
    "/var/log/a/b": true,
    "/home/bob/.ssh/id": true,
    "/home/bob/.bashrc": false,
    "/home/.ssh": false,
    "relative/x/y": true,
    "/relative/x": false,
    etc: false,
    "": false,
  };
  const got = Object.fromEntries(Object.keys(table).map((p) => [p, tree.matches(p)]));
  expect(got).toEqual(table);
  expect(new PathTree(["/"]).matches("/x")).toBe(true);
  expect(new PathTree([]).matches("/x")).toBe(false);
  expect(new PathTree([""]).matches("x")).toBe(false);
});

test("compileRegex() follows the POSIX syntax of RE2 and matches the whole text", () => {
  const table: readonly [pattern: string, text: string, expected: boolean][] = [
    ["a\\_b", "a_b", true],
    ["abc", "abc", true],
    ["abc", "xabc", false],
    ["a|b", "b", true],
    ["a|", "", true],
    ["(ab)+", "abab", true],
    ["a{2,3}", "aa", true],
    ["a{2,3}", "aaaa", false],
    ["a{,3}", "a{,3}", true],
    ["a{x", "a{x", true],
    ["a**", "aaa", true],
    ["a+*", "", true],
    ["[[:alpha:]_]+", "a_b", true],
    ["[^[:digit:]]", "5", false],
    ["[]a]+", "]a", true],
    ["[a-]+", "a-", true],
    ["[.]", "x", false],
    ["a.c", "a\nc", false],
    ["[^x]", "\n", true],
    ["^a$", "a", true],
    ["a$\n^b", "a\nb", true],
    ["\\.\\*", ".*", true],
    ["\\x41\\x{42}", "AB", true],
    ["\\101", "A", true],
    ["\\n", "\n", true],
    ["é+", "éé", true],
    [".", "é", true],
    ["\\\\Q", "\\Q", true],
  ];
  const wrong = table.filter(([p, text, expected]) => compileRegex(toBytes(p))(toBytes(text)) !== expected);
  expect(wrong).toEqual([]);
});

test("compileRegex() refuses what POSIX syntax does not have", () => {
  const bad = [
    "*a",
    "a|*",
    "(",
    ")",
    "a)",
    "[a",
    "[[:foo:]]",
    "\\d",
    "\\w+",
    "\\b",
    "\\pL",
    "\\1",
    "\\",
    "(?i)a",
    "(?:a)",
  ];
  bad.push("a{2,1}", "a{1001}", "[b-a]", "[a-b-c]", "\\Qa\\E", "(a{100}){100}");
  const accepted = bad.filter((p) => {
    try {
      compileRegex(p);
      return true;
    } catch (e) {
      if (e instanceof ConstantError) return false;
      throw e;
    }
  });
  expect(accepted).toEqual([]);
  expect(() => compileRegex("\xff")).toThrow(/UTF-8/);
});

test("compileRegex() stays linear on patterns that make others backtrack", () => {
  expect(compileRegex("(a+)+$b?c")("a".repeat(50_000))).toBe(false);
}, 120_000);

test("text that is not UTF-8 counts as U+FFFD for regular expressions", () => {
  expect(compileRegex("a.b")("a\xffb")).toBe(true);
});

test("prefixes of patterns are what every match begins with", () => {
  const globs = { "/proc/[0-9]*/mem": "/proc/", abc: "abc", "*x": "", "a\\*": "a", "": "" };
  for (const [p, prefix] of Object.entries(globs)) expect([p, globPrefix(p)]).toEqual([p, prefix]);
  expect(globPrefix("abc*", true)).toBe("");
  const regexes = {
    "/dev/(sd|vd)[a-z]": "/dev/",
    "^/etc/pass.*": "/etc/pass",
    "abc*": "ab",
    "ab?c": "a",
    "ab{0,2}": "a",
    "ab+": "ab",
    "a|b": "",
    "ab(c|d)": "ab",
    "a[|]b": "a",
    "a\\|b": "a",
    "(a)b": "",
    ".*": "",
  };
  for (const [p, prefix] of Object.entries(regexes)) expect([p, regexPrefix(p)]).toEqual([p, prefix]);
});

test("simplerOperator() names the operator that is enough", () => {
  const table = { abc: "=", "": "=", "^abc$": "=", "^abc.*": "startswith", "abc.*": "startswith", ".*abc": "endswith" };
  for (const [p, op] of Object.entries(table)) expect([p, simplerOperator(p)]).toEqual([p, op as "="]);
  for (const p of [".*abc.*", ".+abc.?", ".*", ".*.*"]) expect(simplerOperator(p)).toBe("contains");
  for (const p of ["a.c", "a[bc]", "a|b", "a+", ".", "a{2}", "^.*a", "a.*$"])
    expect(simplerOperator(p)).toBeUndefined();
});

test("parseAddress() reads both families and refuses the rest", () => {
  expect(parseAddress("127.0.0.1")).toBe(0x7f000001);
  expect(parseAddress("255.255.255.255")).toBe(0xffffffff);
  expect(parseAddress("::")).toBe("\0".repeat(16));
  expect(parseAddress("1::")).toBe(`\0\x01${"\0".repeat(14)}`);
  expect(parseAddress("::ffff:1.2.3.4")).toBe(`${"\0".repeat(10)}\xff\xff\x01\x02\x03\x04`);
  expect(parseAddress("1:2:3:4:5:6:7:8")).toBe("\0\x01\0\x02\0\x03\0\x04\0\x05\0\x06\0\x07\0\x08");
  const bad = ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.x", ":", ":::", "1:2", "1::2::3", "g::"];
  bad.push("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "1.2.3.4::", "::1.2.3", "fe80::1%eth0", ":1::");
  expect(bad.filter((a) => parseAddress(a) !== undefined)).toEqual([]);
});

test("parseNetwork() checks the prefix against the family", () => {
  expect(parseNetwork("10.0.0.0/8")).toEqual({ address: 0x0a000000, prefix: 8 });
  expect(parseNetwork("fe80::/10").prefix).toBe(10);
  for (const bad of ["10.0.0.0", "10.0.0.0/33", "::/129", "/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "x/8"]) {
    expect(() => parseNetwork(bad)).toThrow(ConstantError);
  }
});

test("parseConstant() reads integers as C does, cut to the type's width", () => {
  const table: readonly [text: string, type: number, value: number | bigint][] = [
    ["0", PT.INT64, 0],
    ["-0", PT.INT64, 0],
    [" 12", PT.INT32, 12],
    ["-9223372036854775809", PT.INT64, -9223372036854775808n],
    ["9223372036854775808", PT.INT64, 9223372036854775807n],
    ["-1", PT.UINT64, 18446744073709551615n],
    ["-1", PT.UINT8, 255],
    ["256", PT.UINT8, 0],
    ["32768", PT.INT16, -32768],
    ["0xff", PT.INT8, -1],
    ["0xFFFFFFFFFFFFFFFF", PT.UINT64, 18446744073709551615n],
    ["9007199254740991", PT.UINT64, 9007199254740991],
    ["9007199254740992", PT.UINT64, 9007199254740992n],
  ];
  for (const [text, type, value] of table) expect([text, parseConstant(text, type)]).toEqual([text, value]);
  for (const bad of ["", "-", "1 ", "1.5", "1e3", "0x", "0xg", "x1", "--1", "1_000", "٣", `0x${"1".repeat(1000)}`]) {
    expect(() => parseConstant(bad, PT.INT64)).toThrow(ConstantError);
  }
});

test("constants of millions of digits are refused or cut in linear time", () => {
  expect(parseConstant("9".repeat(1_000_000), PT.UINT64)).toBe(18446744073709551615n);
  expect(parseConstant(`${"0".repeat(1_000_000)}7`, PT.UINT64)).toBe(7);
  expect(() => parseConstant(`${"0".repeat(1_000_000)}g`, PT.UINT64)).toThrow(ConstantError);
}, 120_000);

test("ports are numbers or names of services", () => {
  expect(parseConstant("80", PT.PORT)).toBe(80);
  expect(parseConstant("https", PT.PORT)).toBe(443);
  expect(portOfService("www")).toBe(80);
  for (const bad of ["", "HTTP", "nope", "65536", "-1", "80.0", "8o"]) {
    expect(() => parseConstant(bad, PT.PORT)).toThrow(ConstantError);
  }
});

test("hexadecimal buffers need pairs of digits", () => {
  expect(parseHex("00fFAb")).toBe("\0\xff\xab");
  for (const bad of ["4", "414", "0x41", "41 42", "4g"]) expect(() => parseHex(bad)).toThrow(ConstantError);
  expect(() => parseHex("41".repeat(256))).toThrow(/at most 255/);
});
