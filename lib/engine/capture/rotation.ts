// SPDX-License-Identifier: Apache-2.0
// When a capture that is being written goes on in another file, and what that file is called.
import { strftime } from "./strftime.ts";

/** Rules of rotation; 0 = no such rule. */
export interface RotationRules {
  /** Bytes a file may have before the next event opens another one. */
  maxBytes: number;
  /** Events a file may have. */
  maxEvents: number;
  /** Seconds, by the events' own time, that a file spans. */
  seconds: number;
  /** Most files: a ring with maxBytes or maxEvents, the end of the capture with `seconds` alone. */
  limit: number;
}

export const NO_ROTATION: RotationRules = Object.freeze({ maxBytes: 0, maxEvents: 0, seconds: 0, limit: 0 });

/** What `check` answers. */
export const ROTATE = Object.freeze({
  /** The event belongs in the current file. */
  STAY: 0,
  /** A file is to be opened for the event: `name` is its name. */
  OPEN: 1,
  /** The last file is full: the capture ends before the event. */
  STOP: 2,
} as const);

/** Follows one capture through its files. Times are ns since the epoch as a double: exact enough for whole seconds. */
export class Rotation {
  /** Name of the current file. */
  name = "";
  private readonly timed: boolean;
  private files = 0;
  private slice = Number.NaN;
  /** Files opened in the current time slice. */
  private inSlice = 0;
  private events = 0;

  constructor(
    private readonly base: string,
    private readonly rules: RotationRules,
  ) {
    this.timed = rules.seconds > 0 && base.includes("%");
  }

  /** True when all events go to one file. */
  get single(): boolean {
    const r = this.rules;
    return r.maxBytes === 0 && r.maxEvents === 0 && r.seconds === 0;
  }

  /** Names the first file; `ns` is the time at which the capture begins. */
  start(ns: number): void {
    this.open(ns, true);
    this.events = 0;
  }

  /** Says where the next event goes; `bytes` is the size of the current file, `ns` the event's time. */
  check(bytes: number, ns: number): number {
    const r = this.rules;
    if (r.seconds > 0 && ns >= this.slice + r.seconds * 1e9) {
      const ring = r.maxBytes > 0 || r.maxEvents > 0;
      if (r.limit > 0 && !ring && this.files >= r.limit) return ROTATE.STOP;
      return this.open(ns, true);
    }
    const full = (r.maxBytes > 0 && bytes >= r.maxBytes) || (r.maxEvents > 0 && this.events >= r.maxEvents);
    if (full) return this.open(ns, false);
    this.events++;
    return ROTATE.STAY;
  }

  private open(ns: number, newSlice: boolean): number {
    const r = this.rules;
    const sized = r.maxBytes > 0 || r.maxEvents > 0;
    if (newSlice) {
      // Slices follow each other without gaps, however long nothing happened.
      const length = r.seconds * 1e9;
      this.slice =
        this.files === 0 || r.seconds === 0 ? ns : this.slice + Math.floor((ns - this.slice) / length) * length;
      this.inSlice = 0;
    }
    this.name = this.base;
    if (this.timed) this.name = strftime(this.base, new Date(Math.floor(this.slice / 1e6)));
    const count = this.timed ? this.inSlice : this.files;
    const ring = sized && r.limit > 0 ? count % r.limit : count;
    if (sized || (r.seconds > 0 && !this.timed)) this.name += String(ring);
    this.files++;
    this.inSlice++;
    this.events = 1;
    return ROTATE.OPEN;
  }
}
