// SPDX-License-Identifier: Apache-2.0
// Cuts the I/O buffers of events to a length.
import { EVENT_FLAG, EVENT_HEADER_SIZE, EventCursor } from "../../scap/cursor.ts";
import { EVENT_LARGE, EVENTS } from "../../schema/events.ts";
import { EF, PT } from "../../schema/tables/enums.ts";

/** Index of the parameter that holds what was read or written, by event id; −1 none. */
const DATA_PARAM = Int8Array.from(EVENTS, (e) =>
  (e.flags & (EF.READS_FROM_FD | EF.WRITES_TO_FD)) === 0
    ? -1
    : e.params.findIndex((p) => p.type === PT.BYTEBUF && p.name === "data"),
);

/** Makes copies of events whose buffers have at most `snaplen` bytes. */
export class Snap {
  private readonly copy = new EventCursor();

  constructor(private readonly snaplen: number) {}

  /** The event itself when nothing is to be cut, else a copy that is good until the next call. */
  cut(event: EventCursor): EventCursor {
    const index = DATA_PARAM[event.type] as number;
    if (index < 0) return event;
    const excess = event.paramLength(index) - this.snaplen;
    if (excess <= 0) return event;
    const c = this.copy;
    const length = event.length - excess;
    if (c.bytes.length < length) {
      c.bytes = Buffer.allocUnsafeSlow(length * 2);
      c.view = new DataView(c.bytes.buffer);
    }
    const end = event.paramOffset(index) + this.snaplen;
    event.bytes.copy(c.bytes, 0, event.offset, end);
    event.bytes.copy(c.bytes, end - event.offset, end + excess, event.offset + event.length);
    c.view.setUint32(16, length, true);
    if (EVENT_LARGE[event.type] === 1) c.view.setUint32(EVENT_HEADER_SIZE + index * 4, this.snaplen, true);
    else c.view.setUint16(EVENT_HEADER_SIZE + index * 2, this.snaplen, true);
    c.type = event.type;
    c.tid = event.tid;
    c.cpu = event.cpu;
    c.ts = event.ts;
    c.flags = event.flags & ~EVENT_FLAG.LARGE;
    c.nparams = event.nparams;
    c.length = length;
    c.reset();
    return c;
  }
}
