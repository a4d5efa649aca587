// SPDX-License-Identifier: Apache-2.0
// Least privilege: what is enough, what is said when it is not there, what is given up once the capture runs.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { MAIN, PATIENCE_MS } from "../support/falco.ts";
import { reasonToSkip } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

/** Runs a capture as nobody with only these capabilities. */
function asNobody(...capabilities: string[]): { status: number | null; stderr: string } {
  const set = ["-all", ...capabilities.map((c) => `+${c}`)].join(",");
  const as = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const args = [...as, "--inh-caps", set, "--ambient-caps", set, "--bounding-set", set];
  const run = spawnSync("setpriv", [...args, process.execPath, MAIN, "capture", "-q", "-M", "0"], { encoding: "utf8" });
  return { status: run.status, stderr: run.stderr.replace(/^falco: \d+ events were lost\n/m, "") };
}

const reason = reasonToSkip() ?? (spawnSync("setpriv", ["--version"]).status === 0 ? null : "no setpriv");
const REFUSED = "falco: modern eBPF engine: not allowed to use eBPF: ";

describe.skipIf(reason !== null)(`privileges of a live capture (${reason ?? "root"})`, () => {
  test("bpf, perfmon and sys_ptrace are enough on this kernel", () => {
    expect(asNobody("bpf", "perfmon", "sys_ptrace")).toEqual({ status: 0, stderr: "" });
  });

  test("what is missing is named", () => {
    expect(asNobody("bpf", "sys_ptrace").stderr).toStartWith(`${REFUSED}CAP_PERFMON is missing`);
    expect(asNobody("perfmon", "sys_ptrace").stderr).toStartWith(`${REFUSED}CAP_BPF is missing`);
    expect(asNobody()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("CAP_BPF and CAP_PERFMON are missing"),
    });
    const partly = asNobody("bpf", "perfmon");
    expect(partly.status).toBe(0);
    expect(partly.stderr).toStartWith("falco: CAP_SYS_PTRACE is missing: ");
  });

  test("a running capture keeps what it needs, in no thread more", async () => {
    const child = spawn(process.execPath, [MAIN, "capture", "-n", "1000000", "-p", "%evt.num"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      await new Promise((resolve) => child.stdout.once("data", resolve));
      // DAC_OVERRIDE, DAC_READ_SEARCH, KILL, NET_BIND_SERVICE, SYS_PTRACE.
      const kept = 0x80426n;
      const tasks = `/proc/${child.pid}/task`;
      for (const tid of readdirSync(tasks)) {
        const status = readFileSync(`${tasks}/${tid}/status`, "latin1");
        for (const set of ["CapEff", "CapPrm"]) {
          const held = BigInt(`0x${new RegExp(`^${set}:\\s*(\\w+)`, "m").exec(status)?.[1]}`);
          expect(held & ~kept).toBe(0n);
        }
      }
    } finally {
      child.kill("SIGKILL");
    }
  });
});
