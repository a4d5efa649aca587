// SPDX-License-Identifier: Apache-2.0
// Which system calls a live run switches on.
import { describe, expect, test } from "bun:test";
import { type BaseSyscalls, selectSyscalls } from "../../lib/engine/interesting.ts";
import { SYSCALL_NAMES, SYSCALL_SETS } from "../../lib/schema/tables/syscalls.ts";

const NONE: BaseSyscalls = { customSet: [], repair: false, all: false };

function select(rules: readonly string[], base: Partial<BaseSyscalls> = {}): { names: string[]; remarks: string[] } {
  const wanted = Uint8Array.from(SYSCALL_NAMES, (name) => (rules.includes(name) ? 1 : 0));
  const { codes, remarks } = selectSyscalls(wanted, { ...NONE, ...base });
  return { names: codes.map((c) => SYSCALL_NAMES[c] as string), remarks };
}

describe("selectSyscalls()", () => {
  test("takes the rules' calls and those that keep the state", () => {
    const { names, remarks } = select(["ptrace"]);
    expect(names).toContain("ptrace");
    for (const name of SYSCALL_SETS["state"] ?? []) expect(names).toContain(name);
    expect(names).not.toContain("getcwd");
    expect(remarks).toEqual([]);
  });

  test("leaves out numerous calls and says so, unless all are wanted", () => {
    const { names, remarks } = select(["read", "ptrace"]);
    expect(names).not.toContain("read");
    expect(remarks).toEqual([
      "rules ask for read, which are not watched for their number; -o base_syscalls.all=true adds them",
    ]);
    expect(select(["read"], { all: true }).names).toContain("read");
  });

  test("takes a set of the user's own in place of the state set, and says what that costs", () => {
    const { names, remarks } = select(["ptrace"], { customSet: ["open", "close", "!ptrace"] });
    expect(names.sort()).toEqual(["close", "open"]);
    expect(remarks[0]).toContain("leaves out calls that keep processes and descriptors true");
  });

  test("repairs with what the rules' calls need and no more", () => {
    const exec = select(["execve"], { repair: true }).names;
    expect(exec).toContain("clone");
    expect(exec).not.toContain("openat");
    expect(exec).not.toContain("socket");
    const net = select(["connect"], { repair: true }).names;
    expect(net).toContain("socket");
    expect(net).toContain("close");
  });

  test("names calls that do not exist", () => {
    expect(select([], { customSet: ["!opn", "zap"] }).remarks[0]).toBe(
      "base_syscalls.custom_set: no system call is called opn, zap",
    );
  });
});
