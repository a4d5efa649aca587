// SPDX-License-Identifier: Apache-2.0
// What an inspector can be given, and what it counts.
import type { FdEntry, GroupEntry, ProcessEntry, UserEntry } from "../scap/source.ts";
import type { ThreadContext } from "./context.ts";
import type { ThreadInfo } from "./thread_info.ts";

/** What a live machine knows of a thread that the state does not. */
export interface MissingThread {
  entry: ProcessEntry;
  fds: readonly FdEntry[];
}

/** A condition that thread, process, user and container alone decide, for all types that it is set for. */
export interface ThreadCondition {
  /** 1 for the types it holds for, by event id. */
  readonly types: Uint8Array;
  /** Looks at `thread` and the state but for descriptors, not at the event. */
  matches(ctx: ThreadContext): boolean;
}

export interface InspectorOptions {
  /**
   * 1 for the event types (by event id) that are looked at; others need only be applied to the state, and those that do
   * not change it may be passed over, numbered and counted. Default: all are looked at. Not to be given where times
   * between events are asked for (evt.deltatime, evt.latency and the like).
   */
  wanted?: Uint8Array;
  /** With `wanted`: events of these types are looked at only where the condition is true of their thread. */
  threads?: ThreadCondition;
  /** With `wanted`: internal events (statistics, users, groups …) are looked at too. */
  internal?: boolean;
  /** Keep memory sizes, page faults and CPU times of threads true. Default true. */
  figures?: boolean;
  /** Most threads kept. */
  maxThreads?: number;
  /** Live: asks the machine (/proc) for a thread whose clone was lost. */
  onMissingThread?: (tid: number) => MissingThread | undefined;
  /** Live: asks the machine for a descriptor that came to process `pid` through a socket. */
  onPassedFd?: (pid: number, fd: number) => FdEntry | undefined;
  /** Live: users and groups inside a container, asked once per container. */
  onContainerUsers?: (
    containerId: string,
    thread: ThreadInfo,
  ) => { users: UserEntry[]; groups: GroupEntry[] } | undefined;
  /** Live: true while the thread exists; with it, threads that were silent for `purgeAfterNs` are checked and dropped. */
  isAlive?: (tid: number) => boolean;
  /** Default 300 s. */
  purgeIntervalNs?: number;
  /** Default 300 s. */
  purgeAfterNs?: number;
}

/** Counters of the state. */
export interface InspectorStats {
  threads: number;
  /** Descriptors of all processes. */
  fds: number;
  /** Threads not taken in because the table was full. */
  refusedThreads: number;
  /** Descriptors not taken in because their process had too many. */
  refusedFds: number;
  refusedUsers: number;
  /** Container descriptions that could not be read. */
  malformedContainers: number;
  /** Events of threads that nothing was known of. */
  unknownThreads: number;
  /** Threads learned from the machine. */
  healedThreads: number;
  /** Questions to the machine that were left out because there were too many (MAX_QUESTIONS). */
  unaskedQuestions: number;
  /** Threads dropped because they had gone without an exit event. */
  purgedThreads: number;
}
