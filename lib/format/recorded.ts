// SPDX-License-Identifier: Apache-2.0
// The context of an event of an old capture, seen as it was recorded.
import type { EventCursor } from "../scap/cursor.ts";
import type { CaptureSource, GroupEntry, InterfaceEntry, MachineInfo, UserEntry } from "../scap/source.ts";
import type { ContainerInfo } from "../sinsp/container_info.ts";
import type { FdInfo } from "../sinsp/fd_info.ts";
import type { Context } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";

/** Stands in front of a context and shows its event before conversion; everything else is the context's. */
export class RecordedContext implements Context {
  readonly recordedForm = true;
  private inner!: Context;
  ev!: EventCursor;
  thread: ThreadInfo | null = null;

  /** `ctx` itself for events that are as recorded in the present schema, else this object in front of it. */
  of(ctx: Context): Context {
    const ev = ctx.ev;
    if (ev.recordedType < 0 && !ev.legacyEnter) return ctx;
    this.inner = ctx;
    this.ev = ev.recorded ?? ev;
    this.thread = ctx.thread;
    return this;
  }

  get source(): CaptureSource {
    return this.inner.source;
  }
  get machine(): MachineInfo {
    return this.inner.machine;
  }
  get baseTime(): bigint {
    return this.inner.baseTime;
  }
  get fdNum(): number {
    return this.inner.fdNum;
  }
  get fd(): FdInfo | null {
    return this.inner.fd;
  }
  get fdNameChanged(): boolean {
    return this.inner.fdNameChanged;
  }
  get rawres(): number {
    return this.inner.rawres;
  }
  get firstTs(): number {
    return this.inner.firstTs;
  }
  get prevTs(): number {
    return this.inner.prevTs;
  }
  get enterTs(): number {
    return this.inner.enterTs;
  }
  get interfaces(): readonly InterfaceEntry[] {
    return this.inner.interfaces;
  }
  getThread(tid: number): ThreadInfo | undefined {
    return this.inner.getThread(tid);
  }
  leaderOf(thread: ThreadInfo): ThreadInfo {
    return this.inner.leaderOf(thread);
  }
  parentOf(thread: ThreadInfo): ThreadInfo | undefined {
    return this.inner.parentOf(thread);
  }
  user(uid: number, containerId: string): UserEntry | undefined {
    return this.inner.user(uid, containerId);
  }
  group(gid: number, containerId: string): GroupEntry | undefined {
    return this.inner.group(gid, containerId);
  }
  container(id: string): ContainerInfo | undefined {
    return this.inner.container(id);
  }
  resolvePath(base: string, path: string): string {
    return this.inner.resolvePath(base, path);
  }
}
