// SPDX-License-Identifier: Apache-2.0
// Formats: what is accepted, where the error is, and the lines that come out.
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { display } from "../../lib/fields/settings.ts";
import { describeFormatError, FormatError } from "../../lib/format/error.ts";
import { compileFormat, compileFormatBytes } from "../../lib/format/formatter.ts";
import { toBytes } from "../../lib/scap/bytes.ts";
import { atLast, oneProcess } from "../fields/lines.ts";
import type { EventSpec } from "../support/events.ts";
import { sharedPath, sharedTest } from "../support/shared.ts";

const initial = { ...display };
afterEach(() => {
  Object.assign(display, initial);
});

const read: EventSpec = { type: "READ_X", params: { res: 3, data: 'a\xff"', fd: 9, size: 3 }, ts: 5 };
const line = (format: string): string | null => atLast([read], (ctx) => compileFormat(format).text(ctx));
const json = (format: string): string | null =>
  atLast([read], (ctx) => {
    const bytes = compileFormat(format).json(ctx);
    return bytes === null ? null : Buffer.from(bytes, "latin1").utf8Slice();
  });

describe("text()", () => {
  test.each([
    ["%proc.name %evt.type", "proc read"],
    ["no field", "no field"],
    ["*%fd.type|%proc.name", "<NA>|proc"],
    ["%fd.type|%proc.name", null],
    ["**%proc.name", "*proc"],
    ["%10proc.name|", "proc      |"],
    ["%2proc.name|", "pr|"],
    ["%0proc.name|", "proc|"],
    ["*%6fd.type|", "<NA>  |"],
    ["%proc.namex", "procx"],
    ["%proc.args[0]/%proc.args[1]", "-a/b"],
    ["%proc.name[0]", "proc[0]"],
    ["%toupper(proc.name)", "PROC"],
    ["%10toupper(proc.name)|", "PROC      |"],
    ['%concat(proc.name, "-", evt.type)', "proc-read"],
    ['%join("+", (proc.name, evt.type))', "proc+read"],
    ["%len(proc.name)", "4"],
    ['%concat("\\x41", 0x1f, 1e+5)', "A0x1f1e+5"],
    ["%concat('it\\'s', \"\\ x\")", "it's\\x"],
    ["%join(proc.name, ('a', proc.name, 2))", "aprocprocproc2"],
    ['%getopt(("-a", "x"), \'a:\')[a]', "x"],
    ['%getopt(("-a", "x"), \'a:\')[ab]', "(a,x)[ab]"],
    ["%tolower(proc.name)[a]", "proc[a]"],
    ["%len(fd.type)", "0"],
    ["*%tolower(fd.type)", "<NA>"],
    ['%getopt(("-a", "x"), "a:")[a]', "x"],
    ["%evt.info", 'res=3 data=a." fd=9 size=3'],
    ["%evt.buffer", 'a."'],
  ])("of %p is %p", (format, text) => {
    expect(line(format)).toBe(text);
  });

  test("text outside of ASCII comes out as it went in", () => {
    expect(line("é%proc.name€")).toBe(toBytes("éproc€"));
  });

  test("a format of a thousand fields works", () => {
    expect(line("%proc.name ".repeat(1000))).toBe("proc ".repeat(1000));
    expect(line("%fd.type ".repeat(1000))).toBeNull();
    expect(line(`*${"%fd.type ".repeat(1000)}`)).toBe("<NA> ".repeat(1000));
  });

  test("a suppressed line leaves nothing behind", () => {
    atLast([read], (ctx) => {
      expect(compileFormat("%proc.name %fd.type").text(ctx)).toBeNull();
      expect(compileFormat("%proc.name").text(ctx)).toBe("proc");
    });
  });
});

describe("json()", () => {
  test("has sorted keys, typed values and null for missing ones", () => {
    expect(json("*%proc.name %evt.num %fd.type %evt.is_io_read %fd.types %proc.fdusage %evt.rawtime")).toBe(
      '{"evt.is_io_read":true,"evt.num":1,"evt.rawtime":1700000000000000005,"fd.type":null,"fd.types":null,' +
        '"proc.fdusage":0.0,"proc.name":"proc"}',
    );
  });
  test("is suppressed like the line without a leading star", () => {
    expect(json("%fd.type")).toBeNull();
  });
  test("holds the fields inside of transformers, not the transformers", () => {
    expect(json("%toupper(proc.name)")).toBe('{"proc.name":"proc"}');
  });
  test("does not cut buffers", () => {
    display.bufferLimit = 2;
    expect(json("%evt.arg.data")).toBe('{"evt.arg.data":"a.\\""}');
    expect(display.bufferLimit).toBe(2);
  });
  test("is an empty object without fields", () => {
    expect(json("text")).toBe("{}");
  });
});

test("fields and names are in order of appearance", () => {
  const format = compileFormat("%proc.name %tolower(evt.type) %proc.name");
  expect(format.names).toEqual(["proc.name", "evt.type", "tolower(evt.type)", "proc.name"]);
  expect(format.fields.map((f) => f.token)).toEqual(["proc.name", "evt.type"]);
});

describe("errors", () => {
  const failure = (format: string): FormatError => {
    try {
      compileFormat(format);
    } catch (e) {
      if (e instanceof FormatError) return e;
      throw e;
    }
    throw new Error("accepted");
  };
  test.each([
    ["%", 0],
    ["ab %", 3],
    ["%5", 0],
    ["x %foo", 3],
    ["*%foo", 2],
    ["%proc.name %evt.arg", 12],
    ["%tolower(proc.pid)", 1],
    ["%tolower(proc.name", 18],
    ["%tolower (proc.name)", 1],
    ["%concat(proc.name)", 1],
    ["%concat(proc.name, proc.pid)", 1],
    ['%tolower("\\q")', 10],
    ["%join(',', (proc.name, (proc.name)))", 23],
    ['%join("-", proc.name)', 1],
    ["%tolower(proc.aname[1])", 9],
  ] as const)("in %p are at byte %i", (format, position) => {
    expect(failure(format).position).toBe(position);
  });

  test("name the nearest field and say that the name is unknown", () => {
    const e = failure("%proc.nme");
    expect([e.nearest, e.unknownField]).toEqual(["proc.name", true]);
    expect(failure("%evt.arg").unknownField).toBe(false);
  });

  test("show the place", () => {
    const e = failure(`${"x".repeat(300)} %proc.nme`);
    const [message, shown, caret] = describeFormatError(e).split("\n");
    expect(message).toContain("position 303");
    expect(shown?.slice(caret?.indexOf("^"))).toStartWith("proc.nme");
    expect(shown?.length).toBeLessThan(120);
  });

  test("nesting ends somewhere", () => {
    expect(compileFormat(`%${"tolower(".repeat(47)}proc.name${")".repeat(47)}`).names.length).toBe(2);
    expect(failure(`%${"tolower(".repeat(48)}proc.name${")".repeat(48)}`).problem).toContain("47");
    expect(failure(`%${"tolower(".repeat(100000)}`).problem).toContain("47");
  });
});

interface Verdict {
  id: string;
  output?: string;
  output_b64?: string;
  output_gen?: { parts: (string | { unit: string; n: number; sep?: string })[] };
  valid: boolean;
  fields?: string[];
  nfields?: number;
}

function formatOf(v: Verdict): string {
  if (v.output_b64 !== undefined) return Buffer.from(v.output_b64, "base64").latin1Slice();
  const parts = v.output !== undefined ? [v.output] : (v.output_gen?.parts ?? []);
  return toBytes(
    parts
      .map((p) =>
        typeof p === "string"
          ? p
          : Array.from({ length: p.n }, (_, i) => p.unit.replaceAll("{i}", String(i))).join(p.sep ?? ""),
      )
      .join(""),
  );
}

sharedTest("every verdict on output formats is ours too", () => {
  const verdicts = readFileSync(sharedPath("verdicts", "outputs.jsonl"), "utf8")
    .split("\n")
    .filter((l) => l !== "")
    .map((l) => JSON.parse(l) as Verdict);
  expect(verdicts.length).toBeGreaterThan(150);
  for (const v of verdicts) {
    let names: readonly string[] | undefined;
    try {
      names = compileFormatBytes(formatOf(v)).names;
    } catch (e) {
      if (!(e instanceof FormatError)) throw e;
    }
    expect([v.id, names !== undefined]).toEqual([v.id, v.valid]);
    if (v.fields !== undefined) expect([v.id, names]).toEqual([v.id, v.fields]);
    if (v.nfields !== undefined) expect([v.id, names?.length]).toEqual([v.id, v.nfields]);
  }
});

test("events of old captures are shown as they were recorded, with the words of the time", () => {
  const state = oneProcess();
  const enter: EventSpec = { type: "SOCKET_E", params: { domain: 1, type: 1, proto: 0 }, legacyEnter: true };
  const shown = atLast(
    [enter],
    (ctx) => compileFormat("%evt.dir %evt.type %evt.info", { recorded: true }).text(ctx),
    state,
  );
  expect(shown).toBe("> socket domain=1(AF_LOCAL) type=1 proto=0");
});
