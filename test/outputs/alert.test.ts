// SPDX-License-Identifier: Apache-2.0
// Alerts on the wire: keys, order, times, escapes.
import { describe, expect, test } from "bun:test";
import { renderAlert, timeField } from "../../lib/outputs/alert.ts";
import { isoTime } from "../../lib/outputs/time.ts";
import { toBytes } from "../../lib/scap/bytes.ts";
import { alert, JSON_STYLE, TEXT_STYLE } from "./helpers.ts";

describe("renderAlert() as JSON", () => {
  test("has Falco's keys in Falco's order", () => {
    const fields =
      '{"evt.res":null,"evt.time.iso8601":1795332391730997013,"proc.name":"cat","user.uid":18446744073709551615}';
    expect(renderAlert(alert({ fields }), JSON_STYLE)).toBe(
      '{"hostname":"guest","output":"2026-11-22T07:26:31.730997013+0000: Warning something happened",' +
        `"output_fields":${fields},` +
        '"priority":"Warning","rule":"A rule","source":"syscall","tags":["a","b"],"time":"2026-11-22T07:26:31.730997013Z"}',
    );
  });

  test("leaves out what json_include_* switch off and adds the message when asked", () => {
    const bare = { ...JSON_STYLE, includeOutput: false, includeFields: false, includeTags: false };
    expect(JSON.parse(renderAlert(alert({ fields: '{"a":1}' }), bare))).toEqual({
      hostname: "guest",
      priority: "Warning",
      rule: "A rule",
      source: "syscall",
      time: "2026-11-22T07:26:31.730997013Z",
    });
    const keys = Object.keys(JSON.parse(renderAlert(alert(), { ...JSON_STYLE, includeMessage: true })));
    expect(keys.slice(0, 3)).toEqual(["hostname", "message", "output"]);
  });

  test("names the time field after the format in use", () => {
    expect([timeField(JSON_STYLE), timeField(TEXT_STYLE)]).toEqual(["evt.time.iso8601", "evt.time"]);
  });

  test("escapes control characters and replaces bytes that are no UTF-8", () => {
    const line = renderAlert(alert({ message: 'a\n\x1b"\xff' }), JSON_STYLE);
    expect(line).toContain('Warning a\\n\\u001b\\"\ufffd"');
  });
});

describe("renderAlert() as text", () => {
  test("is clock time, priority and message", () => {
    const line = renderAlert(alert(), TEXT_STYLE);
    expect(line).toMatch(/^\d\d:\d\d:31\.730997013: Warning something happened$/);
  });

  test("takes ISO time when asked", () => {
    expect(renderAlert(alert({ priority: 6 }), { ...TEXT_STYLE, isoTime: true })).toBe(
      "2026-11-22T07:26:31.730997013+0000: Informational something happened",
    );
  });

  test("has quotes and backslashes as inside JSON", () => {
    expect(renderAlert(alert({ message: 'cmd="a\\b" \t\x08\x7f' }), TEXT_STYLE)).toEndWith(
      ': Warning cmd=\\"a\\\\b\\" \\t\\b\\u007f',
    );
  });

  test("is one line whatever an attacker put into a name", () => {
    const line = renderAlert(
      alert({ message: `x\n00:00:00: Debug forged\x1b[2J${toBytes("\u009b\u2028é")}\x80` }),
      TEXT_STYLE,
    );
    expect(line).toEndWith(": Warning x\\n00:00:00: Debug forged\\u001b[2J\\u009b\\u2028é\ufffd");
  });
});

describe("internal alerts", () => {
  const internal = alert({
    source: "internal",
    tags: [],
    rule: "Falco internal: x",
    message: "Falco internal: x. 3 lost.",
    fields: '{"kind":"buffer","n":3}',
  });

  test("list their fields in text", () => {
    expect(renderAlert(internal, TEXT_STYLE)).toEndWith(': Warning Falco internal: x. 3 lost. (kind="buffer" n=3)');
  });

  test("have the bare text as output, and no tags, in JSON", () => {
    expect(renderAlert(internal, JSON_STYLE)).toBe(
      '{"hostname":"guest","output":"Falco internal: x. 3 lost.","output_fields":{"kind":"buffer","n":3},"priority":"Warning",' +
        '"rule":"Falco internal: x","source":"internal","time":"2026-11-22T07:26:31.730997013Z"}',
    );
  });
});

test("isoTime() survives times no calendar has", () => {
  expect(isoTime(2n ** 64n - 1n)).toBe("2554-07-21T23:34:33.709551615");
  expect(isoTime(0n)).toBe("1970-01-01T00:00:00.000000000");
});
