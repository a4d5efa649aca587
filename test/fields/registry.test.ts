// SPDX-License-Identifier: Apache-2.0
// Looking fields up: names, arguments, suggestions, and the list of fields that there must be.
import { describe, expect, test } from "bun:test";
import { isEventTypeName } from "../../lib/fields/evt_names.ts";
import { FieldArgError, UnknownFieldError } from "../../lib/fields/field.ts";
import { bindField, builtinFields, fieldClasses, resolveField, suggestField } from "../../lib/fields/registry.ts";
import { PF, PT } from "../../lib/schema/tables/enums.ts";
import { sharedPath, sharedTest } from "../support/shared.ts";

describe("resolveField()", () => {
  test.each([
    ["proc.name", null, "proc.name"],
    ["proc.aname", "2", "proc.aname[2]"],
    ["proc.aname", "-1", "proc.aname[-1]"],
    ["proc.aname", "99999999999", "proc.aname[99999999999]"],
    ["proc.env", "A B", "proc.env[A B]"],
    ["proc.aenv", "PATH", "proc.aenv[PATH]"],
    ["evt.arg", "0", "evt.arg[0]"],
    ["evt.arg.fd", null, "evt.arg.fd"],
    ["evt.rawarg.res", null, "evt.rawarg.res"],
    ["evt.type.is.openat", null, "evt.type.is.openat"],
    ["evt.abspath.src", null, "evt.abspath.src"],
    ["evt.abspath", null, "evt.abspath"],
    ["thread.cgroup.cpu", null, "thread.cgroup.cpu"],
    ["evt.around", "1600000000000000000", "evt.around[1600000000000000000]"],
    ["fd.types", "1", "fd.types[1]"],
  ] as const)("takes %s with argument %p", (name, arg, token) => {
    expect(resolveField(name, arg).token).toBe(token);
  });

  test.each([
    ["proc.name", "1"],
    ["proc.aname", "x"],
    ["evt.arg", null],
    ["evt.arg", "fd"],
    ["evt.arg.nope", null],
    ["evt.arg.fd", "1"],
    ["evt.rawarg", "0"],
    ["evt.type.is", null],
    ["evt.type.is.nope", null],
    ["evt.abspath.x", null],
    ["thread.cgroup", null],
    ["thread.cgroup", "cpu"],
    ["evt.around", "now"],
    ["proc.env", "a]b"],
  ] as const)("refuses %s with argument %p", (name, arg) => {
    expect(() => resolveField(name, arg)).toThrow(FieldArgError);
  });

  test.each([
    ["proc.nme", "proc.name"],
    ["proc.name.x", "proc.name"],
    ["fd.nam", "fd.name"],
    ["evt.tpe", "evt.type"],
    ["something.else.entirely", undefined],
  ] as const)("says for %s which name is near", (name, near) => {
    expect(() => resolveField(name, null)).toThrow(UnknownFieldError);
    expect(suggestField(name)).toBe(near as string);
  });
});

describe("bindField()", () => {
  test.each([`proc.env["A B"]`, `proc.aname['1']`, "evt.arg.fd"])("takes %s", (written) => {
    expect(bindField(written).extract).toBeFunction();
  });
  test.each(["proc.aname[1", "proc.aname[1]x", "proc.aname[]"])("refuses %s", (written) => {
    expect(() => bindField(written)).toThrow(FieldArgError);
  });
});

describe("FieldRegistry.matchPrefix()", () => {
  test.each([
    ["proc.name, x", "proc.name", 9],
    ["proc.namex", "proc.name", 9],
    ["proc.name..", "proc.name", 9],
    ["proc.aname[1]]", "proc.aname[1]", 13],
    [`proc.aname["1"]`, "proc.aname[1]", 15],
    ["proc.aname[x]", "proc.aname", 10],
    ["proc.name[0]", "proc.name", 9],
    ["evt.arg.fd.x", "evt.arg.fd", 10],
    ["evt.time.s", "evt.time.s", 10],
  ] as const)("finds the longest field in %s", (text, token, length) => {
    const match = builtinFields.matchPrefix(text);
    expect([match?.field.token, match?.length]).toEqual([token, length]);
  });
  test.each(["foo", "evt.", "evt.arg", "evt.arg[fd]", ".name", "Proc.name", ""])("finds none in %p", (text) => {
    expect(builtinFields.matchPrefix(text)).toBeUndefined();
  });
});

test("names of fields are found once only", () => {
  const names = fieldClasses().flatMap((c) => c.fields.map((f) => f.name));
  expect(new Set(names).size).toBe(names.length);
});

test("every field has a line of documentation", () => {
  for (const c of fieldClasses()) for (const f of c.fields) expect(f.doc).toMatch(/^[^\n]{5,300}$/);
});

interface ReferenceField {
  name: string;
  type: string;
  fmt: string;
  list: boolean;
  arg: "required" | "allowed" | null;
  flags: string[];
}

sharedTest("the 233 built-in fields of the reference are there, with their types, formats and arguments", async () => {
  const reference = (await Bun.file(sharedPath("reference", "fields.json")).json()) as {
    classes: { provider: string; fields: ReferenceField[] }[];
  };
  const theirs = reference.classes.filter((c) => c.provider === "libsinsp").flatMap((c) => c.fields);
  expect(theirs.length).toBe(233);
  for (const their of theirs) {
    const ours = builtinFields.lookup(their.name);
    const type = Object.entries(PT).find(([name]) => `PT_${name}` === their.type)?.[1];
    const format = Object.entries(PF).find(([name]) => `PF_${name}` === their.fmt)?.[1];
    expect([their.name, ours?.type, ours?.format, ours?.list]).toEqual([their.name, type, format, their.list]);
    expect([their.name, ours?.arg === null]).toEqual([their.name, their.arg === null]);
    for (const [flag, key] of [
      ["EPF_FILTER_ONLY", "filterOnly"],
      ["EPF_PRINT_ONLY", "printOnly"],
      ["EPF_DEPRECATED", "deprecated"],
      ["EPF_NO_RHS", "noRhs"],
    ] as const) {
      expect([their.name, flag, ours?.flags[key] === true]).toEqual([their.name, flag, their.flags.includes(flag)]);
    }
  }
});

sharedTest("every event name of the reference is a value of evt.type", async () => {
  const names = (await Bun.file(sharedPath("verdicts", "all_events.json")).json()) as string[];
  expect(names.filter((n) => !isEventTypeName(n))).toEqual([]);
  expect(["nope", "OPEN", "", "na_1"].filter(isEventTypeName)).toEqual([]);
});
