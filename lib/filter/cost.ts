// SPDX-License-Identifier: Apache-2.0
// Rough costs and odds of comparisons, by which those that decide most for least are evaluated first.
import type { Check } from "./checker.ts";
import type { Operand } from "./operand.ts";

// Fields that are read from the cursor or the thread without making a string.
const CHEAP = new Set(
  [
    "evt.type evt.num evt.cpu evt.dir evt.rawres evt.failed evt.category evt.is_io evt.is_io_read evt.is_io_write",
    "evt.is_wait evt.is_open_read evt.is_open_write evt.is_open_exec evt.is_open_create syscall.type",
    "proc.name proc.exe proc.exepath proc.pid proc.tty proc.vpid proc.sid proc.pgid proc.vpgid proc.ppid",
    "proc.is_exe_writable proc.is_exe_upper_layer proc.is_exe_lower_layer proc.is_exe_from_memfd",
    "thread.tid thread.ismain user.uid user.loginuid group.gid fd.num fd.type fd.typechar fd.name fd.nameraw",
    "fd.sport fd.dport fd.l4proto fd.ino container.id",
  ]
    .join(" ")
    .split(" "),
);
const DEAR =
  /^(?:evt\.(?:args|info|buffer|arg|abspath)|proc\.(?:a[a-z]+|cmdline|exeline|pcmdline|args|env|fdopencount|fdusage)|fd\.types|fdlist\.|fs\.path\.)/;

function operandCost(o: Operand): number {
  if (o.all !== null) return 12;
  if (o.field === null) return 10;
  if (CHEAP.has(o.field.name)) return 1;
  return DEAR.test(o.field.name) ? 6 : 3;
}

/** Cost of one evaluation; 1 is a comparison of a number. */
export function checkCost(check: Check): number {
  let cost = operandCost(check.left) + (check.right === null ? 0 : operandCost(check.right));
  switch (check.op) {
    case "contains":
    case "bcontains":
      cost += 1;
      break;
    case "icontains":
      cost += 3;
      break;
    case "glob":
    case "iglob":
    case "pmatch":
      cost += 4;
      break;
    case "regex":
      cost += 12;
      break;
  }
  return check.modifier === null ? cost : cost + Math.min(check.constants.length, 8);
}

/** Estimated share of events for which a comparison is true. */
export function checkOdds(check: Check): number {
  switch (check.op) {
    case "exists":
      return 0.8;
    case "!=":
      return 0.9;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return 0.5;
    default:
      return typeof scalar(check) === "boolean" ? 0.3 : 0.05;
  }
}

function scalar(check: Check): unknown {
  const c = check.constants[0];
  return c?.kind === "scalar" ? c.value : undefined;
}
