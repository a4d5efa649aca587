// SPDX-License-Identifier: Apache-2.0
// The shim in C, built with address and undefined-behaviour checks; and a probe of which the kernel refuses a program.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reasonForProc } from "../../lib/scap/iterators.ts";
import { probeEngine } from "../../lib/scap/live.ts";
import { PATIENCE_MS } from "../support/falco.ts";

setDefaultTimeout(PATIENCE_MS);

const ROOT = join(import.meta.dir, "../..");
const LIBS = process.arch === "arm64" ? "/usr/lib/aarch64-linux-gnu" : "/usr/lib/x86_64-linux-gnu";
const SHIM_SOURCES = readdirSync(join(ROOT, "libscap-shim"))
  .filter((f) => f.endsWith(".c"))
  .map((f) => `libscap-shim/${f}`);
const CHECKED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"];
const WARNINGS = ["-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"];
/** As scripts/build-driver.sh links it. */
const WRAP = "-Wl,--wrap=bpf_btf_get_next_id,--wrap=bpf_prog_load";
const reason = probeEngine();
let dir = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "falco-shim-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function run(command: string[], env: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const child = Bun.spawn(command, {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { status, text: out + err };
}

describe("with address and undefined-behaviour checks", () => {
  test("rings are merged in time order", async () => {
    const program = join(dir, "rings");
    const sources = ["test/shim/rings_test.c", "libscap-shim/rings.c"];
    expect((await run(["gcc", ...WARNINGS, ...CHECKED, "-o", program, ...sources])).text).toBe("");
    expect(await run([program])).toEqual({ status: 0, text: "" });
  });

  test.skipIf(reason !== null)(
    `the engine opens, selects, delivers, stops and closes (${reason ?? "root"})`,
    async () => {
      const program = join(dir, "engine");
      const object = `-DPROBE_OBJECT="${ROOT}/build/probe.o"`;
      const sources = [
        "test/shim/engine_test.c",
        WRAP,
        ...SHIM_SOURCES,
        "libscap-shim/probe_object.S",
        "build/shim/libbpf.a",
      ];
      const libraries = [`${LIBS}/libelf.a`, `${LIBS}/libz.a`];
      const built = await run(["gcc", ...WARNINGS, ...CHECKED, object, "-o", program, ...sources, ...libraries]);
      expect(built.text).toBe("");
      expect(await run([program])).toEqual({ status: 0, text: "" });
    },
  );
});

/** The class of loads among the instructions of BPF: libbpf relocates these, before the kernel sees them. */
const BPF_LDX = 1;

/** Makes the kernel refuse one program of a probe: its first instruction but for loads becomes an exit without a result. */
async function spoil(object: string, program: string): Promise<void> {
  const symbols = await run(["readelf", "-sW", object]);
  const sections = await run(["readelf", "-SW", object]);
  const symbol = new RegExp(`^\\s*\\d+: ([0-9a-f]+)\\s+\\d+ FUNC .* (\\d+) ${program}$`, "m").exec(symbols.text);
  const section = new RegExp(`^\\s*\\[\\s*${symbol?.[2]}\\] \\S+\\s+PROGBITS\\s+\\S+ ([0-9a-f]+)`, "m").exec(
    sections.text,
  );
  let at = Number.parseInt(section?.[1] ?? "", 16) + Number.parseInt(symbol?.[1] ?? "", 16);
  const bytes = readFileSync(object);
  while ((bytes.readUInt8(at) & 7) === BPF_LDX) at += 8;
  bytes.writeUInt8(0x95, at);
  bytes.fill(0, at + 1, at + 8);
  writeFileSync(object, bytes);
}

async function buildWith(object: string, library: string): Promise<void> {
  const sources = [
    WRAP,
    ...SHIM_SOURCES,
    "libscap-shim/probe_object.S",
    "build/shim/libbpf.a",
    `${LIBS}/libelf.a`,
    `${LIBS}/libz.a`,
  ];
  const flags = ["-O1", "-fPIC", "-shared", "-std=gnu11", "-Wl,--version-script=libscap-shim/exports.map"];
  const built = await run(["gcc", ...flags, `-DPROBE_OBJECT="${object}"`, "-o", library, ...sources]);
  expect(built.text).toBe("");
}

describe.skipIf(reason !== null || !existsSync(join(ROOT, "build/probe.o")))("a program the kernel refuses", () => {
  const script = `
    const { openLive } = await import("${ROOT}/lib/scap/live.ts");
    const source = await openLive();
    console.log(JSON.stringify({ missing: source.missing, fromProc: source.scan() }));
    await source.close();`;

  async function openWith(program: string): Promise<{ status: number; text: string }> {
    const object = join(dir, `${program}.o`);
    const library = join(dir, `${program}.so`);
    copyFileSync(join(ROOT, "build/probe.o"), object);
    await spoil(object, program);
    await buildWith(object, library);
    return run([process.execPath, "-e", script], { FALCO_SHIM: library });
  }

  test("is named and the rest works", async () => {
    const { status, text } = await openWith("x_QUOTACTL_X");
    expect(status).toBe(0);
    expect(JSON.parse(text)).toEqual({ missing: ["x_QUOTACTL_X"], fromProc: reasonForProc() });
  });

  test("takes no event away when it is an iterator: /proc gives the state", async () => {
    const { status, text } = await openWith("iterate_files");
    expect(status).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      missing: [],
      fromProc: expect.stringMatching(/iterator|HOST_ROOT|namespace/),
    });
  });

  test("ends the start when nothing works without it", async () => {
    const { status, text } = await openWith("on_sys_exit");
    expect(status).toBe(1);
    expect(text).toContain("the kernel refused the probe");
  });
});
