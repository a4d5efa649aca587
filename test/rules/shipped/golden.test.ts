// SPDX-License-Identifier: Apache-2.0
// The shipped rules on the reference captures: what they find in two attacks, and that ordinary captures are quiet.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRules } from "../../../lib/rules/loader.ts";
import { compileRuleset, type Ruleset } from "../../../lib/rules/ruleset.ts";
import { openCapture } from "../../../lib/scap/reader.ts";
import { NEXT } from "../../../lib/scap/source.ts";
import { Inspector } from "../../../lib/sinsp/inspector.ts";
import { ROOT, sharedPath, sharedTest } from "../../support/shared.ts";

const name = "falco_rules.yaml";
const loaded = loadRules([{ name, content: readFileSync(join(ROOT, "rules", name), "utf8") }]);

/** Number of matches by rule. */
async function counts(capture: string, rules: Ruleset): Promise<Record<string, number>> {
  const source = await openCapture(sharedPath("golden", `${capture}.scap.gz`));
  const inspector = new Inspector(source);
  const found: Record<string, number> = {};
  for (;;) {
    const code = inspector.next();
    if (code === NEXT.END || (code === NEXT.IDLE && !(await inspector.more()))) break;
    if (code !== NEXT.EVENT || inspector.hidden) continue;
    const n = rules.match(inspector);
    for (let i = 0; i < n; i++) {
      const rule = rules.hits[i]?.name ?? "";
      found[rule] = (found[rule] ?? 0) + 1;
    }
  }
  await source.close();
  return found;
}

const WANTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  suspicious: {
    "Shell started by a web server": 2,
    "Program started from shared memory": 2,
    "Hidden program started from a temporary directory": 2,
    "Program started from memory alone": 1,
    "Decoded text run as a script": 1,
    "Encoded code on an interpreter's command line": 1,
    "Shell with a network connection as input": 1,
    "Standard streams put on a network connection": 3,
    "Scheduled job changed": 2,
    "Shell profile changed": 2,
    "Login keys changed": 1,
    "Preloaded library configured": 1,
    "Account files changed by hand": 2,
    "Kernel module loaded by an unusual program": 1,
    "Kernel module from an unusual place": 1,
    "Set-user-ID bit set": 2,
    "Rights of sudo changed": 1,
    "Kernel told to run a program": 1,
    "Sensitive directory mounted elsewhere": 1,
    "Process injected into": 1,
    "Block device made in an unusual place": 1,
    "Login records or logs removed": 1,
    "Command history removed": 5,
    "Hidden directory made in a temporary directory": 2,
    "Process disguised as a kernel thread": 2,
    "System program changed": 3,
    "File made executable in shared memory": 1,
    "Password file read": 2,
    "Private key read": 2,
    "Search for keys or passwords": 2,
    "Environment of another process read": 1,
    "Packets captured from the network": 1,
    "Service looks around": 1,
    "Kernel addresses read": 1,
    "Disk read past the file system": 1,
    "Connection to a port of remote control or mining": 4,
    "Files wiped": 1,
  },
  intrusion: {
    "Program started from shared memory": 2,
    "Hidden program started from a temporary directory": 2,
    "Program started from memory alone": 1,
    "Shell with a network connection as input": 1,
    "Standard streams put on a network connection": 3,
    "Scheduled job changed": 1,
    "Service definition changed": 2,
    "Login keys changed": 1,
    "Preloaded library configured": 1,
    "Second administrator account made": 1,
    "Kernel module loaded by an unusual program": 1,
    "Kernel module from an unusual place": 1,
    "Set-user-ID bit set": 1,
    "Kernel told to run a program": 2,
    "Namespaces of the machine entered": 1,
    "User namespace made without privilege": 1,
    "Process injected into": 2,
    "Command history removed": 1,
    "Times of files copied from system programs": 1,
    "Hidden directory made in a temporary directory": 1,
    "Process disguised as a kernel thread": 1,
    "Process hidden by a mount": 1,
    "File made executable in shared memory": 1,
    "Password file read": 1,
    "Search for keys or passwords": 2,
    "Search for set-user-ID programs": 1,
    "Connection to a port of remote control or mining": 1,
    "Mining program started": 1,
    "Files wiped": 1,
  },
  sched: {},
  fds: {},
  net6: {},
  snap4096: { "Connection to a port of remote control or mining": 1 },
};

for (const [capture, wanted] of Object.entries(WANTED)) {
  sharedTest(`shipped rules on ${capture}`, async () => {
    const compiled = await counts(capture, compileRuleset(loaded, { matching: "all" }));
    expect(compiled).toEqual(wanted);
    expect(await counts(capture, compileRuleset(loaded, { matching: "all", interpret: true }))).toEqual(compiled);
  });
}
