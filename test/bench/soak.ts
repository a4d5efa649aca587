// SPDX-License-Identifier: Apache-2.0
// A long run, by hand: `falco run` with the shipped rules while a program makes system calls at a rate; drops, CPU and memory over time.
//   bun test/bench/soak.ts [MINUTES [CALLS_PER_SECOND [FALCO]]]     10 minutes, 100000 calls/s, dist/falco
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../support/shared.ts";

/** Lines of figures in all. */
const LOOKS = 20;
const TICKS_PER_SECOND = 100;
/** What memory may grow by after the first tenth, in MB. */
const MAY_GROW_MB = 8;

const minutes = Number(process.argv[2] ?? 10);
const rate = Number(process.argv[3] ?? 100_000);
const program = process.argv[4] ?? join(ROOT, "dist/falco");
if (!(minutes > 0 && rate > 0)) throw new Error("usage: soak.ts [MINUTES [CALLS_PER_SECOND [FALCO]]]");

/** CPU time in seconds and resident memory in MB of a process. */
function figures(pid: number): { cpu: number; memory: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kb = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? Number.NaN);
  return { cpu: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND, memory: kb / 1024 };
}

const dir = mkdtempSync(join(tmpdir(), "falco-soak-"));
try {
  const load = join(dir, "soak");
  const gcc = spawnSync("gcc", ["-O2", "-Wall", "-Wextra", "-o", load, join(import.meta.dir, "soak.c")], {
    encoding: "utf8",
  });
  if (gcc.status !== 0) throw new Error(gcc.stderr);
  const alerts = join(dir, "alerts");
  const said = join(dir, "said");
  const falco = spawn(program, ["run"], { stdio: ["ignore", openSync(alerts, "w"), openSync(said, "w")] });
  const falcoEnd = new Promise<number | null>((resolve) => falco.once("close", resolve));
  const pid = falco.pid ?? 0;
  while (!readFileSync(said, "utf8").includes("are watched")) {
    if (falco.exitCode !== null) throw new Error(readFileSync(said, "utf8"));
    await Bun.sleep(50);
  }
  const seconds = Math.max(1, Math.round(minutes * 60));
  const began = Date.now();
  const worker = spawn(load, [String(rate), String(seconds)], { stdio: ["ignore", "pipe", "inherit"] });
  let made = "";
  worker.stdout.on("data", (bytes: Buffer) => {
    made += bytes.toString("latin1");
  });
  const workerEnd = new Promise<number | null>((resolve) => worker.once("close", resolve));
  const first = figures(pid);
  let before = { ...first, at: began };
  let early = Number.NaN;
  let most = first.memory;
  console.log("     s   CPU %   memory MB");
  for (let i = 1; i <= LOOKS; i++) {
    await Bun.sleep(Math.max(0, began + (i * seconds * 1000) / LOOKS - Date.now()));
    const at = Date.now();
    const now = figures(pid);
    const share = ((now.cpu - before.cpu) / ((at - before.at) / 1000)) * 100;
    console.log(
      `${((at - began) / 1000).toFixed(0).padStart(6)} ${share.toFixed(1).padStart(7)} ${now.memory.toFixed(1).padStart(11)}`,
    );
    if (i === LOOKS / 10) early = now.memory;
    most = Math.max(most, now.memory);
    before = { ...now, at };
  }
  await workerEnd;
  const elapsed = (Date.now() - began) / 1000;
  const last = figures(pid);
  falco.kill("SIGINT");
  const status = await falcoEnd;
  const messages = readFileSync(said, "utf8");
  const drops = Number(/event drop detected: (\d+)/.exec(messages)?.[1] ?? Number.NaN);
  const grown = last.memory - early;
  console.log(
    `calls ${made.trim()} (${Math.round(Number(made) / elapsed)}/s), CPU ${(((last.cpu - first.cpu) / elapsed) * 100).toFixed(1)} %`,
  );
  console.log(`memory ${most.toFixed(1)} MB at most, ${grown.toFixed(1)} MB more than after a tenth; status ${status}`);
  console.log(messages.trim());
  console.log(
    readFileSync(alerts, "latin1")
      .split("\n")
      .filter((l) => /^(Events|Rule|Triggered| {3})/.test(l))
      .join("\n"),
  );
  const bad = [
    ...(drops === 0 ? [] : [`events were lost ${drops} times`]),
    ...(status === 0 ? [] : [`falco ended with ${status}`]),
    ...(grown < MAY_GROW_MB ? [] : [`memory grew by ${grown.toFixed(1)} MB`]),
  ];
  for (const text of bad) console.log(`NOT AS IT SHOULD BE: ${text}`);
  process.exitCode = bad.length === 0 ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true });
}
