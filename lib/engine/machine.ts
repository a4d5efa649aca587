// SPDX-License-Identifier: Apache-2.0
// This machine as a source of events: engine, start-up state from /proc, and a state that heals itself from there.
import { existsSync } from "node:fs";
import { type LiveOptions, type LiveSource, openLive } from "../scap/live.ts";
import { hostRoot, readFd, readThread, scanMachine } from "../scap/proc_scan.ts";
import { Inspector, type InspectorOptions } from "../sinsp/inspector.ts";

export interface Machine {
  source: LiveSource;
  inspector: Inspector;
}

/**
 * Starts to capture, then scans /proc, so that nothing between the two is missed. Throws EngineError, in one sentence,
 * when the engine cannot run here.
 */
export async function openMachine(options: LiveOptions = {}, state: InspectorOptions = {}): Promise<Machine> {
  const source = await openLive(options);
  try {
    const scan = scanMachine();
    const { machine } = scan;
    source.state = scan.state;
    const inspector = new Inspector(source, {
      ...state,
      onMissingThread: (tid) => readThread(tid, machine.bootTime),
      onPassedFd: readFd,
      isAlive: (tid) => existsSync(`${hostRoot()}/proc/${tid}`),
    });
    return { source, inspector };
  } catch (error) {
    await source.close();
    throw error;
  }
}
