// SPDX-License-Identifier: Apache-2.0
// Filters on the reference's captures: all evaluators agree on every event, and match as often as the reference's.

import { expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { builtinFields } from "../../lib/fields/registry.ts";
import { type CheckedFilter, checkFilter } from "../../lib/filter/checker.ts";
import { compileFilter } from "../../lib/filter/compile.ts";
import { FilterError } from "../../lib/filter/errors.ts";
import { eventTypesOf } from "../../lib/filter/event_types.ts";
import { interpretFilter } from "../../lib/filter/interpret.ts";
import { parseFilter } from "../../lib/filter/parser.ts";
import { compileRuleset } from "../../lib/filter/ruleset.ts";
import { EVENTS } from "../../lib/schema/events.ts";
import type { Context } from "../../lib/sinsp/inspector.ts";
import { capturePath, goldenNames } from "../golden/golden.ts";
import { walk } from "../golden/walk.ts";
import { HAS_SHARED, sharedPath, sharedTest } from "../support/shared.ts";

/** One line of the reference's counts: matches, or an error at compilation. */
interface Count {
  filter: string;
  matches?: number;
  error?: string;
}

/**
 * Filters whose count may differ, with the captures where it may. What stands behind is fields and state, which are judged
 * in test/golden: descriptor kinds at events without descriptor, users that were not recorded, shared descriptor tables,
 * relative paths of failed calls, roles of sockets.
 */
const DIFFERENT: Readonly<Record<string, string>> = {
  "basename(fd.name) = val(fd.filename)": "fds intrusion mixed snap4096",
  "evt.abspath startswith /srv/lab": "files mixed",
  "evt.category = file": "fds mixed snap4096",
  "fd.cip != 127.0.0.1 and fd.cip exists": "net6",
  "fd.cnet = 127.0.0.0/8": "net6",
  "fd.connected = true": "intrusion net6",
  "fd.directory pmatch (/etc, /srv)": "fds mixed snap4096",
  "fd.ino > 0": "fds mixed snap4096",
  "fd.ip = 127.0.0.1": "net6",
  "fd.is_server = true": "concat mixed net4 net6",
  "fd.l4proto = udp": "net6",
  'fd.sip in (127.0.0.1, "::1")': "net6",
  "fd.type = file": "fds mixed snap4096",
  "fd.types intersects (ipv4, unix)": "everywhere",
  "fd.types[0] intersects (file)": "everywhere",
  "fs.path.name startswith /srv/lab": "files mixed suspicious",
  "fs.path.source exists and fs.path.target exists": "mounts",
  "proc.env icontains lang": "suspicious",
  "user.name != root": "intrusion users",
  "user.uid = 0": "intrusion users",
};

/**
 * The event as the reference saw it while it counted: once an earlier filter had resolved a path relative to a directory
 * descriptor, the descriptor of openat and openat2 was that directory. Its per-event field values do not show this.
 */
function asCounted(ctx: Context): Context {
  const info = EVENTS[ctx.ev.type];
  if (info === undefined || (info.name !== "openat" && info.name !== "openat2")) return ctx;
  const dirfd = ctx.ev.i64(info.params.findIndex((p) => p.name === "dirfd"));
  const path = ctx.ev.str(info.params.findIndex((p) => p.name === "name"));
  if (path === "" || path.startsWith("/") || dirfd === AT_FDCWD) return ctx;
  const fd = ctx.thread?.fds?.get(dirfd) ?? null;
  return Object.create(ctx, { fd: { value: fd }, fdNum: { value: dirfd } }) as Context;
}

const AT_FDCWD = -100;

function check(filter: string): CheckedFilter | null {
  try {
    return checkFilter(parseFilter(filter), builtinFields);
  } catch (e) {
    if (e instanceof FilterError) return null;
    throw e;
  }
}

/** The interpreter is slow: of captures above this many events only every fourth is given to it. */
const LARGE = 100_000;

/** Walks a capture with every evaluator; returns the matches of each filter, on events as they are and as counted. */
async function evaluateAll(path: string, filters: readonly CheckedFilter[], every: number) {
  const compiled = filters.map(compileFilter);
  const reference = filters.map(interpretFilter);
  const ruleset = compileRuleset(filters.map((checked) => ({ checked, types: eventTypesOf(checked.ast) })));
  const matches = new Uint32Array(filters.length);
  const counted = new Uint32Array(filters.length);
  const disagreements: string[] = [];
  let n = 0;
  await walk(path, (ctx) => {
    const expected: number[] = [];
    const variant = asCounted(ctx);
    compiled.forEach((test, i) => {
      const hit = test(ctx);
      if (hit) expected.push(i);
      matches[i]! += hit ? 1 : 0;
      counted[i]! += (variant === ctx ? hit : (reference[i] as typeof test)(variant)) ? 1 : 0;
    });
    const found: number[] = [];
    ruleset.all(ctx, found);
    if (found.join() !== expected.join()) disagreements.push(`event ${ctx.ev.num}: ruleset`);
    if (ruleset.first(ctx) !== (expected[0] ?? -1)) disagreements.push(`event ${ctx.ev.num}: first of ruleset`);
    if (n++ % every !== 0) return;
    const interpreted = reference.flatMap((test, i) => (test(ctx) ? [i] : []));
    if (interpreted.join() !== expected.join()) disagreements.push(`event ${ctx.ev.num}: interpreter`);
  });
  return { matches, counted, disagreements };
}

for (const name of HAS_SHARED ? goldenNames() : ["golden"]) {
  sharedTest(
    `${name}: interpreter, compiler and ruleset agree, and match as often as the reference`,
    async () => {
      const counts = JSON.parse(readFileSync(sharedPath("golden", `${name}.counts.json`), "utf8")) as {
        events: number;
        filters: Count[];
      };
      const wrong: string[] = [];
      const valid: { count: Count; checked: CheckedFilter }[] = [];
      for (const count of counts.filters) {
        const checked = check(count.filter);
        if ((checked === null) !== (count.error !== undefined))
          wrong.push(`${count.filter}: ${count.error ?? "no error"}`);
        if (checked !== null) valid.push({ count, checked });
      }
      const filters = valid.map((v) => v.checked);
      const result = await evaluateAll(capturePath(name), filters, counts.events > LARGE ? 4 : 1);
      expect(result.disagreements.slice(0, 10)).toEqual([]);
      valid.forEach(({ count: { filter, matches } }, i) => {
        const captures = DIFFERENT[filter]?.split(" ") ?? [];
        if (matches === result.matches[i] || matches === result.counted[i]) return;
        if (captures.includes(name) || captures[0] === "everywhere") return;
        wrong.push(`${filter}: ${result.matches[i]} (${result.counted[i]}), wanted ${matches}`);
      });
      expect(wrong).toEqual([]);
    },
    300_000,
  );
}

for (const file of HAS_SHARED ? readdirSync(sharedPath("captures")).sort() : ["old captures"]) {
  sharedTest(`${file}: interpreter, compiler and ruleset agree on events of old schemas`, async () => {
    const lines = readFileSync(sharedPath("golden/filters.txt"), "utf8").split("\n");
    const filters = lines.filter((l) => l !== "" && !l.startsWith("#")).flatMap((l) => check(l) ?? []);
    const { disagreements } = await evaluateAll(sharedPath("captures", file), filters, 1);
    expect(disagreements.slice(0, 10)).toEqual([]);
  });
}
