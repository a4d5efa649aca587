// SPDX-License-Identifier: Apache-2.0
// What field extractors, filters and formatters see of the current event.
import type { EventCursor } from "../scap/cursor.ts";
import type { CaptureSource, GroupEntry, InterfaceEntry, MachineInfo, UserEntry } from "../scap/source.ts";
import type { ContainerInfo } from "./container_info.ts";
import type { FdInfo } from "./fd_info.ts";
import type { ThreadInfo } from "./thread_info.ts";

/**
 * The context in which fields are read: the event under the cursor after it was applied to the state. This is the one
 * object that field extractors, compiled filters and formatters receive.
 */
export interface Context {
  readonly source: CaptureSource;
  readonly machine: MachineInfo;
  /** ns since the epoch that relative times count from. */
  readonly baseTime: bigint;
  readonly ev: EventCursor;
  /** True when `ev` is an event of an old capture as it was recorded, put before a formatter for display. */
  readonly recordedForm?: boolean;
  /** Thread of the event; null when the event has none. An `invalid` entry stands in for an unknown thread. */
  readonly thread: ThreadInfo | null;
  /** Descriptor number the event works on; −1 none. */
  readonly fdNum: number;
  /** Descriptor the event works on, as it was before a close; null when unknown. */
  readonly fd: FdInfo | null;
  /** True when the event gave its descriptor another name (fd.name_changed). */
  readonly fdNameChanged: boolean;
  /** Return value of a system-call exit event (first parameter) or 0; negative = −errno. */
  readonly rawres: number;
  /** Relative time of the previously delivered event; NaN at the first. */
  readonly prevTs: number;
  /** Relative time of the section's first event, those that only carry users and the like left out; NaN before it. */
  readonly firstTs: number;
  /** Relative time of the matching enter event in old captures; NaN when there was none. */
  readonly enterTs: number;
  /** A thread that something is known of. */
  getThread(tid: number): ThreadInfo | undefined;
  /** The thread's process leader; the thread itself when that is unknown. */
  leaderOf(thread: ThreadInfo): ThreadInfo;
  /** Parent process's thread entry; undefined when unknown. */
  parentOf(thread: ThreadInfo): ThreadInfo | undefined;
  user(uid: number, containerId: string): UserEntry | undefined;
  group(gid: number, containerId: string): GroupEntry | undefined;
  readonly interfaces: readonly InterfaceEntry[];
  /** What is known about a container, by its short id. */
  container(id: string): ContainerInfo | undefined;
  /** Absolute path from a path that may be relative to `base`, normalised as the kernel would (no "//", ".", ".."). */
  resolvePath(base: string, path: string): string;
}

/** What a context tells of the event's thread and of the state, whatever the event is. */
export type ThreadContext = Pick<
  Context,
  | "machine"
  | "baseTime"
  | "thread"
  | "getThread"
  | "leaderOf"
  | "parentOf"
  | "user"
  | "group"
  | "container"
  | "resolvePath"
>;
