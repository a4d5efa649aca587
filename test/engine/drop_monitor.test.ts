// SPDX-License-Identifier: Apache-2.0
// Drop detection: threshold, rate, actions, the alert's shape, silence.
import { describe, expect, test } from "bun:test";
import { DropMonitor, type DropOptions } from "../../lib/engine/drop_monitor.ts";
import { type Alert, renderAlert } from "../../lib/outputs/alert.ts";
import type { SourceStats } from "../../lib/scap/source.ts";
import { JSON_STYLE } from "../outputs/helpers.ts";

function stats(events: number, drops = 0, faults = 0): SourceStats {
  return {
    events,
    drops,
    dropsBuffer: drops,
    dropsByCategory: { open_exit: drops - faults, page_fault: faults },
    dropsMaxSize: 0,
    dropsBug: 0,
    preemptions: 0,
    suppressed: 0,
  };
}

function setup(over: Partial<DropOptions> = {}) {
  const said: string[] = [];
  const alerts: Alert[] = [];
  const exits: string[] = [];
  const monitor = new DropMonitor({
    threshold: 0.1,
    actions: ["log", "alert"],
    rate: 0.5,
    maxBurst: 1,
    simulate: false,
    maxTimeouts: 1000,
    hostname: "h",
    log: (t) => void said.push(t),
    emit: (a) => void alerts.push(a),
    exit: (t) => void exits.push(t),
    ...over,
  });
  let second = 0n;
  /** One look a second with the counters. */
  const look = (...args: Parameters<typeof stats>): boolean => monitor.look(stats(...args), ++second * 1_000_000_000n);
  return { monitor, said, alerts, exits, look };
}

describe("DropMonitor", () => {
  test("takes the actions when more than the threshold got lost in a second", () => {
    const { monitor, said, alerts, look } = setup();
    expect(look(100, 50)).toBe(false);
    expect(look(200, 50)).toBe(false);
    expect(look(300, 60)).toBe(true);
    expect(said).toEqual([]);
    expect(look(400, 80, 5)).toBe(true);
    expect(said).toEqual(["Falco internal: syscall event drop. 20 system calls dropped in last second."]);
    expect(JSON.parse(renderAlert(alerts[0] as Alert, JSON_STYLE))).toEqual({
      hostname: "h",
      output: "Falco internal: syscall event drop. 20 system calls dropped in last second.",
      output_fields: {
        ebpf_enabled: "1",
        n_drops: "20",
        n_drops_buffer_clone_fork_exit: "0",
        n_drops_buffer_close_exit: "0",
        n_drops_buffer_connect_exit: "0",
        n_drops_buffer_dir_file_exit: "0",
        n_drops_buffer_execve_exit: "0",
        n_drops_buffer_open_exit: "15",
        n_drops_buffer_other_interest_exit: "0",
        n_drops_buffer_proc_exit: "0",
        n_drops_buffer_total: "20",
        n_drops_bug: "0",
        n_drops_page_faults: "5",
        n_drops_scratch_map: "0",
        n_evts: "100",
      },
      priority: "Debug",
      rule: "Falco internal: syscall event drop",
      source: "internal",
      time: "1970-01-01T00:00:04.000000000Z",
    });
    expect(monitor.summary()).toBe(
      "Syscall event drop monitoring:\n   - event drop detected: 2 occurrences\n   - num times actions taken: 1\n",
    );
  });

  test("limits how often the actions are taken", () => {
    const { said, look } = setup();
    for (let i = 0; i < 8; i++) look(i * 100, i * 90);
    expect(said).toHaveLength(4);
  });

  test("can be told to ignore drops, or to end the run", () => {
    const quiet = setup({ actions: ["ignore"] });
    quiet.look(0);
    expect(quiet.look(10, 10)).toBe(true);
    expect([quiet.said, quiet.alerts]).toEqual([[], []]);
    const strict = setup({ actions: ["exit"] });
    strict.look(0);
    strict.look(10, 10);
    expect(strict.exits[0]).toStartWith("10 system calls were lost in one second");
  });

  test("pretends to lose events when asked, which is no loss of state", () => {
    const { said, look } = setup({ simulate: true, threshold: 0 });
    look(0);
    expect(look(10)).toBe(false);
    expect(said).toHaveLength(1);
  });

  test("tells when no events come for long, and again after as long", () => {
    const { said, alerts, look } = setup({ maxTimeouts: 60 });
    for (let i = 0; i < 6; i++) look(5);
    expect(said).toHaveLength(2);
    expect(said[0]).toBe("Falco internal: timeouts notification. 66 consecutive timeouts without event.");
    expect(alerts[0]?.rule).toBe("Falco internal: timeouts notification");
  });
});
