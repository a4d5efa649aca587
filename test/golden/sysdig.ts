// SPDX-License-Identifier: Apache-2.0
// Comparing our lines of old captures with those of an installed sysdig.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { display } from "../../lib/fields/settings.ts";
import { compileFormat } from "../../lib/format/formatter.ts";
import { sharedPath } from "../support/shared.ts";
import type { Comparison, Difference } from "./golden.ts";
import { walk } from "./walk.ts";

export const SYSDIG_LINE = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

/** Version of the installed sysdig; undefined without one. */
export function sysdigVersion(): string | undefined {
  const run = spawnSync("sysdig", ["--version"], { encoding: "latin1" });
  return run.status === 0 ? /[0-9]+\.[0-9]+\.[0-9]+/.exec(run.stdout)?.[0] : undefined;
}

/** Old captures of the reference data. */
export function oldCaptures(): string[] {
  return readdirSync(sharedPath("captures")).filter((f) => f.endsWith(".scap"));
}

/** What sysdig prints for a capture, one record per event (buffers may hold line feeds). */
export function sysdigLines(file: string, ...args: string[]): string[] {
  const run = spawnSync("sysdig", ["-r", file, ...args], {
    encoding: "latin1",
    env: { ...process.env, TZ: "UTC" },
    maxBuffer: 1 << 28,
  });
  const lines: string[] = [];
  for (const line of run.stdout.split("\n")) {
    if (/^[0-9]+ [0-9]{2}:[0-9]{2}:/.test(line)) lines.push(line);
    else if (lines.length > 0 && line !== "") lines[lines.length - 1] += `\n${line}`;
  }
  // A blank is left behind the last argument.
  return lines.map((l) => l.replace(/ +$/, ""));
}

export async function compareWithSysdig(file: string): Promise<Comparison> {
  const theirs = new Map<string, string>();
  for (const line of sysdigLines(file)) theirs.set(line.slice(0, line.indexOf(" ")), line);
  const format = compileFormat(SYSDIG_LINE, { recorded: true });
  const differences: Difference[] = [];
  let equal = 0;
  const limit = display.bufferLimit;
  display.bufferLimit = 80;
  try {
    await walk(file, (ctx) => {
      const ours = (format.text(ctx) ?? "").replace(/ +$/, "");
      const num = String(ctx.ev.num);
      const their = theirs.get(num);
      theirs.delete(num);
      if (ours === their) equal++;
      else differences.push({ event: num, what: "line", ours, theirs: their ?? "(none)" });
    });
  } finally {
    display.bufferLimit = limit;
  }
  for (const [event, line] of theirs) differences.push({ event, what: "line", ours: "(none)", theirs: line });
  return { total: equal + differences.length, equal, differences };
}
