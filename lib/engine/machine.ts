// SPDX-License-Identifier: Apache-2.0
// This machine as a source of events: engine, start-up state, and a state that heals itself from /proc.
import { existsSync } from "node:fs";
import { beginLive, EMPTY_STATE, type LiveOptions, type LiveSource } from "../scap/live.ts";
import { dropPrivileges, missingKnowledge } from "../scap/privileges.ts";
import { hostRoot, readFd, readThread } from "../scap/proc_scan.ts";
import { Inspector, type InspectorOptions } from "../sinsp/inspector.ts";

export interface Machine {
  source: LiveSource;
  inspector: Inspector;
  /** Why the start-up state was read from /proc alone; null when iterators gave it. */
  fromProc: string | null;
}

/** A machine whose probe is being loaded, on another thread. */
export interface MachineLoading {
  /**
   * Waits for the probe and starts to capture the system calls with these codes (all when absent), then scans the machine. What
   * happens during the scan is worked off: it changes the state only. So at the first event that is seen the state is
   * complete and true. Throws EngineError, in one sentence, when the engine cannot run here.
   */
  finish(syscalls?: readonly number[], state?: InspectorOptions): Promise<Machine>;
  /** Gives it up instead of finishing. */
  cancel(): void;
}

/** Begins to load the probe. */
export function beginMachine(options: LiveOptions = {}): MachineLoading {
  const loading = beginLive(options);
  return {
    cancel: () => loading.cancel(),
    async finish(syscalls, state = {}) {
      const source = await loading.finish(syscalls === undefined ? {} : { syscalls });
      try {
        const now = (): number => source.now();
        const fromProc = source.scan();
        const inspector = new Inspector(source, {
          ...state,
          onMissingThread: (tid) => readThread(tid, now),
          onPassedFd: (pid, fd) => readFd(pid, fd, now),
          isAlive: (tid) => existsSync(`${hostRoot()}/proc/${tid}`),
        });
        source.state = EMPTY_STATE;
        await source.workOff(source.now(), () => inspector.next());
        inspector.forgetEvents();
        // A scan takes its time: on a loud machine the rings may have been too small for it.
        if (source.stats().drops > 0) inspector.afterLoss();
        source.countAnew();
        return { source, inspector, fromProc };
      } catch (error) {
        await source.close();
        throw error;
      }
    },
  };
}

/** Loads the probe and starts to capture; see MachineLoading.finish. */
export function openMachine(options: LiveOptions = {}): Promise<Machine> {
  return beginMachine(options).finish();
}

/**
 * Gives up the privileges that a capture needs no longer once it runs. Returns what is to be said about that, and what the
 * capture will not see because the kernel or our capabilities do not allow it: one sentence each.
 */
export function settle(source: LiveSource): string[] {
  const { missing } = source;
  const said = missingKnowledge();
  if (missing.length > 0) {
    const events = missing.map((name) => name.replace(/^x_/, "")).join(", ");
    said.push(`this kernel refuses parts of the probe; these events are missing: ${events}`);
  }
  const kept = dropPrivileges();
  return kept === null ? said : [...said, kept];
}
