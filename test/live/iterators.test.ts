// SPDX-License-Identifier: Apache-2.0
// The start-up state of the probe's iterators is that of /proc, process by process and descriptor by descriptor.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reasonForProc } from "../../lib/scap/iterators.ts";
import { openLive } from "../../lib/scap/live.ts";
import { scanMachine } from "../../lib/scap/proc_scan.ts";
import { FD_TYPE, type FdEntry, type InitialState, L4, type ProcessEntry } from "../../lib/scap/source.ts";
import { PATIENCE_MS } from "../support/falco.ts";
import { compile, Puppet, reasonToSkip } from "./support.ts";

setDefaultTimeout(PATIENCE_MS);

const reason = reasonToSkip() ?? reasonForProc();
let dir = "";
let place = "";
let zoo: Puppet;
/** Why the iterators did not serve; null when they did. */
let instead: string | null;
let iterated: InitialState;
let scanned: InitialState;
/** The processes of the zoo. */
let animals: Set<number>;

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/children`, "latin1").split(" "),
  );
  return [pid, ...children.filter((c) => c !== "").flatMap((c) => descendants(Number(c)))];
}

beforeAll(async () => {
  if (reason !== null) return;
  const built = compile("zoo.c");
  dir = built.dir;
  place = mkdtempSync(join(tmpdir(), "falco-zoo-"));
  chmodSync(place, 0o777);
  zoo = new Puppet(built.program, place, "title");
  await zoo.says("zoo");
  animals = new Set(descendants(zoo.pid));
  const source = await openLive({ syscalls: [] });
  instead = source.scan();
  iterated = source.state;
  scanned = scanMachine(() => source.now()).state;
  await source.close();
});

afterAll(async () => {
  await zoo?.end();
  for (const made of [dir, place]) if (made !== "") rmSync(made, { recursive: true });
});

/** ns by which /proc, which counts in hundredths of a second, may be off: start times, also by when it asks how late it is. */
const TICKS_NS = 30_000_000n;

/** Keys of processes of which /proc tells something else: memory as it is counted, and layers, of which it knows nothing. */
const OTHER = ["readTs", "vmRssKb", "exeUpperLayer", "exeLowerLayer"];

function differences(want: ProcessEntry, got: ProcessEntry | undefined): string[] {
  if (got === undefined) return [`${want.comm} ${want.tid} is not there`];
  const out: string[] = [];
  for (const key of Object.keys(want) as (keyof ProcessEntry)[]) {
    const [w, g] = [want[key], got[key]];
    if (OTHER.includes(key)) continue;
    const off = typeof w === "bigint" && typeof g === "bigint" ? w - g : 0n;
    if (key === "startTime" || key === "pidnsInitStart" ? off < TICKS_NS && off > -TICKS_NS : Bun.deepEquals(w, g))
      continue;
    out.push(`${want.comm} ${want.tid}: ${key} is ${w}, the iterators say ${g}`);
  }
  return out;
}

/** A socket that is in none of the tables in /proc/net; of those that nobody has used the iterators tell the kind. */
function isUnused(f: FdEntry): boolean {
  return f.type === FD_TYPE.UNSUPPORTED && f.name.startsWith("socket:");
}

function show(value: object): string {
  return JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
}

function fdDifferences(who: number, want: readonly FdEntry[], got: readonly FdEntry[]): string[] {
  const out: string[] = [];
  const found = new Map(got.map((f) => [f.fd, f]));
  for (const w of want) {
    const g = found.get(w.fd);
    found.delete(w.fd);
    // The kernel hides its addresses in /proc/net/unix.
    const { readTs: _w, unixSource: _ws, unixPeer: _wp, ...told } = w;
    const { readTs: _g, unixSource: _gs, unixPeer: _gp, ...also } = g ?? w;
    if (isUnused(w) && g !== undefined && !isUnused(g)) continue;
    if (g === undefined || !Bun.deepEquals(told, also)) out.push(`${who}: ${show(told)} is ${g && show(also)}`);
  }
  for (const g of found.values()) out.push(`${who}: ${g.fd} ${g.name} is in the iterators only`);
  return out;
}

function allFds(state: InitialState): FdEntry[] {
  return [...state.fds].flatMap(([pid, list]) => (animals.has(pid) ? list : []));
}

describe.skipIf(reason !== null)(`iterators (${reason ?? "root"})`, () => {
  test("are what the state was read from", () => {
    expect(instead).toBeNull();
  });

  test("give the processes and threads that /proc gives", () => {
    const got = new Map(iterated.processes.map((p) => [p.tid, p]));
    const want = scanned.processes.filter((p) => animals.has(p.pid));
    expect(animals.size).toBeGreaterThan(12);
    expect(want.length).toBeGreaterThan(animals.size);
    expect(want.flatMap((p) => differences(p, got.get(p.tid)))).toEqual([]);
    expect(iterated.processes.filter((p) => animals.has(p.pid))).toHaveLength(want.length);
  });

  test("give the descriptors that /proc gives", () => {
    const wrong = [...animals].flatMap((pid) =>
      fdDifferences(pid, scanned.fds.get(pid) ?? [], iterated.fds.get(pid) ?? []),
    );
    expect(wrong).toEqual([]);
    expect(allFds(scanned).filter(isUnused)).toHaveLength(3);
    expect(allFds(iterated).filter(isUnused)).toEqual([]);
    expect(new Set(allFds(iterated).map((f) => f.type))).toEqual(
      new Set([
        FD_TYPE.FILE_V2,
        FD_TYPE.DIRECTORY,
        FD_TYPE.FIFO,
        FD_TYPE.EVENT,
        FD_TYPE.TIMERFD,
        FD_TYPE.SIGNALFD,
        FD_TYPE.EVENTPOLL,
        FD_TYPE.INOTIFY,
        FD_TYPE.PIDFD,
        FD_TYPE.MEMFD,
        FD_TYPE.IPV4_SOCK,
        FD_TYPE.IPV4_SERVSOCK,
        FD_TYPE.IPV6_SOCK,
        FD_TYPE.IPV6_SERVSOCK,
        FD_TYPE.UNIX_SOCK,
        FD_TYPE.NETLINK,
      ]),
    );
    expect(allFds(iterated).some((f) => f.l4proto === L4.RAW)).toBe(true);
  });

  test("know a file by its inode when its path is too long to be told", () => {
    const [far, ...others] = allFds(iterated).filter((f) => f.type === FD_TYPE.FILE_V2 && f.name === "");
    expect(others).toEqual([]);
    expect(far?.ino).toBeGreaterThan(0n);
  });

  test("tell both ends of unix sockets, and when each descriptor was seen", () => {
    const unix = allFds(iterated).filter((f) => f.type === FD_TYPE.UNIX_SOCK);
    const addresses = new Set(unix.map((f) => f.unixSource));
    expect(unix.filter((f) => addresses.has(f.unixPeer)).length).toBeGreaterThan(4);
    const times = allFds(iterated).map((f) => f.readTs ?? Number.NaN);
    expect(times.every((ts) => ts > 0)).toBe(true);
  });

  test("give way to /proc when they are not wanted", async () => {
    const source = await openLive({ syscalls: [], iterators: false });
    expect(source.scan()).toContain("not wanted");
    expect(source.state.processes.some((p) => p.pid === zoo.pid)).toBe(true);
    await source.close();
  });

  test("give way to /proc when the host's root is elsewhere", async () => {
    process.env["HOST_ROOT"] = "/.";
    const source = await openLive({ syscalls: [] });
    try {
      expect(source.scan()).toContain("HOST_ROOT");
      expect(source.state.processes.some((p) => p.pid === zoo.pid)).toBe(true);
    } finally {
      delete process.env["HOST_ROOT"];
      await source.close();
    }
  });
});
