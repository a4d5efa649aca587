// SPDX-License-Identifier: Apache-2.0
// Turns recorded events of older schemas into current ones, as lib/schema/conversion.ts plans it.
import { ACTION, type ConversionPlan, conversionPlan, FROM } from "../schema/conversion.ts";
import { EVENT_LARGE } from "../schema/events.ts";
import { toText } from "./bytes.ts";
import { type Completion, EVENT_HEADER_SIZE, type EventCursor } from "./cursor.ts";
import { EnterStore, type KeptEvent } from "./enter_store.ts";

/** Bytes that stand in for parameters that nobody recorded, by the value they are filled with. */
const FILLS = [0, 0xff];
const FILL_LENGTH = 32;
/** They lie at the end of the memory that events are read from, so that parameters can be placed on them. */
export const CONSTANTS = Buffer.concat(FILLS.map((fill) => Buffer.alloc(FILL_LENGTH, fill)));

/** Converts the event under a cursor; one per source. */
export class Converter implements Completion {
  private readonly enters = new EnterStore();
  /** Memory that ends with CONSTANTS. */
  private window: Buffer = CONSTANTS;
  /** Of the event under the cursor. */
  private plan!: ConversionPlan;
  private staging: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  private stagingView: DataView = new DataView(this.staging.buffer);
  /** Offset and length of the parameter found last. */
  private found = 0;
  private foundLength = 0;

  /** Forgets kept enter events (a new section begins). */
  clear(): void {
    this.enters.clear();
  }

  /** Says where events lie, as a rule: in memory that ends with CONSTANTS. */
  setWindow(window: Buffer): void {
    this.window = window;
  }

  /** To be called before the memory that events were converted from is used for something else. */
  detach(): void {
    this.enters.detach();
  }

  /** Forgets the enter event kept for `tid`: another one came that nobody wants. */
  passEnter(tid: number): void {
    this.enters.forget(tid);
  }

  /**
   * Converts the event under `c`, which is in its recorded form. Afterwards `c` is on the current form, which is
   * completed when a parameter is asked for, or unchanged with `c.legacyEnter` set. False: the event is to be passed over.
   */
  convert(c: EventCursor): boolean {
    const plan = conversionPlan(c.type, c.nparams);
    const action = plan.action;
    if (action === ACTION.DROP) return false;
    if (action === ACTION.ENTER_ONLY || (action === ACTION.KEEP && plan.params === null)) {
      c.legacyEnter = true;
      if (action === ACTION.KEEP) this.enters.keep(c);
      return true;
    }
    if (plan.params === null) {
      if (action === ACTION.KEEP_AND_PASS) this.enters.keep(c);
      return true;
    }
    this.plan = plan;
    if (action === ACTION.PASS) {
      c.convertTo(plan.type, plan.params.length, this);
      return true;
    }
    const length = this.build(c, plan);
    this.enters.keepCopy(c.tid, plan.type, plan.params.length, this.staging, length);
    if (action === ACTION.KEEP) c.legacyEnter = true;
    else c.convertTo(plan.type, plan.params.length, this);
    return true;
  }

  complete(c: EventCursor, recorded: EventCursor): boolean {
    if (this.plan.placeable && this.place(c, recorded)) return true;
    const length = this.build(recorded, this.plan);
    c.bytes = this.staging;
    c.view = this.stagingView;
    c.offset = 0;
    c.length = length;
    return false;
  }

  /** Says where the parameters lie; false when they do not all lie in the window. */
  private place(c: EventCursor, recorded: EventCursor): boolean {
    if (c.bytes !== this.window) return false;
    const params = this.plan.params!;
    const enter = this.enters.get(c.tid);
    for (let i = 0; i < params.length; i++) {
      const p = params[i]!;
      if (p.from === FROM.OLD) c.place(i, recorded.paramOffset(p.index), recorded.paramLength(p.index));
      else if (p.from === FROM.ENTER && enter !== undefined && this.find(enter, p.enterType, p.index)) {
        if (enter.bytes !== c.bytes) return false;
        c.place(i, this.found, this.foundLength);
      } else c.place(i, c.bytes.length - (p.fill === 0 ? 2 * FILL_LENGTH : FILL_LENGTH), p.size);
    }
    return true;
  }

  /** Makes sure that staging holds `n` bytes; what is in it stays. */
  private reserve(n: number): void {
    if (n <= this.staging.length) return;
    let size = this.staging.length;
    while (size < n) size *= 2;
    const grown = Buffer.allocUnsafeSlow(size);
    this.staging.copy(grown);
    this.staging = grown;
    this.stagingView = new DataView(grown.buffer);
  }

  /** Builds the event that becomes of the recorded one under `c` in staging and returns its length. */
  private build(c: EventCursor, plan: ConversionPlan): number {
    const params = plan.params!;
    const wide = EVENT_LARGE[plan.type] === 1;
    let lens = EVENT_HEADER_SIZE;
    let data = lens + params.length * (wide ? 4 : 2);
    const enter = this.enters.get(c.tid);
    for (let i = 0; i < params.length; i++) {
      const p = params[i]!;
      let length = p.size;
      if (p.from === FROM.OLD) {
        length = c.paramLength(p.index);
        this.reserve(data + length);
        copy(c.bytes, c.paramOffset(p.index), this.staging, data, length);
      } else if (p.from === FROM.ENTER && enter !== undefined && this.find(enter, p.enterType, p.index)) {
        length = this.foundLength;
        this.reserve(data + length);
        copy(enter.bytes, this.found, this.staging, data, length);
      } else if (p.from === FROM.CONTAINER_JSON) {
        const json = containerJson(c);
        length = json.length;
        this.reserve(data + length);
        json.copy(this.staging, data);
      } else {
        this.reserve(data + length);
        for (let k = 0; k < length; k++) this.staging[data + k] = p.fill;
      }
      if (wide) {
        this.stagingView.setUint32(lens, length, true);
        lens += 4;
      } else {
        this.stagingView.setUint16(lens, length, true);
        lens += 2;
      }
      data += length;
    }
    // Time and thread id are the recorded ones.
    const to = this.stagingView;
    to.setUint32(0, c.view.getUint32(c.offset, true), true);
    to.setUint32(4, c.view.getUint32(c.offset + 4, true), true);
    to.setUint32(8, c.view.getUint32(c.offset + 8, true), true);
    to.setUint32(12, c.view.getUint32(c.offset + 12, true), true);
    to.setUint32(16, data, true);
    to.setUint16(20, plan.type, true);
    to.setUint32(22, params.length, true);
    return data;
  }

  /** Finds parameter `index` of a kept enter event of the wanted type; sets `found` and `foundLength`. */
  private find(event: KeptEvent, type: number, index: number): boolean {
    if (event.type !== type || index >= event.nparams) return false;
    const view = event.view;
    const wide = EVENT_LARGE[type] === 1;
    const width = wide ? 4 : 2;
    let lens = event.offset + EVENT_HEADER_SIZE;
    let data = lens + event.nparams * width;
    for (let i = 0; i < index; i++, lens += width)
      data += wide ? view.getUint32(lens, true) : view.getUint16(lens, true);
    this.found = data;
    this.foundLength = wide ? view.getUint32(lens, true) : view.getUint16(lens, true);
    return true;
  }
}

/** Copies `n` bytes; short copies are faster by hand than through a call. */
function copy(from: Buffer, at: number, to: Buffer, toAt: number, n: number): void {
  if (n <= 64) for (let i = 0; i < n; i++) to[toAt + i] = from[at + i]!;
  else from.copy(to, toAt, at, at + n);
}

/** The JSON text, NUL-terminated, that says what a CONTAINER_E event (id, type, name, image) says. */
function containerJson(c: EventCursor): Buffer {
  const container = { id: toText(c.str(0)), type: c.u32(1), name: toText(c.str(2)), image: toText(c.str(3)) };
  return Buffer.from(`${JSON.stringify({ container })}\0`, "utf8");
}
