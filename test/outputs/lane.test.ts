// SPDX-License-Identifier: Apache-2.0
// Queues in front of outputs: order, bounds, faults and what is said about them.
import { describe, expect, test } from "bun:test";
import { Lane, MAX_QUEUED_ALERTS, MAX_QUEUED_CHARS } from "../../lib/outputs/lane.ts";
import { OutputError } from "../../lib/outputs/output.ts";
import { Outputs, type OutputsOptions } from "../../lib/outputs/outputs.ts";
import { ProgramOutput } from "../../lib/outputs/program.ts";
import { TokenBucket } from "../../lib/outputs/token_bucket.ts";
import { alert, FakeOutput, messages, TEXT_STYLE } from "./helpers.ts";

function setup(options: { capacity?: number; timeoutMs?: number; patient?: boolean } = {}) {
  const output = new FakeOutput();
  const said: string[] = [];
  const report = (text: string): void => void said.push(text);
  const lane = new Lane(output, { capacity: 1000, timeoutMs: 10_000, patient: false, calmMs: 0, report, ...options });
  return { output, said, lane };
}

const fail =
  (reason: string, delivered = 0, final = false) =>
  async (): Promise<null> => {
    throw new OutputError("fake", reason, delivered, final);
  };

describe("Lane", () => {
  test("delivers everything in order and closes", async () => {
    const { output, said, lane } = setup();
    for (const m of messages(700)) lane.push(m);
    lane.drain();
    await lane.close();
    expect(output.lines).toEqual(messages(700).map((m) => m.line));
    expect(lane.stats()).toEqual({ name: "fake", sent: 700, lost: 0, queued: 0 });
    expect(said).toEqual([]);
    expect(output.closed).toBe(1);
  });

  test("counts what a full queue cannot take, says so once, and says when it is over", async () => {
    const { output, said, lane } = setup({ capacity: 10 });
    for (const m of messages(25)) lane.push(m);
    expect(lane.stats()).toEqual({ name: "fake", sent: 0, lost: 15, queued: 10 });
    await lane.flush(10_000);
    expect(said).toEqual([
      "output 'fake': is slower than the alerts come, its queue of 10 is full: alerts for it are lost",
      "output 'fake': works again; 15 alerts were lost",
    ]);
    expect(output.lines).toHaveLength(10);
    await lane.close();
  });

  test("takes the alerts of one event whole when the caller waits for room", () => {
    const { lane } = setup({ capacity: 2, patient: true });
    for (const m of messages(5)) lane.push(m);
    expect(lane.stats()).toMatchObject({ lost: 0, queued: 5 });
    expect(lane.waitWorthwhile).toBe(true);
  });

  test("bounds memory by the length of the lines as well", () => {
    const { lane } = setup({ capacity: MAX_QUEUED_ALERTS });
    const line = "x".repeat(1024 * 1024);
    for (let i = 0; i < 100; i++) lane.push({ priority: 4, line });
    expect(lane.queued).toBe(MAX_QUEUED_CHARS / line.length);
  });

  test("reports a failing output once per incident and goes on", async () => {
    const { output, said, lane } = setup();
    output.script = [fail("broken"), fail("broken differently", 1)];
    for (let i = 0; i < 3; i++) {
      for (const m of messages(2, `round${i}`)) lane.push(m);
      await lane.flush(10_000);
    }
    expect(said).toEqual([
      "output 'fake': broken; alerts for it are lost until that changes",
      "output 'fake': works again; 3 alerts were lost",
    ]);
    expect(output.lines).toEqual(["round2 0", "round2 1"]);
    expect(lane.stats()).toMatchObject({ sent: 3, lost: 3 });
    output.script = [fail("broken")];
    lane.push(messages(1)[0]!);
    await lane.flush(10_000);
    expect(said).toHaveLength(3);
    await lane.close();
    expect(said[3]).toBe("output 'fake': 1 alert was lost");
  });

  test("keeps a flapping output one incident", async () => {
    const output = new FakeOutput();
    const said: string[] = [];
    const lane = new Lane(output, {
      capacity: 9,
      timeoutMs: 10_000,
      patient: false,
      calmMs: 1e9,
      report: (t) => void said.push(t),
    });
    for (let i = 0; i < 6; i++) {
      output.script = i % 2 === 0 ? [fail("broken")] : [];
      lane.push(messages(1)[0]!);
      await lane.flush(10_000);
    }
    expect(said).toHaveLength(1);
    expect(lane.stats()).toMatchObject({ sent: 3, lost: 3 });
  });

  test("tells of a fault that cost nothing", async () => {
    const { output, said, lane } = setup();
    output.script = [async () => "it had ended and was started again"];
    lane.push(messages(1)[0]!);
    await lane.flush(10_000);
    expect(said).toEqual(["output 'fake': it had ended and was started again"]);
    expect(lane.stats()).toMatchObject({ sent: 1, lost: 0 });
  });

  test("gives up on an output that is gone for good", async () => {
    const { output, said, lane } = setup();
    output.script = [fail("is closed", 0, true)];
    for (const m of messages(600)) lane.push(m);
    await lane.flush(10_000);
    lane.push(messages(1)[0]!);
    lane.drain();
    expect(output.calls).toBe(1);
    expect(lane.stats()).toEqual({ name: "fake", sent: 0, lost: 601, queued: 0 });
    expect(said).toHaveLength(1);
    expect(lane.waitWorthwhile).toBe(false);
  });

  test("tells of a stuck output, stops waiting for it, and closes all the same", async () => {
    const { output, said, lane } = setup({ capacity: 300, timeoutMs: 20 });
    output.script = [() => new Promise<null>(() => {})];
    for (const m of messages(300)) lane.push(m);
    lane.drain();
    for (const m of messages(256)) lane.push(m);
    await lane.room();
    for (const m of messages(44)) lane.push(m);
    expect(said[0]).toBe("output 'fake': has taken nothing for 20 ms; alerts for it are lost once its queue is full");
    await lane.close();
    expect(output.abandoned).toBe(1);
    expect(lane.stats()).toEqual({ name: "fake", sent: 0, lost: 600, queued: 0 });
    expect(said[said.length - 1]).toBe("output 'fake': 600 alerts were lost");
  });

  test("opens the output anew between deliveries", async () => {
    const { output, lane } = setup();
    lane.push(messages(1)[0]!);
    lane.reopen();
    await lane.close();
    expect(output.reopened).toBe(1);
    expect(output.lines).toHaveLength(1);
  });
});

describe("Outputs", () => {
  function outputs(over: Partial<OutputsOptions> = {}, list: FakeOutput[] = [new FakeOutput()]) {
    const said: string[] = [];
    const all = new Outputs(list, {
      style: TEXT_STYLE,
      capacity: 0,
      timeoutMs: 10_000,
      buffered: false,
      patient: true,
      rate: 0,
      maxBurst: 1,
      report: (t) => void said.push(t),
      ...over,
    });
    return { all, list, said };
  }

  test("give every alert to every output", async () => {
    const { all, list } = outputs({}, [new FakeOutput(), new FakeOutput()]);
    all.emit(alert());
    await all.close();
    expect(list.map((o) => o.lines.length)).toEqual([1, 1]);
    expect(all.stats().alerts).toBe(1);
  });

  test("a broken output does not concern its neighbour", async () => {
    const { all, list } = outputs({}, [new FakeOutput(), new FakeOutput()]);
    list[0]!.script = Array.from({ length: 100 }, () => fail("broken"));
    for (let i = 0; i < 1000; i++) all.emit(alert());
    await all.close();
    expect(all.stats().lanes).toMatchObject([
      { sent: 0, lost: 1000 },
      { sent: 1000, lost: 0 },
    ]);
  });

  test("are crowded when a working output's queue is full, and have room again", async () => {
    const { all, list } = outputs({ capacity: 2 });
    for (let i = 0; i < 10; i++) {
      all.emit(alert());
      if (all.crowded) await all.room();
    }
    await all.close();
    expect(list[0]!.lines).toHaveLength(10);
    expect(all.stats().lanes[0]!.lost).toBe(0);
  });

  test("with buffered_outputs write nothing until much has gathered or the end", async () => {
    const { all, list } = outputs({ buffered: true });
    all.emit(alert());
    all.drain();
    await Bun.sleep(0);
    expect(list[0]!.calls).toBe(0);
    all.emit(alert({ message: "x".repeat(70_000) }));
    all.drain();
    await Bun.sleep(0);
    expect(list[0]!.lines).toHaveLength(2);
    all.emit(alert());
    await all.close();
    expect(list[0]!.lines).toHaveLength(3);
  });

  test("limit the rate in the events' own time and count what is held back", async () => {
    const { all, list } = outputs({ rate: 2, maxBurst: 3 });
    for (let i = 0; i < 5; i++) all.emit(alert());
    for (let i = 0; i < 5; i++) all.emit(alert({ time: alert().time + 1_000_000_000n }));
    await all.close();
    expect(list[0]!.lines).toHaveLength(5);
    expect(all.stats()).toMatchObject({ alerts: 5, limited: 5 });
  });

  test("lose alerts only by count when a real program hangs", async () => {
    const said: string[] = [];
    const stuck = new ProgramOutput({ program: "sleep 1000", keepAlive: true });
    const good = new FakeOutput();
    const all = new Outputs([stuck, good], {
      style: TEXT_STYLE,
      capacity: 100,
      timeoutMs: 50,
      buffered: false,
      patient: true,
      rate: 0,
      maxBurst: 1,
      report: (t) => void said.push(t),
    });
    const message = "x".repeat(5000);
    for (let i = 0; i < 2000; i++) {
      all.emit(alert({ message }));
      if (all.crowded) await all.room();
    }
    await all.close();
    const [program, fake] = all.stats().lanes;
    expect(fake).toMatchObject({ sent: 2000, lost: 0 });
    expect((program?.sent ?? 0) + (program?.lost ?? 0)).toBe(2000);
    expect(program?.lost).toBeGreaterThan(1000);
    expect(said[0]).toContain("output 'program': has taken nothing for 50 ms");
  });
});

test("TokenBucket ignores time that goes back", () => {
  const bucket = new TokenBucket(1, 1);
  expect([bucket.claim(10n ** 9n), bucket.claim(0n), bucket.claim(10n ** 9n), bucket.claim(2n * 10n ** 9n)]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
