// SPDX-License-Identifier: Apache-2.0
// The examples in the local rule file: they load when their comment signs are taken away, and change what they say.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRules } from "../../../lib/rules/loader.ts";
import { reportText } from "../../../lib/rules/report.ts";
import { ROOT } from "../../support/shared.ts";

const text = (name: string): string => readFileSync(join(ROOT, "rules", name), "utf8");
const shipped = { name: "falco_rules.yaml", content: text("falco_rules.yaml") };

test("the local rule file changes nothing as it is", () => {
  const loaded = loadRules([shipped, { name: "falco_rules.local.yaml", content: text("falco_rules.local.yaml") }]);
  expect(loaded.successful).toBe(true);
  expect(loaded.compiled.rules).toHaveLength(loadRules([shipped]).compiled.rules.length);
});

test("the examples of the local rule file load and take effect", () => {
  const examples = text("falco_rules.local.yaml").replace(/^# (?=[- ] )/gm, "");
  const loaded = loadRules([shipped, { name: "local", content: examples }]);
  expect(reportText(loaded.files, { warnings: true })).toBe("falco_rules.yaml: Ok\nlocal: Ok");
  const rule = (name: string) => loaded.collector.rules.get(name);
  expect(loaded.collector.lists.get("web_servers")?.items.at(-1)).toBe("shopserver");
  expect(rule("Password file read")?.exceptions[0]?.values).toHaveLength(1);
  expect(rule("Network scanner started")?.priority).toBe(3);
  expect(rule("Program started from a temporary directory")?.enabled).toBe(true);
  expect(rule("Shop data read by another program")?.source).toBe("syscall");
});
