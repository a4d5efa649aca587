// SPDX-License-Identifier: Apache-2.0
// Shows how far lines and field values agree with the reference: bun test/golden/main.ts lines|fields [NAME,…] [EXAMPLES]
import { type Comparison, compareFields, compareLines, type Difference, goldenNames } from "./golden.ts";

/** What a differing line is about: event name and first differing parameter. */
function lineTopic(d: Difference): string {
  const ours = d.ours.split(" ");
  const theirs = d.theirs.split(" ");
  let i = 0;
  while (i < ours.length && ours[i] === theirs[i]) i++;
  const event = (d.theirs.split(") ")[1] ?? "").split(" ")[0] ?? "";
  return `${event} ${(theirs[i] ?? "").split("=")[0]}`;
}

interface Topic {
  count: number;
  examples: string[];
}

function collect(topics: Map<string, Topic>, key: string, name: string, d: Difference, most: number): void {
  const topic = topics.get(key) ?? { count: 0, examples: [] };
  topics.set(key, topic);
  topic.count++;
  if (topic.examples.length < most) {
    topic.examples.push(
      `   ${name} ${d.event}\n      ours   ${d.ours.slice(0, 1000)}\n      theirs ${d.theirs.slice(0, 1000)}`,
    );
  }
}

function show(title: string, topics: Map<string, Topic>): void {
  console.log(title);
  for (const [key, { count, examples }] of [...topics].sort((a, b) => b[1].count - a[1].count)) {
    console.log(`== ${key} ${count}`);
    for (const e of examples) console.log(e);
  }
}

const [what = "lines", only = "all", examples = "2"] = process.argv.slice(2);
const names = only === "all" ? goldenNames() : only.split(",");
const differing = new Map<string, Topic>();
const surplus = new Map<string, Topic>();
let total = 0;
let equal = 0;
for (const name of names) {
  const r: Comparison & { absent?: Difference[] } =
    what === "lines" ? await compareLines(name) : await compareFields(name, 7);
  total += r.total;
  equal += r.equal;
  console.log(name, r.equal, r.total, `${((100 * r.equal) / r.total).toFixed(3)}%`);
  for (const d of r.differences)
    collect(differing, what === "lines" ? lineTopic(d) : d.what, name, d, Number(examples));
  for (const d of r.absent ?? []) collect(surplus, d.what, name, d, 1);
}
console.log("all", equal, total, `${((100 * equal) / total).toFixed(4)}%`);
show("differences:", differing);
if (surplus.size > 0) show("values that only we have:", surplus);
