// SPDX-License-Identifier: Apache-2.0
// `npm run bench [-- [--json] [-n RUNS] NAME…]`: runs benchmarks and their peers in turn and prints what they cost, best of the runs.
import { rmSync } from "node:fs";
import { ENTRIES, type Entry, type Task } from "./entries.ts";

/** What one process cost. Times in seconds, memory in MB. */
interface Cost {
  user: number;
  system: number;
  memory: number;
  events: number;
}

interface Result {
  name: string;
  about: string;
  ours: Cost;
  peer: Cost | null;
  /** The peer's user CPU time over ours. */
  ratio: number | null;
  /** Million events per second of our user CPU time; null when the task does not tell its events. */
  rate: number | null;
  missed: string[];
}

async function measure(task: Task): Promise<Cost> {
  const child = Bun.spawn(task.argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const status = await child.exited;
  if (task.writes !== undefined) rmSync(task.writes, { force: true });
  if (status !== 0) throw new Error(`${task.argv.join(" ")} ended with ${status}: ${err.slice(-300)}`);
  const usage = child.resourceUsage();
  if (usage === undefined) throw new Error(`${task.argv[0]} has no resource usage`);
  return {
    user: Number(usage.cpuTime.user) / 1e6,
    system: Number(usage.cpuTime.system) / 1e6,
    memory: usage.maxRSS / 1e6,
    events: task.events ?? (Number(out.trim().split(/\s+/).at(-1)) || 0),
  };
}

/** The cheaper of two runs in time, the dearer in memory. */
function best(a: Cost | null, b: Cost): Cost {
  if (a === null) return b;
  const cheap = b.user < a.user ? b : a;
  return { ...cheap, memory: Math.max(a.memory, b.memory) };
}

/** What the entry had to reach and did not. */
function misses(entry: Entry, ours: Cost, ratio: number | null, rate: number | null): string[] {
  const missed: string[] = [];
  if (entry.ratio !== undefined && ratio !== null && ratio < entry.ratio) missed.push(`ratio ${entry.ratio}`);
  if (entry.rate !== undefined && rate !== null && rate < entry.rate) missed.push(`${entry.rate} M events/s`);
  if (entry.seconds !== undefined && ours.user > entry.seconds) missed.push(`${entry.seconds} s`);
  if (entry.memory !== undefined && ours.memory > entry.memory) missed.push(`${entry.memory} MB`);
  return missed;
}

async function run(entry: Entry, runs: number): Promise<Result> {
  const ours = await entry.ours();
  const { peer } = entry;
  const other = peer !== undefined && Bun.which(peer.program) !== null ? await peer.task() : null;
  let mine: Cost | null = null;
  let theirs: Cost | null = null;
  // In turn, so that both meet the same minute of a busy machine.
  for (let i = 0; i < runs; i++) {
    mine = best(mine, await measure(ours));
    if (other !== null) theirs = best(theirs, await measure(other));
  }
  if (mine === null) throw new Error("no run");
  const ratio = theirs === null ? null : theirs.user / mine.user;
  const rate = mine.events === 0 ? null : mine.events / mine.user / 1e6;
  return {
    name: entry.name,
    about: entry.about,
    ours: mine,
    peer: theirs,
    ratio,
    rate,
    missed: misses(entry, mine, ratio, rate),
  };
}

const HEAD = ["BENCHMARK", "USER s", "SYS s", "MB", "M EV/s", "PEER USER s", "SYS s", "MB", "RATIO", ""] as const;
const WIDTHS = [14, 8, 8, 6, 8, 12, 8, 6, 7, 0] as const;

function line(cells: readonly string[]): string {
  return `${cells.map((c, i) => (i === 0 || i === cells.length - 1 ? c.padEnd(WIDTHS[i] ?? 0) : c.padStart(WIDTHS[i] ?? 0))).join(" ")}`.trimEnd();
}

function row(r: Result): string {
  const peer =
    r.peer === null ? ["–", "–", "–"] : [r.peer.user.toFixed(2), r.peer.system.toFixed(2), r.peer.memory.toFixed(0)];
  const missed = r.missed.length === 0 ? "" : `misses ${r.missed.join(", ")}`;
  return line([
    r.name,
    r.ours.user.toFixed(2),
    r.ours.system.toFixed(2),
    r.ours.memory.toFixed(0),
    r.rate === null ? "–" : r.rate.toFixed(1),
    ...peer,
    r.ratio === null ? "–" : r.ratio.toFixed(2),
    missed,
  ]);
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const at = args.indexOf("-n");
  const runs = at < 0 ? 3 : Number(args[at + 1]);
  const names = args.filter((a, i) => !a.startsWith("-") && (at < 0 || i !== at + 1));
  const unknown = names.find((n) => !ENTRIES.some((e) => e.name === n));
  if (unknown !== undefined || !Number.isInteger(runs) || runs < 1) {
    const list = ENTRIES.map((e) => `  ${e.name.padEnd(14)}${e.about}\n`).join("");
    process.stderr.write(`usage: npm run bench -- [--json] [-n RUNS] [NAME…]\n${list}`);
    return 2;
  }
  const results: Result[] = [];
  if (!json) process.stdout.write(`${line(HEAD)}\n`);
  for (const entry of ENTRIES) {
    if (names.length > 0 && !names.includes(entry.name)) continue;
    const result = await run(entry, runs);
    results.push(result);
    if (!json) process.stdout.write(`${row(result)}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  return results.every((r) => r.missed.length === 0) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
