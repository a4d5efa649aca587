// SPDX-License-Identifier: Apache-2.0
// Capabilities of this process: what is missing for a live capture, and giving up what it no longer needs.
import { readFileSync } from "node:fs";
import { ErrorText, shim } from "./shim.ts";

/** Numbers of capabilities, see capabilities(7). */
export const CAPABILITY = Object.freeze({
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  KILL: 5,
  NET_BIND_SERVICE: 10,
  SYS_PTRACE: 19,
} as const);

/**
 * What a live run may use after its start: files of any owner for rules, outputs and rotation, a low port for the web
 * server after a reload, signals for a command that changed its user, and /proc for processes that events did not tell of.
 */
const KEPT: readonly number[] = Object.values(CAPABILITY);

/** Effective capabilities of this thread as a set of bits. */
export function effectiveCapabilities(): bigint {
  const hex = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  return BigInt(`0x${hex ?? "0"}`);
}

/** What a live capture will not know because a capability is missing, one sentence each. */
export function missingKnowledge(have = effectiveCapabilities()): string[] {
  if (((have >> BigInt(CAPABILITY.SYS_PTRACE)) & 1n) === 1n) return [];
  return [
    "CAP_SYS_PTRACE is missing: of processes that already run, executables, directories and descriptors are known only as far as their owner is ours",
  ];
}

/**
 * Gives up, in all threads, every capability that a started capture does not need. Programs that are run later are not
 * concerned when they are root's: those get what root may have. Returns what is to be said when that did not work, or null.
 */
export function dropPrivileges(): string | null {
  const keep = KEPT.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
  const error = new ErrorText();
  const low = Number(keep & 0xffffffffn);
  const status = shim().shim_drop_privileges(low, Number(keep >> 32n), error.pointer, error.size);
  return status === 0 ? null : `cannot give up privileges: ${error.text()}`;
}
