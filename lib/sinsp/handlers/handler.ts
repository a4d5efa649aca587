// SPDX-License-Identifier: Apache-2.0
// What a state handler is, and the rows by which handlers are registered.
import type { EventCursor } from "../../scap/cursor.ts";
import type { Inspector } from "../inspector.ts";

/** Applies the event under the cursor to the state. `insp.thread` is the event's thread, null when there is none. */
export type Handler = (insp: Inspector, ev: EventCursor) => void;

/** Event type ids and their handler. */
export type HandlerRow = readonly [readonly number[], Handler];
