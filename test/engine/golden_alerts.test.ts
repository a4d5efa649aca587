// SPDX-License-Identifier: Apache-2.0
// Alerts of the oracle rules on every reference capture, equal to the reference's field by field, in both matching modes.
import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { loadConfig } from "../../lib/config/config.ts";
import { AppendOutput } from "../../lib/engine/append_output.ts";
import { makeDetection } from "../../lib/engine/detection.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { alertStyle } from "../../lib/engine/output_list.ts";
import { Statistics } from "../../lib/engine/statistics.ts";
import { Outputs } from "../../lib/outputs/outputs.ts";
import { loadRules } from "../../lib/rules/loader.ts";
import { compileRuleset } from "../../lib/rules/ruleset.ts";
import { ScapFormatError } from "../../lib/scap/errors.ts";
import { openCapture } from "../../lib/scap/reader.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { FakeOutput } from "../outputs/helpers.ts";
import { sharedPath, sharedTest } from "../support/shared.ts";

type Mode = "all" | "first";

const CAPTURES = [
  "concat",
  "events",
  "fds",
  "files",
  "intrusion",
  "mixed",
  "mounts",
  "net4",
  "net6",
  "sched",
  "snap4096",
  "suspicious",
  "trunc-event",
  "trunc-gzip",
  "users",
];

/**
 * Where ours is right and the reference is not: capture, number of the rule, clock time of the event. "ours" has no
 * counterpart there, "theirs" none here; "both" differ in a value. The reasons stand in the tests' names below.
 */
const UID_MINUS_ONE = "set*id with −1 leaves an id as it is; the reference stores 4294967295";
const UNKNOWN_PATH = "the reference lost a directory that the capture shows";
const FD_TYPES = "fd.types has a value at execve";
const LENGTH = "%len(…) prints a number; the reference has <NA> for it in outputs";
const ADDRESSES = "a connected socket keeps its own address; mapped addresses are named";

const DIFFERENCES: readonly (readonly [
  capture: string,
  rule: string,
  time: string,
  kind: "both" | "ours" | "theirs",
  why: string,
])[] = [
  ["users", "L01", "07:21:43.545699807", "both", UID_MINUS_ONE],
  ["intrusion", "L30", "07:19:16.364740763", "both", UID_MINUS_ONE],
  ["intrusion", "L30", "07:19:16.479237989", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:43.209204264", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:43.317447381", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:43.372161330", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:43.389228710", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:45.463505657", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:45.474886700", "both", UID_MINUS_ONE],
  ["users", "L30", "07:21:47.987548703", "both", UID_MINUS_ONE],
  ["intrusion", "L32", "07:19:16.383520781", "theirs", UID_MINUS_ONE],
  ["intrusion", "L32", "07:19:16.415359867", "theirs", UID_MINUS_ONE],
  ["intrusion", "L32", "07:19:16.424250960", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:43.225864590", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:43.264709470", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:43.276568953", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:47.850911455", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:47.906238891", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:47.913575154", "theirs", UID_MINUS_ONE],
  ["users", "L32", "07:21:47.987452346", "theirs", UID_MINUS_ONE],
  ["files", "L36", "07:26:36.193671568", "both", UNKNOWN_PATH],
  ["suspicious", "L55", "07:32:11.924170985", "both", UNKNOWN_PATH],
  ["intrusion", "L26", "07:19:10.518854193", "ours", FD_TYPES],
  ["suspicious", "L26", "07:32:38.408429949", "ours", FD_TYPES],
  ["suspicious", "L47", "07:32:18.565832891", "both", LENGTH],
  ["suspicious", "L47", "07:32:18.678356413", "both", LENGTH],
  ["suspicious", "L47", "07:32:18.959379232", "both", LENGTH],
  ["suspicious", "L47", "07:32:19.058557745", "both", LENGTH],
  ["net6", "L17", "07:25:30.321783157", "both", ADDRESSES],
  ["net6", "L18", "07:25:30.095588106", "both", ADDRESSES],
];

const config = (): ReturnType<typeof loadConfig> =>
  loadConfig({ file: sharedPath("golden", "falco_oracle.yaml"), env: {} });

/** Alert lines of a capture, as the program would write them. */
async function ourAlerts(capture: string, mode: Mode, interpret = false): Promise<string[]> {
  const rules = readFileSync(sharedPath("golden", "rules_oracle.yaml"), "utf8");
  const loaded = loadRules([{ name: "rules_oracle.yaml", content: rules }]);
  expect(loaded.successful).toBe(true);
  const append = new AppendOutput(config());
  const ruleset = compileRuleset(loaded, { matching: mode, interpret, appendOutput: (rule) => append.text(rule) });
  const output = new FakeOutput();
  const style = alertStyle(config());
  const outputs = new Outputs([output], {
    style,
    capacity: 0,
    timeoutMs: 60_000,
    buffered: false,
    patient: true,
    rate: 0,
    maxBurst: 1,
    report: (text) => {
      throw new Error(text);
    },
  });
  const detection = makeDetection(ruleset, append, style, "guest");
  const engine = new Engine({ detection, outputs, statistics: new Statistics() });
  const path = [sharedPath("golden", `${capture}.scap.gz`), sharedPath("golden", `${capture}.scap`)].find(existsSync);
  const source = await openCapture(path ?? "");
  try {
    await engine.run(new Inspector(source));
  } catch (error) {
    if (!(error instanceof ScapFormatError && capture.startsWith("trunc-"))) throw error;
  }
  await outputs.close();
  await source.close();
  return output.lines;
}

function referenceAlerts(capture: string, mode: Mode): string[] {
  const path = sharedPath("golden", `${capture}.alerts${mode === "first" ? "-first" : ""}.jsonl`);
  const text = existsSync(path) ? readFileSync(path, "utf8") : gunzipSync(readFileSync(`${path}.gz`)).toString("utf8");
  return text.split("\n").filter((line) => line !== "");
}

/** "L01 07:21:43.545699807" of an alert line. */
function keyOf(line: string): string {
  const alert = JSON.parse(line) as { rule: string; time: string };
  return `${alert.rule.slice(0, 3)} ${alert.time.slice(11, -1)}`;
}

/** What is in `a` more often than in `b`. */
function surplus(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of b) left.set(line, (left.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const n = left.get(line) ?? 0;
    left.set(line, n - 1);
    return n <= 0;
  });
}

const known = (capture: string, side: "ours" | "theirs"): string[] =>
  DIFFERENCES.filter(([c, , , kind]) => c === capture && (kind === "both" || kind === side)).map(
    ([, rule, time]) => `${rule} ${time}`,
  );

for (const capture of CAPTURES) {
  sharedTest(`${capture}: alerts of all rules equal the reference's, except where that is wrong`, async () => {
    const ours = await ourAlerts(capture, "all");
    const theirs = referenceAlerts(capture, "all");
    expect(surplus(theirs, ours).map(keyOf).sort()).toEqual(known(capture, "theirs").sort());
    expect(surplus(ours, theirs).map(keyOf).sort()).toEqual(known(capture, "ours").sort());
  });

  sharedTest(`${capture}: the interpreter gives the same alerts as the compiled rules`, async () => {
    for (const mode of ["all", "first"] as const) {
      expect(await ourAlerts(capture, mode, true)).toEqual(await ourAlerts(capture, mode));
    }
  });

  // Which of several rules comes first there depends on addresses in memory; here it is the order in the file.
  sharedTest(`${capture}: with rule_matching first the alert is that of the first rule in file order`, async () => {
    const all = await ourAlerts(capture, "all");
    const byTime = new Map<string, string[]>();
    for (const line of all) {
      const time = keyOf(line).slice(4);
      byTime.set(time, [...(byTime.get(time) ?? []), line]);
    }
    const first = await ourAlerts(capture, "first");
    expect(first).toEqual([...byTime.values()].map((lines) => lines[0] ?? ""));
    const oddTimes = new Set(DIFFERENCES.filter(([c]) => c === capture).map(([, , time]) => time));
    const theirs = referenceAlerts(capture, "first").filter((line) => !oddTimes.has(keyOf(line).slice(4)));
    expect(surplus(theirs, all)).toEqual([]);
    const times = (lines: readonly string[]): string[] =>
      lines.map((l) => keyOf(l).slice(4)).filter((t) => !oddTimes.has(t));
    expect(times(first).sort()).toEqual(times(theirs).sort());
  });
}
