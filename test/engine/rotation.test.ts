// SPDX-License-Identifier: Apache-2.0
// Rotation of written captures: which events go to which file.
import { describe, expect, test } from "bun:test";
import { NO_ROTATION, ROTATE, Rotation, type RotationRules } from "../../lib/engine/capture/rotation.ts";
import { strftime } from "../../lib/engine/capture/strftime.ts";

const SECOND = 1e9;
/** 2023-11-14 22:13:20 UTC, in whatever zone the test runs. */
const T0 = 1_700_000_000 * SECOND;

/** Files that events at the given seconds go to when each event has 10 bytes; "-" where the capture ended. */
function files(base: string, rules: Partial<RotationRules>, seconds: readonly number[]): string[] {
  const rotation = new Rotation(base, { ...NO_ROTATION, ...rules });
  rotation.start(T0 + (seconds[0] as number) * SECOND);
  let bytes = 0;
  return seconds.map((s) => {
    const answer = rotation.check(bytes, T0 + s * SECOND);
    if (answer === ROTATE.STOP) return "-";
    bytes = answer === ROTATE.OPEN ? 10 : bytes + 10;
    return rotation.name;
  });
}

describe("Rotation", () => {
  const at = (s: number) => strftime("%H%M%S", new Date((T0 / SECOND + s) * 1000));
  const rows: [string, string, Partial<RotationRules>, number[], string[]][] = [
    ["without rules writes one file", "a", {}, [0, 1, 9], ["a", "a", "a"]],
    ["by events numbers the files", "a", { maxEvents: 2 }, [0, 0, 0, 0, 0], ["a0", "a0", "a1", "a1", "a2"]],
    ["by bytes", "a", { maxBytes: 20 }, [0, 0, 0], ["a0", "a0", "a1"]],
    ["by events with a limit is a ring", "a", { maxEvents: 1, limit: 2 }, [0, 0, 0], ["a0", "a1", "a0"]],
    ["by time numbers the files", "a", { seconds: 2 }, [0, 1, 2, 5], ["a0", "a0", "a1", "a2"]],
    ["by time with a limit ends", "a", { seconds: 1, limit: 2 }, [0, 1, 2, 3], ["a0", "a1", "-", "-"]],
    [
      "by time fills in the name",
      "a-%H%M%S",
      { seconds: 2 },
      [0, 1, 2, 5],
      [`a-${at(0)}`, `a-${at(0)}`, `a-${at(2)}`, `a-${at(4)}`],
    ],
    [
      "by time and events numbers within the slice",
      "a-%S.",
      { seconds: 2, maxEvents: 1 },
      [0, 1, 2],
      [`a-${at(0).slice(4)}.0`, `a-${at(0).slice(4)}.1`, `a-${at(2).slice(4)}.0`],
    ],
    ["leaves a percent sign alone without a time rule", "a%H", { maxEvents: 1 }, [0, 0], ["a%H0", "a%H1"]],
  ];
  for (const [name, base, rules, seconds, names] of rows) {
    test(name, () => expect(files(base, rules, seconds)).toEqual(names));
  }
});

describe("strftime()", () => {
  const t = new Date(2024, 1, 5, 15, 4, 9);
  const rows: [string, string][] = [
    ["%Y-%m-%d %H:%M:%S", "2024-02-05 15:04:09"],
    ["%F %T %D %R", "2024-02-05 15:04:09 02/05/24 15:04"],
    ["%a %A %b %B", "Mon Monday Feb February"],
    ["%e|%j|%u|%w|%y|%C|%p|%I", " 5|036|1|1|24|20|PM|03"],
    ["100%% %Q %", "100% %Q %"],
  ];
  for (const [format, text] of rows) test(format, () => expect(strftime(format, t)).toBe(text));
  test("%s is the time itself", () => expect(strftime("%s", t)).toBe(String(t.getTime() / 1000)));
});
