// SPDX-License-Identifier: Apache-2.0
// The state of a live capture against /proc: while everything changes during the start, and after events were lost.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, openMachine } from "../../lib/engine/machine.ts";
import { openLive } from "../../lib/scap/live.ts";
import { readFd } from "../../lib/scap/proc_scan.ts";
import { FD_TYPE, NEXT } from "../../lib/scap/source.ts";
import { SC } from "../../lib/schema/tables/enums.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import type { ThreadInfo } from "../../lib/sinsp/thread_info.ts";
import { PATIENCE_MS } from "../support/falco.ts";
import { allHold, compile, familyOf, lives, type ProcThread, Puppet, reasonToSkip } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

const reason = reasonToSkip();
let churn = "";
let hammer = "";
const dirs: string[] = [];
beforeAll(() => {
  [churn, hammer] = ["churn.c", "hammer.c"].map((source) => {
    const { dir, program } = compile(source);
    dirs.push(dir);
    return program;
  }) as [string, string];
});
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

type Watched = Pick<Machine, "source" | "inspector">;

/** Works off events until `done`, and then those that are in the rings. */
async function watch({ source, inspector }: Watched, done: Promise<unknown>): Promise<void> {
  let over = false;
  void done.then(() => {
    over = true;
  });
  while (!over) {
    while (inspector.next() === NEXT.EVENT);
    await source.more();
  }
  await source.workOff(source.now(), () => inspector.next());
}

/** What differs between a thread and /proc, one line each. */
function differences(want: ProcThread, got: ThreadInfo | undefined): string[] {
  const out: string[] = [];
  const who = `${want.comm} ${want.pid}/${want.tid}`;
  if (got === undefined) return [`${who}: unknown`];
  const say = (what: string, w: unknown, g: unknown): void =>
    void (w === g || out.push(`${who}: ${what} is ${w}, we say ${g}`));
  say("pid", want.pid, got.pid);
  say("comm", want.comm, got.comm);
  say("command line", want.args, `${got.exe}\0${got.argsRaw}`);
  say("directory", want.cwd, got.cwd.replace(/(?<=.)\/$/, ""));
  if (want.tid === want.pid) say("parent", want.ptid, got.ptid);
  const fds = new Map(got.fds?.entries() ?? []);
  for (const [fd, link] of want.fds) {
    const have = fds.get(fd);
    fds.delete(fd);
    if (have === undefined) out.push(`${who}: descriptor ${fd} (${link}) is unknown`);
    else if (link.startsWith("/") && !link.startsWith("/memfd:")) say(`descriptor ${fd}`, link, have.name);
    else if (link.startsWith("pipe:")) say(`type of ${fd} (${link})`, FD_TYPE.FIFO, have.type);
    else if (link.includes("eventfd")) say(`type of ${fd} (${link})`, FD_TYPE.EVENT, have.type);
  }
  for (const [fd, have] of fds) out.push(`${who}: descriptor ${fd} is closed, we say ${have.name}`);
  return out;
}

/** Threads of churn programs, of this test or another, that have ended although we say that they live. */
async function ghosts({ source, inspector }: Watched): Promise<string[]> {
  const ours = [...inspector.threads.values()].filter((t) => [churn, "churned", "chopped"].includes(t.exe) && !t.dead);
  const ended = ours.map((t) => t.tid).filter((tid) => !lives(tid));
  // Their last events are in the rings by now.
  await source.workOff(source.now(), () => inspector.next());
  return ended.filter((tid) => inspector.getThread(tid)?.dead === false).map((tid) => `${tid} ended, we say it lives`);
}

/** Starts a capture while processes and descriptors come and go; returns what is wrong when they hold still. */
async function race(): Promise<{ threads: number; fds: number; wrong: string[]; drops: number }> {
  const puppet = new Puppet(churn, "4");
  await puppet.says("going");
  // Room for what a busy machine does meanwhile.
  const machine = await openMachine({ ringBytes: 64 << 20 });
  try {
    await watch(machine, Bun.sleep(200));
    puppet.goOn();
    await watch(machine, allHold(puppet.pid));
    const family = familyOf(puppet.pid);
    const wrong = [...family.values()].flatMap((want) => differences(want, machine.inspector.getThread(want.tid)));
    wrong.push(...(await ghosts(machine)));
    let fds = 0;
    for (const t of family.values()) if (t.tid === t.pid) fds += t.fds.size;
    return { threads: family.size, fds, wrong, drops: machine.source.stats().drops };
  } finally {
    await machine.source.close();
    await puppet.end();
  }
}

/** Starts a capture while one program hammers on its descriptors; returns what is wrong when it holds still. */
async function hammered(): Promise<{ fds: number; wrong: string[]; drops: number }> {
  const place = mkdtempSync(join(tmpdir(), "falco-hammer-"));
  const puppet = new Puppet(hammer, place);
  await puppet.says("going");
  const source = await openLive({ ringBytes: 64 << 20 });
  try {
    source.scan();
    // It stops at once, before all that the scan found is changed again.
    puppet.goOn();
    const inspector = new Inspector(source, { onPassedFd: (pid, fd) => readFd(pid, fd, () => source.now()) });
    await watch({ source, inspector }, puppet.says("held"));
    const [want] = familyOf(puppet.pid).values();
    const wrong = differences(want as ProcThread, inspector.getThread(puppet.pid));
    return { fds: want?.fds.size ?? 0, wrong, drops: source.stats().drops };
  } finally {
    await source.close();
    await puppet.end();
    rmSync(place, { recursive: true });
  }
}

/** Works off events until the state knows the process under that name. */
async function knows(machine: Machine, pid: number, comm: string): Promise<boolean> {
  for (let i = 0; i < 1000; i++) {
    await watch(machine, Bun.sleep(20));
    if (machine.inspector.getThread(pid)?.comm === comm) return true;
  }
  return false;
}

describe.skipIf(reason !== null)(`state of a live capture (${reason ?? "root"})`, () => {
  for (let i = 1; i <= 3; i++) {
    test(`is that of /proc after a start amid changes (${i})`, async () => {
      const { threads, fds, wrong, drops } = await race();
      expect(drops).toBe(0);
      expect(threads).toBeGreaterThan(4);
      expect(fds).toBeGreaterThan(50);
      expect(wrong).toEqual([]);
    });
  }

  // As if the host's root were elsewhere: iterators do not serve there.
  for (const [way, root] of [
    ["iterators", undefined],
    ["/proc", "/."],
  ]) {
    test(`is that of /proc after a start under hammer blows (${way})`, async () => {
      if (root !== undefined) process.env["HOST_ROOT"] = root;
      try {
        for (let i = 0; i < 3; i++) {
          const { fds, wrong, drops } = await hammered();
          expect(drops).toBe(0);
          expect(fds).toBeGreaterThan(10);
          expect(wrong).toEqual([]);
        }
      } finally {
        delete process.env["HOST_ROOT"];
      }
    });
  }

  test("heals from /proc when clone and execve events are missing", async () => {
    // As after a loss of just these: the process is met at its calls of read.
    const machine = await openMachine({ syscalls: [SC.read] });
    const shell = new Puppet("sh", "-c", "read line; echo one; read line; exec cat");
    try {
      shell.goOn();
      await shell.says("one");
      expect(await knows(machine, shell.pid, "sh")).toBe(true);
      const [want] = familyOf(shell.pid).values();
      expect(differences(want as ProcThread, machine.inspector.getThread(shell.pid))).toEqual([]);
      shell.goOn();
      await Bun.sleep(100);
      machine.inspector.afterLoss();
      shell.goOn();
      expect(await knows(machine, shell.pid, "cat")).toBe(true);
      expect(machine.inspector.stats().healedThreads).toBeGreaterThan(1);
    } finally {
      await machine.source.close();
      await shell.end();
    }
  });
});
