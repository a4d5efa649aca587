// SPDX-License-Identifier: Apache-2.0
// Runs the driver-test program under a live capture and compares every event it announces, parameter by parameter.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventCursor } from "../../lib/scap/cursor.ts";
import { type LiveOptions, openLive } from "../../lib/scap/live.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { EVENTS } from "../../lib/schema/events.ts";
import { EV, PT, SC } from "../../lib/schema/tables/enums.ts";

/** One event the program said it must have given, and what became of it. */
export interface Expectation {
  event: string;
  tid: number;
  params: string[];
}

/** A case: what the program announced, and the differences found; none when it passed. */
export interface DriverCase {
  family: string;
  name: string;
  expectations: Expectation[];
  skipped: string | null;
  problems: string[];
}

interface Captured {
  event: string;
  tid: number;
  params: string[];
}

const PROGRAM = join(import.meta.dir, "program");
/** Descriptors the program closes to mark the begin of case n: −1000000 − n. */
const MARK = -1_000_000;
const SIGNED = new Set<number>([PT.INT8, PT.INT16, PT.INT32, PT.INT64, PT.ERRNO, PT.FD, PT.PID, PT.FD32, PT.PID32]);
const TEXT = new Set<number>([PT.CHARBUF, PT.FSPATH, PT.FSRELPATH]);
const BYTES = new Set<number>([PT.BYTEBUF, PT.SOCKADDR, PT.SOCKTUPLE, PT.FDLIST, PT.DYN]);

/** A parameter as the program writes it: a number, 'text', x:bytes, or - when it is empty. */
function render(c: EventCursor, i: number, type: number): string {
  const n = c.paramLength(i);
  if (n === 0) return "-";
  if (TEXT.has(type)) return `'${c.str(i)}'`;
  if (BYTES.has(type)) return `x:${Buffer.from(c.raw(i), "latin1").toString("hex")}`;
  const bytes = Buffer.from(c.raw(i), "latin1");
  let v = 0n;
  for (let k = n - 1; k >= 0; k--) v = (v << 8n) | BigInt(bytes[k] ?? 0);
  return String(SIGNED.has(type) ? BigInt.asIntN(n * 8, v) : v);
}

/** Whether a captured parameter is what was announced. */
export function matches(wanted: string, got: string): boolean {
  if (wanted === "*" || wanted === got) return true;
  if (wanted.startsWith(">")) return /^-?\d+$/.test(got) && BigInt(got) > BigInt(wanted.slice(1));
  if (wanted.startsWith("sc:")) return got === String((SC as Readonly<Record<string, number>>)[wanted.slice(3)]);
  if (wanted.startsWith("'") && got.startsWith("x:")) {
    return got === `x:${Buffer.from(wanted.slice(1, -1), "latin1").toString("hex")}`;
  }
  if (wanted.startsWith("unix:")) {
    // A unix tuple: family, two kernel addresses, the path.
    const path = `${Buffer.from(wanted.slice(5), "latin1").toString("hex")}00`;
    return got.startsWith("x:01") && got.slice(4 + 32) === path;
  }
  if (/^-?(0x[0-9a-f]+|\d+)$/i.test(wanted) && /^-?\d+$/.test(got)) return number(wanted) === BigInt(got);
  return false;
}

/** Decimal, 0x…, or octal with a leading 0. */
function number(text: string): bigint {
  const negative = text.startsWith("-");
  const digits = negative ? text.slice(1) : text;
  const v = /^0\d/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  return negative ? -v : v;
}

/** Compiles the program; returns its path. FALCO_DRIVER_PROGRAM names one that is built already, for guests without a compiler. */
async function build(dir: string): Promise<string> {
  const built = process.env["FALCO_DRIVER_PROGRAM"];
  if (built) return built;
  const out = join(dir, "cases");
  const sources = readdirSync(PROGRAM)
    .filter((f) => f.endsWith(".c"))
    .map((f) => join(PROGRAM, f));
  const args = ["-D_GNU_SOURCE", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result", "-o", out];
  const gcc = Bun.spawn(["gcc", ...args, ...sources], { stderr: "pipe" });
  if ((await gcc.exited) !== 0) throw new Error(`gcc: ${await new Response(gcc.stderr).text()}`);
  return out;
}

function parse(output: string): Map<number, DriverCase> {
  const cases = new Map<number, DriverCase>();
  let family = "";
  let current: DriverCase | undefined;
  for (const line of output.split("\n")) {
    const [kind, ...rest] = line.split("\t");
    if (kind === "family") family = rest[0] ?? "";
    else if (kind === "case") {
      current = {
        family,
        name: rest[1] ?? "",
        expectations: [],
        skipped: null,
        problems: [],
      };
      cases.set(Number(rest[0]), current);
    } else if (kind === "skip" && current) current.skipped = rest[0] ?? "";
    else if (kind === "expect" && current) {
      const text = rest.slice(2).join("\t");
      current.expectations.push({
        tid: Number(rest[0]),
        event: rest[1] ?? "",
        params: text === "" ? [] : text.split("|"),
      });
    }
  }
  return cases;
}

function compare(c: DriverCase, events: Captured[]): void {
  const used = new Set<Captured>();
  for (const e of c.expectations) {
    const candidates = events.filter((x) => x.event === e.event && x.tid === e.tid && !used.has(x));
    const first = candidates[0];
    if (!first) {
      c.problems.push(`no event ${e.event} of thread ${e.tid}`);
      continue;
    }
    used.add(first);
    const names = EVENTS[(EV as Readonly<Record<string, number>>)[e.event] ?? 0]?.params ?? [];
    if (first.params.length !== e.params.length) {
      c.problems.push(`${e.event}: ${first.params.length} parameters, wanted ${e.params.length}`);
      continue;
    }
    for (const [i, wanted] of e.params.entries()) {
      const got = first.params[i] ?? "";
      if (!matches(wanted, got)) c.problems.push(`${e.event}.${names[i]?.name}: got ${got}, wanted ${wanted}`);
    }
  }
}

export interface DriverRun {
  cases: DriverCase[];
  drops: number;
  missing: readonly string[];
}

/** The family whose enter events take another tracepoint. */
const IA32 = "ia32";

/** Runs the cases of all families, or of the named ones, under live captures with these options. */
export async function runDriverCases(families: string[] = [], options: LiveOptions = {}): Promise<DriverRun> {
  const run = await capture(families, options);
  if (!run.cases.some((c) => c.family === IA32 && c.skipped === null)) return run;
  const again = await capture([IA32], { ...options, enterHooks: "all" });
  const others = run.cases.filter((c) => c.family !== IA32);
  return { cases: [...others, ...again.cases], drops: run.drops + again.drops, missing: run.missing };
}

/** One capture. Events of a case are those from its mark in the stream to the next, whoever made them. */
async function capture(families: string[], options: LiveOptions): Promise<DriverRun> {
  const dir = mkdtempSync(join(tmpdir(), "falco-drivers-"));
  try {
    const program = await build(dir);
    const source = await openLive({ ringBytes: 64 << 20, ...options });
    const missing = source.missing;
    const captured = new Map<number, Captured[]>();
    let open: Captured[] | null = null;
    const child = Bun.spawn([program, ...families], { stdout: "pipe", stderr: "inherit" });
    const output = new Response(child.stdout).text();
    child.exited.then(() => source.stop());
    do {
      while (source.next() === NEXT.EVENT) {
        const c = source.cursor;
        const fd = c.type === EV.CLOSE_X ? c.i64(1) : 0;
        if (fd <= MARK) {
          // The end is open: clocks of CPUs may differ a little, so that an event comes later than it happened.
          open = [];
          captured.set(MARK - fd, open);
        } else if (open) {
          const info = EVENTS[c.type];
          if (!info) throw new Error(`event of unknown type ${c.type}`);
          const params = Array.from({ length: c.nparams }, (_, i) => render(c, i, info.params[i]?.type ?? 0));
          open.push({ event: info.key, tid: c.tid, params });
        }
      }
    } while (await source.more());
    const drops = source.stats().drops;
    await source.close();
    const status = await child.exited;
    if (status !== 0) throw new Error(`the test program ended with status ${status}`);
    const cases = parse(await output);
    for (const [n, c] of cases) if (!c.skipped) compare(c, captured.get(n) ?? []);
    return { cases: [...cases.values()], drops, missing };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
