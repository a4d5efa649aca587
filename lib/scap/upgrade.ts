// SPDX-License-Identifier: Apache-2.0
// Rewrites an event of the first layout (no parameter count in its header) in the present one.
import { EVENT_LARGE, EVENT_MAX, EVENT_NPARAMS } from "../schema/events.ts";
import { EV } from "../schema/tables/enums.ts";
import { EVENT_HEADER_SIZE } from "./cursor.ts";

/** Size of the v1 event header: u64 ts, i64 tid, u32 len, u16 type. */
export const V1_HEADER_SIZE = 22;

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

/**
 * The event at `bytes[at … limit)` with a v2 header, in memory of its own. Null: its type is unknown.
 * A string: what is wrong with it.
 */
export function upgradeEvent(bytes: Buffer, at: number, limit: number): Buffer | null | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (limit - at < V1_HEADER_SIZE) return `an event of ${limit - at} bytes`;
  const type = view.getUint16(at + 20, true);
  if (type >= EVENT_MAX) return null;
  let length = view.getUint32(at + 16, true);
  if (length < V1_HEADER_SIZE || at + length > limit + MISCOUNT) return `an event of ${length} bytes in ${limit - at}`;
  let nparams = at + length <= limit ? countParams(view, at, length, type) : -1;
  if (nparams < 0 && MISCOUNTED.includes(type) && length >= V1_HEADER_SIZE + MISCOUNT) {
    length -= MISCOUNT;
    nparams = countParams(view, at, length, type);
  }
  if (nparams < 0) return `an event of type ${type} whose parameters do not fill its ${length} bytes`;
  const grown = EVENT_HEADER_SIZE - V1_HEADER_SIZE;
  const event = Buffer.allocUnsafeSlow(length + grown);
  bytes.copy(event, 0, at, at + V1_HEADER_SIZE);
  event.writeUInt32LE(length + grown, 16);
  event.writeUInt32LE(nparams, V1_HEADER_SIZE);
  bytes.copy(event, EVENT_HEADER_SIZE, at + V1_HEADER_SIZE, at + length);
  return event;
}
