// SPDX-License-Identifier: Apache-2.0
// The benchmarks: what is run, what it is compared with, and what it must reach.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/shared.ts";
import { LARGE, largeCapture } from "./captures.ts";
import { ruleEntries } from "./rules.ts";

/** A command and what it counts. */
export interface Task {
  argv: string[];
  /** File removed after each run. */
  writes?: string;
  /** Number of events, when the command does not print it as its last word. */
  events?: number;
}

export interface Entry {
  name: string;
  about: string;
  /** Makes what is needed and gives the command of ours; it prints the number of events as its last word. */
  ours(): Promise<Task>;
  /** The same by another program; it is left out where that is not installed. */
  peer?: { program: string; task(): Promise<Task> };
  /** Least ratio of the peer's user CPU time to ours. */
  ratio?: number;
  /** Least million events per second of our user CPU time. */
  rate?: number;
  /** Most user CPU time of ours, in seconds. */
  seconds?: number;
  /** Most resident memory of ours, in MB. */
  memory?: number;
}

const WORK = join(import.meta.dir, "work.ts");
const BUILT = join(ROOT, "dist/falco");
const MAIN = join(ROOT, "cmd/main.ts");

/** The program as built, or from its sources when it is not. */
export function falco(...args: string[]): string[] {
  return existsSync(BUILT) ? [BUILT, ...args] : [process.execPath, MAIN, ...args];
}

/** A piece of work of work.ts in a process of its own. */
function work(...args: string[]): string[] {
  return [process.execPath, WORK, ...args];
}

const scratch = (name: string): string => join(ROOT, "build/bench", name);

/** Walks are so short that they take a larger file, lest starting up be what is measured. */
const WALK = 3 * LARGE;

async function sysdigWalk(compress: boolean): Promise<Task> {
  return { argv: ["sysdig", "-r", (await largeCapture("old", compress, WALK)).path, "evt.type=chroot"] };
}

const MEMORY = 120;

/** `capture -r` of a large old capture beside sysdig with the same words, both to nowhere. */
function view(name: string, about: string, words: readonly string[], ratio: number): Entry {
  const task = async (program: readonly string[]): Promise<Task> => {
    const { path, events } = await largeCapture("old", false, WALK);
    return { argv: ["sh", "-c", 'exec "$@" > /dev/null', "sh", ...program, "-r", path, ...words], events };
  };
  return {
    name,
    about,
    ours: () => task(falco("capture")),
    peer: { program: "sysdig", task: () => task(["sysdig"]) },
    ratio,
    memory: 150,
  };
}

export const ENTRIES: readonly Entry[] = [
  {
    name: "walk",
    about: "every event of a plain file checked and visited",
    ours: async () => ({ argv: work("walk", (await largeCapture("new", false, WALK)).path) }),
    rate: 20,
    memory: MEMORY,
  },
  {
    name: "walk-old",
    about: "the same on an old capture, as recorded; peer: evt.type=chroot",
    ours: async () => ({ argv: work("walk", (await largeCapture("old", false, WALK)).path) }),
    peer: { program: "sysdig", task: () => sysdigWalk(false) },
    ratio: 5,
    rate: 20,
    memory: MEMORY,
  },
  {
    name: "convert-old",
    about: "the same with every event brought to the current schema",
    ours: async () => ({ argv: work("convert", (await largeCapture("old", false, WALK)).path) }),
    peer: { program: "sysdig", task: () => sysdigWalk(false) },
    memory: MEMORY,
  },
  {
    name: "walk-gzip",
    about: "an old capture through gzip; peer: evt.type=chroot",
    ours: async () => ({ argv: work("walk", (await largeCapture("old", true, WALK)).path) }),
    peer: { program: "sysdig", task: () => sysdigWalk(true) },
    memory: MEMORY,
  },
  {
    name: "copy",
    about: "capture -r A -w B",
    ours: async () => {
      const to = scratch("copy.scap");
      return { argv: falco("capture", "-r", (await largeCapture("old")).path, "-w", to), writes: to };
    },
    peer: {
      program: "sysdig",
      task: async () => {
        const to = scratch("copy-peer.scap");
        return { argv: ["sysdig", "-r", (await largeCapture("old")).path, "-w", to], writes: to };
      },
    },
    ratio: 3,
    memory: MEMORY,
  },
  {
    name: "copy-gzip",
    about: "capture -r A -w B -z",
    ours: async () => {
      const to = scratch("copy.scap.gz");
      return { argv: falco("capture", "-r", (await largeCapture("old")).path, "-z", "-w", to), writes: to };
    },
    peer: {
      program: "sysdig",
      task: async () => {
        const to = scratch("copy-peer.scap.gz");
        return { argv: ["sysdig", "-r", (await largeCapture("old")).path, "-z", "-w", to], writes: to };
      },
    },
    memory: MEMORY,
  },
  view("filter-type", "an old capture through evt.type=execve", ["evt.type=execve"], 3),
  view("filter-name", "the same through proc.name=zzz", ["proc.name=zzz"], 3),
  view("lines", "default lines of an old capture", [], 4),
  view("json", "the same with -j", ["-j"], 6),
  view("format", "the same with a format of three fields", ["-p", "%evt.num %proc.name %evt.type"], 4),
  ...ruleEntries(falco, scratch),
];
