// SPDX-License-Identifier: Apache-2.0
// Driver tests: every system call of test/drivers/program, its events compared parameter by parameter with what was done.
import { describe, expect, test } from "bun:test";
import { probeEngine } from "../../lib/scap/live.ts";
import { type DriverRun, matches, runDriverCases } from "./cases.ts";

describe("matches()", () => {
  test("compares numbers whatever their base", () => {
    expect(matches("0x1f", "31")).toBe(true);
    expect(matches("0640", "416")).toBe(true);
    expect(matches("-1", "-1")).toBe(true);
    expect(matches("0x1f", "30")).toBe(false);
    expect(matches("-1", "18446744073709551615")).toBe(false);
  });
  test("compares text with text and with bytes", () => {
    expect(matches("'a b'", "'a b'")).toBe(true);
    expect(matches("'ab'", "x:6162")).toBe(true);
    expect(matches("'ab'", "x:616200")).toBe(false);
    expect(matches("-", "''")).toBe(false);
  });
  test("knows a lower bound and a system-call code", () => {
    expect(matches(">5", "6")).toBe(true);
    expect(matches(">5", "5")).toBe(false);
    expect(matches(">5", "-")).toBe(false);
    expect(matches("sc:getppid", "41")).toBe(true);
    expect(matches("sc:getppid", "42")).toBe(false);
  });
  test("compares the path of a unix tuple", () => {
    expect(matches("unix:a", `x:01${"00".repeat(16)}6100`)).toBe(true);
    expect(matches("unix:a", `x:01${"00".repeat(16)}6200`)).toBe(false);
  });
});

function judge(what: string, { cases, drops, missing }: DriverRun): void {
  describe(what, () => {
    test("is accepted by this kernel to the last program", () => expect(missing).toEqual([]));
    test("loses nothing", () => expect(drops).toBe(0));
    test("more than 200 system calls are exercised", () => {
      expect(new Set(cases.map((c) => c.name)).size).toBeGreaterThan(200);
    });
    for (const c of cases) {
      const run = c.skipped === null ? test : test.skip;
      run(`${c.family}: ${c.name}${c.skipped === null ? "" : ` (${c.skipped})`}`, () => {
        expect(c.problems).toEqual([]);
        expect(c.expectations.length).toBeGreaterThan(0);
      });
    }
  });
}

const reason = probeEngine();
if (reason !== null) {
  test.skip(`driver cases (${reason})`, () => {});
} else {
  judge("live probe", await runDriverCases());
  judge("live probe on perf events, as Linux 7 needs them", await runDriverCases([], { perfCalls: true }));
}
