// SPDX-License-Identifier: Apache-2.0
// Benchmarks of rules: replaying large captures with the rules we ship, and loading many rules.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, sharedPath } from "../support/shared.ts";
import { largeCapture } from "./captures.ts";
import type { Entry, Task } from "./entries.ts";

const RULES = join(ROOT, "rules/falco_rules.yaml");
const MEMORY = 150;

/** The shipped rules followed by copies of them under other names, `count` rules in all. */
function manyRules(count: number): string {
  const text = readFileSync(RULES, "utf8");
  const rules = text.split(/^(?=- rule: )/m).slice(1);
  const copies: string[] = [];
  for (let i = rules.length; i < count; i++) {
    const rule = rules[i % rules.length] as string;
    copies.push(rule.replace(/^- rule: .*/, (line) => `${line.trimEnd()} (copy ${i})`));
  }
  return `${text}\n${copies.join("")}`;
}

/** `falco` makes the command line of the program, `scratch` the path of a temporary file. */
export function ruleEntries(falco: (...args: string[]) => string[], scratch: (name: string) => string): Entry[] {
  const replay = async (kind: string): Promise<Task> => {
    const { path, events } = await largeCapture(kind);
    return { argv: falco("replay", "-r", RULES, "-e", path), events };
  };
  const load = async (count: number): Promise<Task> => {
    const file = scratch(`${count}-rules.yaml`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, manyRules(count));
    return { argv: falco("replay", "-r", file, "-n", "1", "-e", sharedPath("golden", "files.scap.gz")), events: 0 };
  };
  return [
    {
      name: "replay-calm",
      about: "the shipped rules over events of which next to none concerns a rule",
      ours: () => replay("calm"),
      rate: 3,
      memory: MEMORY,
    },
    {
      name: "replay",
      about: "the shipped rules over all sorts of activity",
      ours: () => replay("new"),
      memory: MEMORY,
    },
    {
      name: "replay-busy",
      about: "the shipped rules over events half of which concern 15 rules and more",
      ours: () => replay("busy"),
      rate: 1,
      memory: MEMORY,
    },
    {
      name: "load-150",
      about: "150 rules until the first event",
      ours: () => load(150),
      seconds: 0.25,
      memory: MEMORY,
    },
    { name: "load-5000", about: "5000 rules until the first event", ours: () => load(5000), seconds: 3 },
  ];
}
