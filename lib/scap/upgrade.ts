// SPDX-License-Identifier: Apache-2.0
// Rewrites an event of the first layout (no parameter count in its header) in the present one.
import { EVENT_LARGE, EVENT_MAX, EVENT_NPARAMS } from "../schema/events.ts";
import { EV } from "../schema/tables/enums.ts";
import { EVENT_HEADER_SIZE } from "./cursor.ts";

/** Size of the v1 event header: u64 ts, i64 tid, u32 len, u16 type. */
const V1_HEADER_SIZE = 22;
const GROWN = EVENT_HEADER_SIZE - V1_HEADER_SIZE;
/** Events whose first writers counted bytes that are not there. */
const MISCOUNTED: readonly number[] = [EV.NOTIFICATION_E, EV.INFRASTRUCTURE_EVENT_E];
const MISCOUNT = 3;

/**
 * Number of parameters of a v1 event: the greatest for which lengths and parameters fill the event exactly; −1 when
 * there is none.
 */
function countParams(view: DataView, at: number, length: number, type: number): number {
  const width = EVENT_LARGE[type] === 1 ? 4 : 2;
  for (let n = EVENT_NPARAMS[type] as number; n >= 0; n--) {
    let used = V1_HEADER_SIZE + n * width;
    if (used > length) continue;
    for (let i = 0, p = at + V1_HEADER_SIZE; i < n && used <= length; i++, p += width) {
      used += width === 4 ? view.getUint32(p, true) : view.getUint16(p, true);
    }
    if (used === length) return n;
  }
  return -1;
}

/** Result of `upgrade` besides lengths. */
export const UPGRADE = Object.freeze({
  /** The event's type is unknown. */
  UNKNOWN: 0,
  /** The event is damaged; `fault` says how. */
  DAMAGED: -1,
} as const);

/** Gives events a v2 header, in memory that the next event takes again. */
export class EventUpgrader {
  bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024 + GROWN);
  view: DataView = new DataView(this.bytes.buffer);
  /** What is wrong with the last event. */
  fault = "";

  /** Rewrites the event at `at` of `from`, which ends before `limit`; returns its new length or one of UPGRADE. */
  upgrade(from: Buffer, view: DataView, at: number, limit: number): number {
    const room = limit - at;
    if (room < V1_HEADER_SIZE) return this.damaged(`an event of ${room} bytes`);
    const type = view.getUint16(at + 20, true);
    if (type >= EVENT_MAX) return UPGRADE.UNKNOWN;
    let length = view.getUint32(at + 16, true);
    if (length < V1_HEADER_SIZE || length > room + MISCOUNT) {
      return this.damaged(`an event of ${length} bytes in ${room}`);
    }
    let nparams = length <= room ? countParams(view, at, length, type) : -1;
    if (nparams < 0 && MISCOUNTED.includes(type) && length >= V1_HEADER_SIZE + MISCOUNT) {
      length -= MISCOUNT;
      nparams = countParams(view, at, length, type);
    }
    if (nparams < 0) return this.damaged(`an event of type ${type} whose parameters do not fill its ${length} bytes`);
    from.copy(this.bytes, 0, at, at + V1_HEADER_SIZE);
    this.view.setUint32(16, length + GROWN, true);
    this.view.setUint32(V1_HEADER_SIZE, nparams, true);
    from.copy(this.bytes, EVENT_HEADER_SIZE, at + V1_HEADER_SIZE, at + length);
    return length + GROWN;
  }

  private damaged(fault: string): number {
    this.fault = fault;
    return UPGRADE.DAMAGED;
  }
}
