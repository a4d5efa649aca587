// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz -- [SEED [ROUNDS]]`: damages captures and reads them; a child does the work, so that a hang or crash is seen.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fuzz, type Summary } from "./fuzz.ts";

/** A round that takes longer than this (ms) hangs. */
const HANG = 10_000;
/** Rounds a child does before the next one takes over. */
const BATCH = 2000;
const CORPUS = join(import.meta.dir, "corpus");

type Report = Omit<Summary, "failures"> & { failures: { round: number; from: string; done: string; what: string }[] };

/** In the child: does the rounds and tells the parent where it is. */
async function work(seed: number, from: number, to: number): Promise<void> {
  const summary = await fuzz(seed, from, to, (n) => process.send?.({ round: n }));
  mkdirSync(CORPUS, { recursive: true });
  const failures = summary.failures.map(({ bytes, ...rest }) => {
    writeFileSync(join(CORPUS, `${seed}-${rest.round}.scap`), bytes);
    return rest;
  });
  process.send?.({ done: { ...summary, failures } });
}

/** Has a child do a batch; a child that hangs or dies is a failure of the round it was in. */
function batch(
  seed: number,
  from: number,
  to: number,
): Promise<{ report: Report | null; lastRound: number; end: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [import.meta.path, "--work", String(seed), String(from), String(to)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    let lastRound = from;
    let report: Report | null = null;
    let hung = false;
    const kill = (): void => {
      hung = true;
      child.kill("SIGKILL");
    };
    let watchdog = setTimeout(kill, HANG * 3);
    child.on("message", (message: { round?: number; done?: Report }) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(kill, HANG);
      if (message.round !== undefined) lastRound = message.round;
      if (message.done !== undefined) report = message.done;
    });
    child.on("exit", (code, signal) => {
      clearTimeout(watchdog);
      resolve({ report, lastRound, end: hung ? "it hung" : `it died (${signal ?? code})` });
    });
  });
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "--work") {
    await work(Number(args[1]), Number(args[2]), Number(args[3]));
    return 0;
  }
  const seed = Number(args[0] ?? 1);
  const rounds = Number(args[1] ?? 20_000);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(rounds) || rounds < 1) {
    process.stderr.write("usage: npm run fuzz -- [SEED [ROUNDS]]\n");
    return 2;
  }
  const started = performance.now();
  const total = { whole: 0, refused: 0, events: 0, slowest: 0, memory: 0 };
  let failures = 0;
  for (let from = 0; from < rounds; ) {
    const to = Math.min(rounds, from + BATCH);
    const { report, lastRound, end } = await batch(seed, from, to);
    from = to;
    if (report === null) {
      failures++;
      process.stdout.write(`round ${lastRound}: ${end}\n`);
      from = lastRound + 1;
      continue;
    }
    for (const f of report.failures) {
      failures++;
      process.stdout.write(`round ${f.round} (${f.from}, ${f.done}): ${f.what}\n`);
    }
    total.whole += report.whole;
    total.refused += report.refused;
    total.events += report.events;
    total.slowest = Math.max(total.slowest, report.slowest);
    total.memory = Math.max(total.memory, report.memory);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    `seed ${seed}: ${rounds} rounds in ${seconds} s: ${total.whole} files read to the end, ${total.refused} refused with one line, ` +
      `${failures} failures; slowest file ${total.slowest.toFixed(0)} ms, memory at most ${(total.memory / 1e6).toFixed(0)} MB\n`,
  );
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
if (process.argv[2] === "--work") process.disconnect?.();
