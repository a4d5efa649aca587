// SPDX-License-Identifier: Apache-2.0
// Our lines and field values agree with the reference; what remains is in DIFFERENCES.md.
import { describe, expect, test } from "bun:test";
import { fieldClasses } from "../../lib/fields/registry.ts";
import { HAS_SHARED, sharedPath, sharedTest } from "../support/shared.ts";
import { compareFields, compareLines, goldenNames, seenFields } from "./golden.ts";
import { compareWithSysdig, oldCaptures, sysdigVersion } from "./sysdig.ts";

/** Least share of equal lines and values, over all captures and in each. */
const OVERALL = 0.995;
/** `sched` is lower: its context switches have times that the reference lacks; `net6` has the IPv6 roles. */
const EACH = 0.993;

const captures = HAS_SHARED ? goldenNames() : [];
const sums = { lines: [0, 0], fields: [0, 0] };

function add(sum: number[], r: { equal: number; total: number }): void {
  sum[0] = (sum[0] as number) + r.equal;
  sum[1] = (sum[1] as number) + r.total;
}

describe("golden captures", () => {
  for (const name of captures) {
    sharedTest(`lines of ${name}`, async () => {
      const r = await compareLines(name);
      add(sums.lines, r);
      expect(r.total).toBeGreaterThan(1000);
      expect(r.equal / r.total).toBeGreaterThanOrEqual(EACH);
    });
    sharedTest(`field values of ${name}`, async () => {
      const r = await compareFields(name, 50);
      add(sums.fields, r);
      expect(r.total).toBeGreaterThan(100_000);
      expect(r.equal / r.total).toBeGreaterThanOrEqual(EACH);
      // Values that only we have are those of DIFFERENCES.md.
      const surplus = new Set(
        r.absent.map((d) => d.what.replace(/\[.*/, "").replace(/^fd\.[clrs](ip|port|proto)$/, "fd.ip")),
      );
      for (const field of ["fd.types", "evt.rawarg.addr", "fdlist.sports", "fd.ip"]) surplus.delete(field);
      expect([...surplus]).toEqual([]);
    });
  }

  sharedTest("all together", () => {
    for (const [what, [equal = 0, total = 0]] of Object.entries(sums)) {
      expect([what, equal / total >= OVERALL]).toEqual([what, true]);
    }
  });
});

/** Fields for which no golden capture has a value: what they need did not happen there. */
const WITHOUT_VALUE =
  /^(evt\.plugin|evt\.around|evt\.asynctype|evt\.infra|evt\.latency|evt\.wait|evt\.count\.(proc|thread)info|evt\.buflen\.|evt\.type\.is|evt\.dir|thread\.(cpu|nametid|vm\w+\.b)|fd\.(ip|port|proto|net|.net|.ip\.name)$|util|container|k8s|proc\.is_container)/;

sharedTest("every field that can have a value there was compared", () => {
  const compared = new Set(
    [...seenFields()].map((f) =>
      f.replace(/\[.*/, "").replace(/^(evt\.(?:raw)?arg|evt\.abspath|thread\.cgroup)\..*/, "$1"),
    ),
  );
  const missing = fieldClasses()
    .flatMap((c) => c.fields.map((f) => f.name))
    .filter((name) => !compared.has(name) && !WITHOUT_VALUE.test(name));
  expect(missing).toEqual([]);
});

describe("old captures against the installed sysdig", () => {
  const version = sysdigVersion();
  for (const file of HAS_SHARED ? oldCaptures() : []) {
    // It cannot read the one, and shows nothing of the other.
    if (file === "curl_google_comments.scap" || file === "falco_empty.scap") continue;
    const name = `lines of ${file}`;
    if (version !== "0.29.3") {
      test.skip(`${name} (sysdig 0.29.3 is not installed)`, () => {});
      continue;
    }
    sharedTest(name, async () => {
      const r = await compareWithSysdig(sharedPath("captures", file));
      expect(r.total).toBeGreaterThan(0);
      const unexplained = r.differences.filter((d) => !/ rt_sigreturn/.test(d.ours) && !/<unknown>/.test(d.theirs));
      expect(unexplained).toEqual([]);
    });
  }
});
