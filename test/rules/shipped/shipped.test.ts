// SPDX-License-Identifier: Apache-2.0
// The shipped rules: each fires on what it is for and stays quiet on what looks like it; form and tags are uniform.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRules } from "../../../lib/rules/loader.ts";
import { reportText } from "../../../lib/rules/report.ts";
import { compileRuleset } from "../../../lib/rules/ruleset.ts";
import { NEXT } from "../../../lib/scap/source.ts";
import { Inspector } from "../../../lib/sinsp/inspector.ts";
import { ROOT } from "../../support/shared.ts";
import type { Cases } from "./cases.ts";
import { CREDENTIALS } from "./credentials.ts";
import { ESCALATION } from "./escalation.ts";
import { EVASION } from "./evasion.ts";
import { EXECUTION } from "./execution.ts";
import { OTHERS } from "./others.ts";
import { PERSISTENCE } from "./persistence.ts";
import { play, type Scenario } from "./scenario.ts";

const CASES: Cases = { ...EXECUTION, ...PERSISTENCE, ...ESCALATION, ...EVASION, ...CREDENTIALS, ...OTHERS };

const read = (name: string) => ({ name, content: readFileSync(join(ROOT, "rules", name), "utf8") });
const loaded = loadRules([read("falco_rules.yaml")]);
const everything = { matching: "all", selection: [{ enable: true, rule: "*" }] } as const;
const ruleset = compileRuleset(loaded, everything);
const reference = compileRuleset(loaded, { ...everything, interpret: true });

/** Names of the rules that match somewhere in a scenario. */
function matches(scenario: Scenario, rules = ruleset): string[] {
  const inspector = new Inspector(play(scenario));
  const names = new Set<string>();
  while (inspector.next() === NEXT.EVENT) {
    const n = rules.match(inspector);
    for (let i = 0; i < n; i++) names.add(rules.hits[i]?.name ?? "");
  }
  return [...names];
}

describe("shipped rules", () => {
  test("load without errors and warnings", () => {
    expect(reportText(loaded.files, { warnings: true })).toBe("falco_rules.yaml: Ok");
    expect(loaded.files[0]?.schemaWarnings).toEqual([]);
  });

  test("are at least 60, each with cases", () => {
    const names = ruleset.rules.map((rule) => rule.name).sort();
    expect(names.length).toBeGreaterThanOrEqual(60);
    expect(Object.keys(CASES).sort()).toEqual(names);
  });

  test("cover the tactics that system calls can show", () => {
    const tactics = [
      "execution",
      "persistence",
      "privilege_escalation",
      "defense_evasion",
      "credential_access",
      "discovery",
      "lateral_movement",
      "collection",
      "exfiltration",
      "impact",
    ];
    for (const tactic of tactics) {
      const rules = ruleset.rules.filter((rule) => rule.tags.includes(`mitre_${tactic}`));
      expect({ tactic, enough: rules.length >= 4 }).toEqual({ tactic, enough: true });
    }
  });

  for (const { definition } of loaded.compiled.rules) {
    test(`${definition.name}: description, tags and exceptions`, () => {
      expect(definition.description).toMatch(/^\S.{20,}[.]$/s);
      expect(definition.tags.filter((tag) => /^maturity_(stable|incubating|sandbox)$/.test(tag))).toHaveLength(1);
      expect(definition.tags.some((tag) => tag === "host" || tag === "container")).toBe(true);
      expect(definition.tags.some((tag) => /^mitre_[a-z_]+$/.test(tag))).toBe(true);
      expect(definition.tags.some((tag) => /^T\d{4}(\.\d{3})?$/.test(tag))).toBe(true);
      expect(definition.exceptions.length).toBeGreaterThan(0);
    });
  }

  for (const [name, { fires, quiet }] of Object.entries(CASES)) {
    test(`${name}: fires`, () => {
      expect(fires.length).toBeGreaterThan(0);
      for (const scenario of fires) {
        expect({ scenario, found: matches(scenario).includes(name) }).toEqual({ scenario, found: true });
        expect(matches(scenario, reference)).toEqual(matches(scenario));
      }
    });
    test(`${name}: stays quiet`, () => {
      expect(quiet.length).toBeGreaterThan(0);
      for (const scenario of quiet) {
        expect({ scenario, found: matches(scenario).includes(name) }).toEqual({ scenario, found: false });
      }
    });
  }
});
