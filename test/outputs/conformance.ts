// SPDX-License-Identifier: Apache-2.0
// What every output must do, whatever it writes to. Each output runs this suite.
import { describe, expect, test } from "bun:test";
import type { Output } from "../../lib/outputs/output.ts";
import { messages, withDir } from "./helpers.ts";

export interface Subject {
  /** Makes an output whose lines end up in the file `path`. */
  make(path: string): Output;
  /** Everything delivered so far, once `close` was called. */
  read(path: string): Promise<string>;
}

export function outputConformance(name: string, subject: Subject): void {
  const lines = (n: number, prefix = "line", from = 0): string =>
    messages(n, prefix, from)
      .map((m) => `${m.line}\n`)
      .join("");

  describe(`${name} as an output`, () => {
    test("delivers lines in order, each with a line end", () =>
      withDir(async (dir) => {
        const output = subject.make(`${dir}/out`);
        for (let i = 0; i < 5; i++) await output.send(messages(3, "line", i * 3));
        await output.close();
        expect(await subject.read(`${dir}/out`)).toBe(lines(15));
      }));

    test("delivers a batch larger than any pipe in full", () =>
      withDir(async (dir) => {
        const output = subject.make(`${dir}/out`);
        await output.send(messages(20, "x".repeat(20_000)));
        await output.close();
        expect(await subject.read(`${dir}/out`)).toBe(lines(20, "x".repeat(20_000)));
      }));

    test("writes UTF-8", () =>
      withDir(async (dir) => {
        const output = subject.make(`${dir}/out`);
        await output.send(messages(1, "Grüße \u{1f600} \ufffd"));
        await output.close();
        expect(await subject.read(`${dir}/out`)).toBe("Grüße \u{1f600} \ufffd 0\n");
      }));

    test("goes on after being opened anew", () =>
      withDir(async (dir) => {
        const output = subject.make(`${dir}/out`);
        await output.send(messages(2));
        await output.reopen();
        await output.send(messages(2, "line", 2));
        await output.close();
        expect(await subject.read(`${dir}/out`)).toBe(lines(4));
      }));

    test("can be closed without ever having been used", () =>
      withDir(async (dir) => {
        await subject.make(`${dir}/out`).close();
      }));
  });
}
