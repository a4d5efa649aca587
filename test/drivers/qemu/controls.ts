// SPDX-License-Identifier: Apache-2.0
// Negative controls: runs that must fail, so that a harness that sees nothing is found out.
import type { Run } from "./runs.ts";

/** A run that the harness has to find a fault in: of the guest (`trouble`) or of the run. */
export interface Control extends Run {
  fault: RegExp;
}

export const CONTROLS: readonly Control[] = [
  {
    name: "control-words",
    shows: "an outcome that is not as it must be",
    script: "echo one; exit 0",
    says: [/^two$/],
    fault: /^no line /,
  },
  {
    name: "control-deaf",
    shows: "a capture that does not see what was done",
    script: "listen; finish; shown never",
    says: [/^never: 1$/],
    fault: /^no line .*never/,
  },
  {
    name: "control-case",
    shows: "an event that is not as the driver case says",
    script: "FALCO_SHIM=/opt/falco-shim.so FALCO_DRIVER_PROGRAM=/opt/wrong.sh bun /opt/cases.js files",
    says: [/, failed 0,/],
    fault: /^no line .*failed 0/,
  },
  {
    name: "control-hang",
    shows: "a run that does not end",
    script: "sleep 100000",
    says: [],
    fault: /^it was killed: it took too long$/,
  },
  {
    name: "control-panic",
    shows: "a kernel that falls over",
    script: "echo c >/proc/sysrq-trigger; sleep 100000",
    says: [],
    fault: /^it did not end$/,
  },
];
