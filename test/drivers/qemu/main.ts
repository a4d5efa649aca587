// SPDX-License-Identifier: Apache-2.0
// `npm run test:qemu`: boots Debian's kernels in QEMU, runs dist/falco in them, and says what came of it.
//   npm run test:qemu -- [-v] [KERNEL…] [RUN…]     only these kernels (5.10 6.1 6.12 newest), only these runs
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/shared.ts";
import { CONTROLS } from "./controls.ts";
import { type Booted, GuestImage, reasonForNoGuests } from "./guest.ts";
import { fetchKernel, KERNELS, Unavailable } from "./kernels.ts";
import { compiledPrograms, problems, RUNS, type Run } from "./runs.ts";

const RUN_SECONDS = 420;
const BOOT_SECONDS = 3600;
/** For runs that have to fail because they do not end. */
const HANG_SECONDS = 30;

interface Options {
  verbose: boolean;
  kernels: typeof KERNELS;
  runs: readonly Run[];
}

function parse(words: readonly string[]): Options {
  const all: readonly Run[] = [...RUNS, ...CONTROLS];
  const names = words.filter((w) => w !== "-v");
  const kernels = KERNELS.filter((k) => names.includes(k.name));
  const runs = all.filter((r) => names.includes(r.name));
  const unknown = names.filter((n) => !KERNELS.some((k) => k.name === n) && !all.some((r) => r.name === n));
  if (unknown.length > 0) {
    console.error(`no kernel or run is called ${unknown.join(", ")}; kernels: ${KERNELS.map((k) => k.name).join(" ")}`);
    console.error(`runs: ${all.map((r) => r.name).join(" ")}`);
    process.exit(2);
  }
  return {
    verbose: words.includes("-v"),
    kernels: kernels.length > 0 ? kernels : KERNELS,
    runs: runs.length > 0 ? runs : all,
  };
}

/** The image with all that the runs need. */
function makeImage(dir: string): GuestImage {
  const built = spawnSync("bun", [
    "build",
    "--target=bun",
    `--outfile=${join(dir, "cases.js")}`,
    join(import.meta.dir, "cases.ts"),
  ]);
  if (built.status !== 0) throw new Error(`the driver cases are not built: ${built.stderr.toString("utf8")}`);
  const wrong = join(dir, "wrong.sh");
  writeFileSync(wrong, '#!/bin/sh\ncases "$@" | sed "s/OPENAT_2_X\\t-2/OPENAT_2_X\\t-3/"\n');
  const sources = readdirSync(join(ROOT, "test/drivers/program")).filter((f) => f.endsWith(".c"));
  return new GuestImage({
    falco: join(ROOT, "dist/falco"),
    files: new Map([
      ["bin/bun", process.execPath],
      ["opt/cases.js", join(dir, "cases.js")],
      ["opt/falco-shim.so", join(ROOT, "build/falco-shim.so")],
      ["opt/wrong.sh", wrong],
    ]),
    compiled: compiledPrograms(
      ROOT,
      sources.map((f) => join(ROOT, "test/drivers/program", f)),
    ),
  });
}

/** Runs that share a boot: those without parameters of their own; a run that ends its guest is alone. */
function boots(runs: readonly Run[]): Run[][] {
  const shared = runs.filter((r) => r.parameters === undefined && !isDeadly(r));
  const alone = runs.filter((r) => r.parameters !== undefined || isDeadly(r)).map((r) => [r]);
  return shared.length > 0 ? [shared, ...alone] : alone;
}

const isDeadly = (run: Run): boolean => run.name === "control-hang" || run.name === "control-panic";

/** What is wrong with a run of a boot; a control is wrong when nothing else is. */
function judge(run: Run, booted: Booted): string[] {
  const found = problems(run, booted.outcomes.get(run.name));
  found.push(...booted.trouble.filter((t) => t.startsWith(`${run.name}: `)));
  const control = CONTROLS.find((c) => c.name === run.name);
  if (control === undefined) return found;
  return found.some((f) => control.fault.test(f)) ? [] : [`nobody found its fault: ${found.join("; ")}`];
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  const reason = reasonForNoGuests();
  if (reason !== null) throw new Unavailable(reason);
  if (!existsSync(join(ROOT, "dist/falco"))) throw new Unavailable("dist/falco is not built: npm run build");
  const dir = mkdtempSync(join(tmpdir(), "falco-qemu-"));
  const image = makeImage(dir);
  const clean = (): void => {
    image.remove();
    rmSync(dir, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clean();
      process.exit(1);
    });
  }
  let failed = 0;
  let count = 0;
  try {
    for (const kernel of options.kernels) {
      const file = fetchKernel(kernel);
      const runs = options.runs.filter((r) => r.on === undefined || r.on(kernel.name));
      for (const group of boots(runs)) {
        const booted = await image.boot(file, {
          kernel: kernel.name,
          parameters: group[0]?.parameters ?? "",
          scripts: new Map(group.map((r) => [r.name, r.script])),
          runSeconds: group.some(isDeadly) ? HANG_SECONDS : RUN_SECONDS,
          seconds: BOOT_SECONDS,
        });
        console.log(
          `kernel ${kernel.name} ${booted.release} ${group[0]?.parameters ?? ""}: ${booted.seconds.toFixed(0)} s`,
        );
        for (const run of group) {
          const wrong = judge(run, booted);
          const outcome = booted.outcomes.get(run.name);
          count++;
          if (wrong.length > 0) failed++;
          const seconds = outcome === undefined ? "" : ` (${outcome.seconds.toFixed(1)} s)`;
          console.log(`  ${wrong.length === 0 ? "ok  " : "FAIL"} ${run.name}${seconds}: ${run.shows}`);
          for (const text of wrong) console.log(`       ${text}`);
          if (options.verbose || wrong.length > 0)
            for (const l of outcome?.lines.slice(0, 60) ?? []) console.log(`       | ${l}`);
        }
        const wanted = group.some(isDeadly);
        if (!wanted) for (const text of booted.trouble) console.log(`  trouble: ${text}`);
        if (!wanted && booted.trouble.length > 0) failed++;
      }
    }
  } finally {
    clean();
  }
  console.log(`${count - failed} runs as they must be, ${failed} not`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.error(`no guests: ${error.message}`);
  process.exitCode = 1;
}
