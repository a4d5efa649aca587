// SPDX-License-Identifier: Apache-2.0
// Executables run no code but their own, whatever environment or directory they are started in.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileExecutable } from "../../scripts/compile.ts";

let dir = "";
let program = "";
let mark = "";

const PROGRAM = `
  const names = Object.keys(process.env).filter((n) => /^(bun|node)_/i.test(n)).sort();
  if (process.argv[2] === "wait") setTimeout(() => {}, 10_000);
  console.log(JSON.stringify([process.argv.slice(2), names]));
`;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "falco-compile-"));
  program = join(dir, "program");
  mark = join(dir, "ran");
  writeFileSync(join(dir, "program.ts"), PROGRAM);
  writeFileSync(join(dir, "foreign.js"), `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "");\n`);
  const foreign = JSON.stringify(join(dir, "foreign.js"));
  for (const name of ["bunfig.toml", ".bunfig.toml"]) writeFileSync(join(dir, name), `preload = [${foreign}]\n`);
  writeFileSync(join(dir, ".env"), `BUN_OPTIONS=--preload=${join(dir, "foreign.js")}\nFROM_DOTENV=1\n`);
  compileExecutable(join(dir, "program.ts"), program);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs the program in the directory with an environment of only these variables. */
function run(
  env: Record<string, string>,
  ...args: string[]
): { stdout: string; stderr: string; status: number | null } {
  rmSync(mark, { force: true });
  const { stdout, stderr, status } = spawnSync(program, args, { cwd: dir, env, encoding: "utf8", timeout: 20_000 });
  return { stdout, stderr, status };
}

describe("compileExecutable()", () => {
  const preloads = ["--preload=foreign.js", "--preload foreign.js", "-r ./foreign.js", "--config=bunfig.toml"];
  const environments: Record<string, string>[] = [
    {},
    ...preloads.map((options) => ({ BUN_OPTIONS: options })),
    { BUN_BE_BUN: "1" },
    { BUN_INSPECT_PRELOAD: "foreign.js" },
    { NODE_OPTIONS: "--require ./foreign.js" },
    { BUN_JSC_dumpOptions: "1" },
    { BUN_CONFIG_FILE: "bunfig.toml" },
    { XDG_CONFIG_HOME: ".", HOME: "." },
  ];
  for (const env of environments) {
    test(`runs the program alone with ${JSON.stringify(env)}`, () => {
      const outcome = run(env, "run", "foreign.js");
      const names = Object.keys(env)
        .filter((n) => /^(BUN|NODE)_/.test(n))
        .map((n) => n[0]?.toLowerCase() + n.slice(1));
      expect(outcome).toEqual({ stdout: `${JSON.stringify([["run", "foreign.js"], names])}\n`, stderr: "", status: 0 });
      expect(existsSync(mark)).toBe(false);
    });
  }

  test("the traps would work without it", () => {
    rmSync(mark, { force: true });
    const plain = join(dir, "plain");
    const args = ["build", "--compile", join(dir, "program.ts"), "--outfile", plain];
    expect(spawnSync(process.execPath, args, { cwd: tmpdir() }).status).toBe(0);
    spawnSync(plain, [], { cwd: tmpdir(), env: { BUN_OPTIONS: `--preload=${join(dir, "foreign.js")}` } });
    expect(existsSync(mark)).toBe(true);
  });

  test("opens no port for a debugger", async () => {
    const sockets = (): string => readFileSync("/proc/net/tcp", "latin1");
    // 127.0.0.1:47823, listening.
    const listening = "0100007F:BACF 00000000:0000 0A";
    const child = spawn(program, ["wait"], { cwd: dir, env: { BUN_INSPECT: "ws://127.0.0.1:47823/x" } });
    try {
      await new Promise((resolve) => child.stdout.once("data", resolve));
      expect(sockets()).not.toContain(listening);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("leaves other variables and many of them alone", () => {
    const env: Record<string, string> = { BUN: "1", NODE: "2", NODES_X: "3", B: "", N: "x" };
    for (let i = 0; i < 2000; i++) env[`V${i}`] = `BUN_${i}`;
    expect(run(env).status).toBe(0);
    expect(run(env).stdout).toBe(`${JSON.stringify([[], []])}\n`);
  });
});
