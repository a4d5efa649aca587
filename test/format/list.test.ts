// SPDX-License-Identifier: Apache-2.0
// Listings of fields and events.
import { expect, test } from "bun:test";
import { fieldClasses } from "../../lib/fields/registry.ts";
import { listEvents, listFields } from "../../lib/format/list.ts";

const visible = fieldClasses()
  .filter((c) => !c.hidden)
  .flatMap((c) => c.fields.filter((f) => f.flags.hidden !== true));

test("the text listing has the ruler, aligned columns and lines of at most 120 chars", () => {
  const lines = listFields().split("\n");
  expect(lines[0]).toBe("-".repeat(31));
  expect(lines[1]).toBe("Field Class:                  evt (All event types)");
  expect(lines.filter((l) => l.trimEnd().length > 120)).toEqual([]);
  expect(lines.some((l) => l.startsWith("proc.name                     Name of the process"))).toBe(true);
  // A name that is too long for its column has a line of its own.
  expect(lines).toContain("proc.exe_ino.ctime_duration_proc_start");
});

test("deprecated fields and types are shown on request only, hidden ones never", () => {
  const plain = listFields();
  const verbose = listFields({ verbose: true });
  expect(plain).not.toContain("evt.latency");
  expect(verbose).toContain("evt.latency");
  expect(verbose).toContain("(Type: CHARBUF)");
  expect(verbose).not.toContain("util.cnt");
});

test("names only are one a line", () => {
  const names = listFields({ namesOnly: true, verbose: true }).trimEnd().split("\n");
  expect(names.length).toBe(visible.length);
  expect(names).toContain("evt.type");
});

test("the JSON listing has every field with its argument", () => {
  const classes = JSON.parse(listFields({ format: "json", verbose: true })) as {
    name: string;
    fields: { name: string; type: string; argument: { required: boolean; type: string[] } | null }[];
  }[];
  expect(classes.flatMap((c) => c.fields).length).toBe(visible.length);
  const aname = classes.flatMap((c) => c.fields).find((f) => f.name === "proc.aname");
  expect(aname?.argument).toEqual({ required: false, type: ["INDEX"] });
});

test("markdown has a row for every field", () => {
  const rows = listFields({ format: "markdown", verbose: true })
    .split("\n")
    .filter((l) => l.startsWith("`"));
  expect(rows.length).toBe(visible.length);
  expect(rows.every((r) => r.split(/(?<!\\)\|/).length === 3)).toBe(true);
});

test("classes of other sources are left out", () => {
  expect(listFields({ source: "k8s_audit" })).not.toContain("proc.name");
  expect(listFields({ source: "k8s_audit" })).toContain("evt.num");
});

test("events in use are listed with their parameters", () => {
  const text = listEvents();
  expect(text).toContain("< close(ERRNO res, FD fd)\n");
  expect(text).not.toContain("NA(");
  const json = JSON.parse(listEvents({ format: "json" })) as { id: number; name: string }[];
  expect(json.length).toBe(text.trimEnd().split("\n").length);
  expect(listEvents({ format: "markdown" })).toContain("`close` | `<` | syscall | ERRNO **res**, FD **fd**");
  expect(listEvents({ old: true }).length).toBeGreaterThan(text.length);
});
