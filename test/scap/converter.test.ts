// SPDX-License-Identifier: Apache-2.0
// Events of older schemas come out in the current one, with what their enter events knew.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { ACTION, ANY_COUNT, AS_IS, conversionPlan } from "../../lib/schema/conversion.ts";
import { EVENT_FLAGS, EVENT_NPARAMS, EVENTS } from "../../lib/schema/events.ts";
import { CONVERTER_ROWS } from "../../lib/schema/tables/converter.ts";
import { EF, EV } from "../../lib/schema/tables/enums.ts";
import { type EventSpec, encodeEvent } from "../support/events.ts";
import { sharedPath, sharedTest } from "../support/shared.ts";
import { BASE_TIME, cat, eventBlock, machineInfo, readAll, type Seen, sectionHeader, write } from "./build.ts";

/** Records the events one microsecond apart, with only the parameters given, and reads them. */
async function convert(specs: readonly EventSpec[], asRecorded = false): Promise<Seen[]> {
  const blocks = specs.map((s, i) => eventBlock(encodeEvent({ short: true, ...s }, BASE_TIME + BigInt(i * 1000))));
  const { events, error } = await readAll(write(sectionHeader(), machineInfo(), ...blocks), { asRecorded });
  expect(error).toBeNull();
  return events;
}

const i64 = (v: number): string => {
  const b = Buffer.alloc(8);
  b.writeBigInt64LE(BigInt(v));
  return b.latin1Slice();
};
const u32 = (v: number): string => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(v);
  return b.latin1Slice();
};

describe("conversion", () => {
  test("an exit event takes its missing parameters from the thread's enter event", async () => {
    const events = await convert([
      { type: "READ_E", params: [7, 512], tid: 10 },
      { type: "READ_E", params: [8, 99], tid: 11 },
      { type: "READ_X", params: [4, "data"], tid: 10 },
    ]);
    expect(events.map((e) => [e.num, e.type, e.legacyEnter])).toEqual([
      [1, EV.READ_E, true],
      [2, EV.READ_E, true],
      [3, EV.READ_X, false],
    ]);
    expect(events[2]?.params).toEqual([i64(4), "data", i64(7), u32(512)]);
  });

  test("without a matching enter event, defaults stand in", async () => {
    const events = await convert([
      { type: "WRITE_E", params: [7, 512], tid: 10 },
      { type: "READ_X", params: [4, "data"], tid: 10 },
      { type: "GENERIC_X", params: [5], tid: 12 },
    ]);
    expect(events[1]?.params).toEqual([i64(4), "data", i64(0), u32(0)]);
    expect(events[2]?.params).toEqual(["\x05\0", ""]);
  });

  test("chains of rules are followed to the end, with the type that was recorded at hand", async () => {
    const old = ["x", "y", 1, 2, 3, "c", 4, 5] as const;
    const [enter, exit] = await convert([
      { type: "EXECVE_8_E", params: [], tid: 10 },
      { type: "EXECVE_8_X", params: [0, ...old.slice(0, 7)], tid: 10 },
    ]);
    expect(enter).toMatchObject({ type: EV.EXECVE_19_E, recordedType: EV.EXECVE_8_E, legacyEnter: false });
    expect(exit).toMatchObject({ type: EV.EXECVE_19_X, recordedType: EV.EXECVE_8_X });
    expect(exit?.params.length).toBe(EVENT_NPARAMS[EV.EXECVE_19_X] as number);
  });

  test("an enter event that the current schema still has goes on and is drawn from", async () => {
    const addr = "\x02\x7f\0\0\x01\x50\0";
    const events = await convert([
      { type: "CONNECT_E", params: [5, addr], tid: 10 },
      { type: "CONNECT_X", params: [0, ""], tid: 10 },
    ]);
    expect(events[0]).toMatchObject({ type: EV.CONNECT_E, legacyEnter: false });
    expect(events[1]?.params.slice(0, 3)).toEqual([i64(0), "", i64(5)]);
  });

  test("an old container event becomes its JSON text", async () => {
    const [e] = await convert([{ type: "CONTAINER_E", params: ['id"1', 1, "näme\xff", "image"], tid: -1 }]);
    expect(e).toMatchObject({ type: EV.CONTAINER_JSON_2_E, recordedType: EV.CONTAINER_E });
    const json = e?.params[0] ?? "";
    expect(json.endsWith("\0")).toBe(true);
    const { container } = JSON.parse(Buffer.from(json.slice(0, -1), "latin1").toString("utf8")) as {
      container: Record<string, unknown>;
    };
    expect(container).toMatchObject({ id: 'id"1', type: 1, image: "image" });
  });

  test("asRecorded leaves events as they are", async () => {
    const events = await convert(
      [
        { type: "READ_E", params: [7, 512] },
        { type: "READ_X", params: [4, "data"] },
      ],
      true,
    );
    expect(events.map((e) => [e.params.length, e.legacyEnter])).toEqual([
      [2, false],
      [2, false],
    ]);
  });

  test("enter events of very many threads stay within bounds and the latest are found", async () => {
    const n = 70_000;
    const specs: EventSpec[] = [];
    for (let i = 0; i < n; i++) specs.push({ type: "READ_E", params: [i, 1], tid: i });
    for (const tid of [n - 1, 100]) specs.push({ type: "READ_X", params: [0, ""], tid });
    const last = (await convert(specs)).slice(-2);
    expect(last.map((e) => e.params[2])).toEqual([i64(n - 1), i64(0)]);
  });

  test("a new section forgets enter events", async () => {
    const head = cat(sectionHeader(), machineInfo());
    const enter = eventBlock(encodeEvent({ type: "READ_E", params: [7, 512], tid: 10, short: true }, BASE_TIME));
    const exit = eventBlock(encodeEvent({ type: "READ_X", params: [4, "data"], tid: 10, short: true }, BASE_TIME));
    const { events } = await readAll(write(head, enter, exit, enter, head, exit));
    expect(events.map((e) => e.params[2])).toEqual([undefined, i64(7), undefined, i64(0)]);
  });
});

describe("conversionPlan()", () => {
  test("ends for every type and number of parameters, in types of the current schema", () => {
    for (const e of EVENTS) {
      for (let n = 0; n <= 32; n++) {
        const plan = conversionPlan(e.id, n);
        if (plan.action !== ACTION.PASS && plan.action !== ACTION.KEEP_AND_PASS) continue;
        if (plan.params === null) continue;
        expect(plan.params.length).toBe(EVENT_NPARAMS[plan.type] as number);
        const flags = EVENT_FLAGS[plan.type] as number;
        expect(flags & EF.OLD_VERSION && plan.type & 1).toBe(0);
      }
    }
  });

  test("every rule of the table is used", () => {
    for (const [type, nparams, action] of CONVERTER_ROWS) {
      const plan = conversionPlan(type, nparams);
      if (action === "store") expect(plan.action).toBe(ACTION.KEEP);
      else if (action === "pass") expect(plan).toMatchObject({ action: ACTION.PASS, params: null });
      else if (action === "store_and_pass") expect(plan.action).toBe(ACTION.KEEP_AND_PASS);
      else expect(plan.params).not.toBeNull();
    }
  });

  test("AS_IS says of every type and count what the plans say", () => {
    for (const e of EVENTS) {
      for (let n = 0; n <= 32; n++) {
        const plan = conversionPlan(e.id, n);
        const passes = plan.action === ACTION.PASS && plan.params === null;
        const asIs = AS_IS[e.id];
        if (asIs === ANY_COUNT || asIs === n) expect([e.key, n, passes]).toEqual([e.key, n, true]);
        // Counts that no version had pass too, by way of their plan.
        else if (passes) expect(n > e.params.length || e.flags & EF.OLD_VERSION || n < e.params.length).toBeTruthy();
      }
    }
  });

  test("events of the current schema pass as they are", () => {
    for (const e of EVENTS) {
      if (e.flags & (EF.OLD_VERSION | EF.UNUSED)) continue;
      const asIs = AS_IS[e.id];
      const keeps = conversionPlan(e.id, e.params.length).action === ACTION.KEEP_AND_PASS;
      if (!keeps) expect([e.key, asIs === ANY_COUNT || asIs === e.params.length]).toEqual([e.key, true]);
    }
  });
});

const CAPTURES = ["captures"].flatMap((dir) => {
  try {
    return readdirSync(sharedPath(dir)).filter((f) => f.endsWith(".scap"));
  } catch {
    return [];
  }
});

for (const name of CAPTURES) {
  sharedTest(
    `${name}: every exit event comes out in the current schema with its enter event's descriptor`,
    async () => {
      const { events, error } = await readAll(sharedPath("captures", name));
      expect(error).toBeNull();
      const enterFd = new Map<number, string | undefined>();
      let compared = 0;
      for (const e of events) {
        if (e.legacyEnter) {
          expect(e.type & 1).toBe(0);
          enterFd.set(e.tid, e.type === EV.READ_E || e.type === EV.WRITE_E ? e.params[0] : undefined);
          continue;
        }
        if ((e.type & 1) === 0) continue;
        expect([EVENTS[e.type]?.key, (EVENT_FLAGS[e.type] as number) & EF.OLD_VERSION]).toEqual([
          EVENTS[e.type]?.key,
          0,
        ]);
        const fd = enterFd.get(e.tid);
        if ((e.type === EV.READ_X || e.type === EV.WRITE_X) && fd !== undefined) {
          expect(e.params[2]).toBe(fd);
          compared++;
        }
        enterFd.delete(e.tid);
      }
      if (name === "falco_run_as_user_0_container.scap") expect(compared).toBeGreaterThan(200);
    },
  );
}
