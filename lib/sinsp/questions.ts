// SPDX-License-Identifier: Apache-2.0
// Questions to the machine about what events did not tell, bounded in number.
import type { FdEntry } from "../scap/source.ts";
import type { InspectorOptions, MissingThread } from "./options.ts";

/** Most questions to the machine (/proc) in a second: each costs a tenth of a millisecond and more. */
const MAX_QUESTIONS = 1000;

/** Asks through the hooks of the options; without hooks, as on files, nothing is known. */
export class Questions {
  private second = 0;
  private asked = 0;
  /** Questions left out because there were too many. */
  unasked = 0;

  constructor(private readonly hooks: InspectorOptions) {}

  /** True when one more may be asked in the second of `ts` (ns). */
  private mayAsk(ts: number): boolean {
    const second = Math.floor(ts / 1e9);
    if (second !== this.second) {
      this.second = second;
      this.asked = 0;
    }
    if (this.asked >= MAX_QUESTIONS) {
      this.unasked++;
      return false;
    }
    this.asked++;
    return true;
  }

  thread(tid: number, ts: number): MissingThread | undefined {
    const ask = this.hooks.onMissingThread;
    return ask === undefined || !this.mayAsk(ts) ? undefined : ask(tid);
  }

  fd(pid: number, fd: number, ts: number): FdEntry | undefined {
    const ask = this.hooks.onPassedFd;
    return ask === undefined || !this.mayAsk(ts) ? undefined : ask(pid, fd);
  }
}
