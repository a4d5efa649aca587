// SPDX-License-Identifier: Apache-2.0
// The checker: what transformers take, which constants are doubtful, which errors mean that a field does not exist.
import { describe, expect, test } from "bun:test";
import { builtinFields } from "../../lib/fields/registry.ts";
import { checkFilter } from "../../lib/filter/checker.ts";
import { FilterError } from "../../lib/filter/errors.ts";
import { eventTypesOf } from "../../lib/filter/event_types.ts";
import { parseFilter } from "../../lib/filter/parser.ts";
import { EVENT_MAX } from "../../lib/schema/events.ts";

/** "valid", or the kind of the error. */
function verdict(filter: string): string {
  try {
    checkFilter(parseFilter(filter), builtinFields);
    return "valid";
  } catch (e) {
    if (!(e instanceof FilterError)) throw e;
    return e.kind;
  }
}

function warnings(filter: string): number {
  return checkFilter(parseFilter(filter), builtinFields).warnings.length;
}

const VALID = [
  'concat(len(proc.name), "x") = a',
  'concat(getopt(fd.types, "a"), "x") = a',
  'concat(proc.aname[1], "x") = a',
  "join(proc.pid, fd.types) = x",
  'join(",", (proc.aname, fd.ip)) = x',
  "tolower((proc.name, proc.exe)) in (a)",
  "b64((proc.name)) in (a)",
  "len((proc.name, proc.exe)) = 2",
  "len(()) = 0",
  "tolower(()) in (a)",
  "getopt(fd.types, len(proc.name)) in (a)",
  'fd.snet = "10.0.0.0/ 8"',
  "fd.snet = 10.0.0.0/+08",
  'proc.aname[" 1"] = a',
];

const WRONG: readonly (readonly [string, string])[] = [
  ['concat(proc.pid, "x") = a', "type"],
  ['concat(evt.buffer, "x") = a', "type"],
  ['concat(fd.types, "x") = a', "type"],
  ['join(",", getopt(fd.types, "a")) = x', "type"],
  ['join((proc.name), ("a")) = x', "type"],
  ["getopt(fd.types, proc.pid) in (a)", "type"],
  ["proc.name = val(proc.exe)[x]", "argument"],
  ["len(fd.types) = val(evt.num)", "type"],
  ["fd.snet = 10.0.0.0/", "value"],
  ['proc.aname["1 "] = a', "unknown-field"],
  ["proc.aname[x] = a", "unknown-field"],
  ["proc.name[1] = a", "unknown-field"],
  ["evt.arg = a", "argument"],
  ["fd.types[x] in (a)", "argument"],
];

describe("what the checker takes", () => {
  for (const filter of VALID) test(filter, () => expect(verdict(filter)).toBe("valid"));
});

describe("what it refuses, and as what", () => {
  for (const [filter, kind] of WRONG) test(filter, () => expect(verdict(filter)).toBe(kind));
});

describe("constants that are doubtful", () => {
  const table: readonly (readonly [string, number])[] = [
    ["proc.name = proc.exe", 1],
    ['proc.name = " proc.exe "', 1],
    ['proc.name = "proc.aname[2]"', 1],
    ["proc.name = evt.arg.fd", 1],
    ["proc.name = evt.arg", 0],
    ["proc.name = proc.namefoo", 0],
    ['proc.name = "tolower(proc.exe)"', 1],
    ['proc.name = " val (x)"', 1],
    ['proc.name in (proc.pid, a, "len(x)")', 2],
    ["proc.name regex .+abc", 1],
    ["proc.name regex abc.?", 1],
    ["proc.name regex .*", 1],
    ["proc.name regex ^.*abc", 0],
    ["proc.name regex proc.exe", 1],
  ];
  for (const [filter, n] of table) test(filter, () => expect(warnings(filter)).toBe(n));
});

describe("event types that evt.num leaves", () => {
  const types = (filter: string) => eventTypesOf(parseFilter(filter)).reduce((sum, set) => sum + set, 0);
  const none = [
    "evt.num = 0",
    'evt.num = "-0"',
    "evt.num < +1",
    "evt.num < -18446744073709551615",
    "evt.num in ()",
    "evt.num in (0, -0)",
    "not evt.num > 00",
    "not evt.num != 0",
  ];
  const all = [
    "not evt.num exists",
    "evt.num = -1",
    "evt.num in (0, 1)",
    "evt.num < 99999999999999999999999",
    "not evt.num < 1",
    "evt.num = 0x0",
  ];
  for (const filter of none) test(filter, () => expect(types(filter)).toBe(0));
  for (const filter of all) test(filter, () => expect(types(filter)).toBe(EVENT_MAX));
});
