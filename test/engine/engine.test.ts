// SPDX-License-Identifier: Apache-2.0
// The loop: counting, limits, stopping, crowded outputs, sections, errors of the source, other rules while it runs.
import { describe, expect, test } from "bun:test";
import { type Detection, Engine, type EngineOptions, type MatchedRule } from "../../lib/engine/engine.ts";
import { Statistics } from "../../lib/engine/statistics.ts";
import { Outputs } from "../../lib/outputs/outputs.ts";
import { NEXT } from "../../lib/scap/source.ts";
import { Inspector } from "../../lib/sinsp/inspector.ts";
import { alert, FakeOutput, TEXT_STYLE } from "../outputs/helpers.ts";
import { type EventSpec, emptyState, MemorySource, processEntry } from "../support/events.ts";

const RULES: MatchedRule[] = [
  { index: 0, name: "even", priority: 4 },
  { index: 1, name: "all", priority: 6 },
];

/** Rules "even" (events of even number) and "all". */
function detection(): Detection {
  const hits: MatchedRule[] = [];
  return {
    matcher: {
      hits,
      match(ctx) {
        hits.length = 0;
        if (ctx.ev.num % 2 === 0) hits.push(RULES[0] as MatchedRule);
        hits.push(RULES[1] as MatchedRule);
        return hits.length;
      },
    },
    alert: (rule, ctx) => alert({ rule: rule.name, priority: rule.priority, message: `${rule.name} ${ctx.ev.num}` }),
  };
}

function events(n: number, stepNs = 1000): EventSpec[] {
  return Array.from({ length: n }, (_, i) => ({
    type: "GETCWD_X" as const,
    params: [0],
    tid: 100,
    ts: (i + 1) * stepNs,
  }));
}

const STATE = emptyState({ processes: [processEntry({ tid: 100 })] });

function setup(over: Partial<EngineOptions> = {}, capacity = 0) {
  const output = new FakeOutput();
  const statistics = new Statistics();
  const outputs = new Outputs([output], {
    style: TEXT_STYLE,
    capacity,
    timeoutMs: 10_000,
    buffered: false,
    patient: true,
    rate: 0,
    maxBurst: 1,
    report: (text) => {
      throw new Error(text);
    },
  });
  const engine = new Engine({ detection: detection(), outputs, statistics, ...over });
  return { output, statistics, outputs, engine };
}

const source = (list: EventSpec[], kind: "file" | "live" = "file"): MemorySource =>
  new MemorySource([{ state: STATE, events: list }], kind);

describe("Engine", () => {
  test("runs every event through the rules and counts", async () => {
    const { engine, statistics, outputs, output } = setup();
    await engine.run(new Inspector(source(events(10))));
    await outputs.close();
    expect(statistics.events).toBe(10);
    expect(statistics.matches).toBe(15);
    expect(output.lines).toHaveLength(15);
    expect(output.lines[1]).toEndWith(": Warning even 2");
  });

  test("goes on across the sections of a concatenated capture", async () => {
    const { engine, statistics } = setup();
    const part = { state: STATE, events: events(3) };
    await engine.run(new Inspector(new MemorySource([part, part, part])));
    expect(statistics.events).toBe(9);
  });

  test("does not show hidden events to the rules", async () => {
    const { engine, statistics } = setup();
    await engine.run(new Inspector(source([...events(2), { type: "GETCWD_X", params: [0], flags: 1 }])));
    expect(statistics.events).toBe(2);
  });

  test("stops after maxEvents, over several files", async () => {
    const { engine, statistics } = setup({ maxEvents: 5 });
    await engine.run(new Inspector(source(events(3))));
    expect(engine.stopped).toBe(false);
    await engine.run(new Inspector(source(events(3))));
    expect(engine.stopped).toBe(true);
    expect(statistics.events).toBe(5);
  });

  test("stops after maxSeconds of the events' time", async () => {
    const { engine, statistics } = setup({ maxSeconds: 2 });
    await engine.run(new Inspector(source(events(10, 1e9))));
    expect(statistics.events).toBe(2);
    expect(engine.stopped).toBe(true);
  });

  test("loses nothing when a small queue drains in time", async () => {
    const { engine, output, outputs } = setup({}, 1);
    await engine.run(new Inspector(source(events(100))));
    await outputs.close();
    expect(output.lines).toHaveLength(150);
  });

  test("stops when told, even while it waits for a live source", async () => {
    const { engine, statistics } = setup();
    const live = source(events(3), "live");
    const next = live.next.bind(live);
    live.next = () => {
      const code = next();
      return code === NEXT.END ? NEXT.IDLE : code;
    };
    live.more = () => new Promise(() => {});
    const running = engine.run(new Inspector(live));
    await Bun.sleep(0);
    engine.stop();
    await running;
    expect(statistics.events).toBe(3);
  });

  test("lets signals and timers have their turn while events flow", async () => {
    const { engine, statistics } = setup();
    const endless = source([]);
    const one = source(events(1));
    one.next();
    Object.assign(endless.cursor, one.cursor);
    endless.next = () => NEXT.EVENT;
    setTimeout(() => engine.stop(), 1);
    const quiet: Detection = { ...detection(), matcher: { hits: [], match: () => 0 } };
    engine.replace(quiet);
    await engine.run(new Inspector(endless));
    expect(statistics.events).toBeGreaterThan(1000);
  });

  test("hands on an error of the source after all events before it", async () => {
    const { engine, statistics, outputs, output } = setup();
    const broken = source(events(4));
    const next = broken.next.bind(broken);
    broken.next = () => {
      const code = next();
      return code === NEXT.END ? NEXT.IDLE : code;
    };
    broken.more = () => Promise.reject(new Error("cut at byte 100"));
    expect(engine.run(new Inspector(broken))).rejects.toThrow("cut at byte 100");
    await Bun.sleep(0);
    await outputs.close();
    expect(statistics.events).toBe(4);
    expect(output.lines).toHaveLength(6);
  });

  test("takes other rules while it runs", async () => {
    const { engine, statistics } = setup({ maxEvents: 4 });
    await engine.run(new Inspector(source(events(2))));
    engine.replace({ ...detection(), matcher: { hits: [], match: () => 0 } });
    await engine.run(new Inspector(source(events(2))));
    expect(statistics.matches).toBe(3);
  });
});

describe("Statistics", () => {
  test("print the summary as Falco does", () => {
    const s = new Statistics();
    for (const name of ["b", "b", "a"]) s.match({ name, priority: name === "b" ? 4 : 6 });
    s.match({ name: "x", priority: 0 });
    expect(s.summary(["a", "never", "b"])).toBe(
      "Events detected: 4\nRule counts by severity:\n   EMERGENCY: 1\n   WARNING: 2\n   INFO: 1\n" +
        "Triggered rules by rule name:\n   a: 1\n   b: 2\n   x: 1\n",
    );
  });

  test("print the summary of a run without matches", () => {
    expect(new Statistics().summary(["a"])).toBe(
      "Events detected: 0\nRule counts by severity:\nTriggered rules by rule name:\n",
    );
  });
});
