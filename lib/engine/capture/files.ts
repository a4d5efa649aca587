// SPDX-License-Identifier: Apache-2.0
// Writes the events of a capture into one trace file, or into several one after the other, each complete in itself.
import { EVENT_FLAG, type EventCursor } from "../../scap/cursor.ts";
import { type CaptureWriter, createCaptureWriter } from "../../scap/writer.ts";
import { EVENT_FLAGS, EVENTS } from "../../schema/events.ts";
import { EC, EF } from "../../schema/tables/enums.ts";
import type { Inspector } from "../../sinsp/inspector.ts";
import { ROTATE, Rotation, type RotationRules } from "./rotation.ts";
import type { EventSink } from "./run.ts";
import { Snap } from "./snap.ts";

export interface FilesOptions {
  /** Name of the file ("-" = standard output), or what the names of several begin with. */
  path: string;
  compress: boolean;
  rotation: RotationRules;
  /** Keep events that the filter holds back where the state needs them, marked. */
  fatfile: boolean;
  /** There is a filter: internal events are kept only where the state needs them. */
  filtered: boolean;
  /** Bytes kept of I/O buffers; Infinity = all. */
  snaplen: number;
}

/** 1 for events that carry state of their own (users, groups, containers): every file keeps them. */
const IS_META = Uint8Array.from(EVENTS, (e) => ((e.kind & EC.METAEVENT) !== 0 ? 1 : 0));
/** Milliseconds after which what a live capture has is put where a reader finds it. */
const FLUSH_MS = 500;

export class CaptureFiles implements EventSink {
  /** Names of the files, in the order of writing. */
  readonly names: string[] = [];
  waiting = false;
  private readonly rotation: Rotation;
  private readonly snap: Snap | null;
  private writer: CaptureWriter;
  /** Files that are being closed, and the first failure among them. */
  private closing: Promise<void> = Promise.resolve();
  private failure: unknown = null;
  /** Time of the last flush; what a file begins with is flushed at once. */
  private flushed = Number.NEGATIVE_INFINITY;
  private readonly single: boolean;

  /** Creates the first file. Throws ScapIoError. */
  constructor(
    private readonly inspector: Inspector,
    private readonly options: FilesOptions,
  ) {
    this.rotation = new Rotation(options.path, options.rotation);
    this.single = this.rotation.single;
    this.snap = Number.isFinite(options.snaplen) ? new Snap(options.snaplen) : null;
    this.rotation.start(Number(inspector.baseTime));
    this.writer = this.create();
    const live = inspector.source.kind === "live";
    this.writer.writeHeader(inspector.machine, live ? inspector.snapshotState() : inspector.source.state);
  }

  private create(): CaptureWriter {
    this.names.push(this.rotation.name);
    return createCaptureWriter(this.rotation.name, { compress: this.options.compress });
  }

  event(cursor: EventCursor): boolean {
    if (!this.single) {
      const answer = this.rotation.check(this.writer.bytesWritten, Number(this.inspector.baseTime) + cursor.ts);
      if (answer === ROTATE.STOP) return false;
      if (answer === ROTATE.OPEN) this.nextFile();
    }
    this.write(cursor, false);
    return true;
  }

  filtered(cursor: EventCursor): void {
    if (!this.options.fatfile) return;
    const recorded = cursor.recorded ?? cursor;
    const needed = cursor.legacyEnter || ((EVENT_FLAGS[recorded.type] as number) & EF.MODIFIES_STATE) !== 0;
    if (needed) this.write(cursor, true);
  }

  internal(cursor: EventCursor): void {
    const needed = IS_META[cursor.type] === 1 || (cursor.flags & EVENT_FLAG.STATE_ONLY) !== 0;
    if (needed || !this.options.filtered) this.write(cursor, false);
  }

  section(): void {
    this.writer.writeHeader(this.inspector.machine, this.inspector.source.state);
  }

  private write(cursor: EventCursor, hidden: boolean): void {
    const event = this.snap === null ? cursor : this.snap.cut(cursor.recorded ?? cursor);
    if (hidden) this.writer.writeHiddenEvent(event);
    else this.writer.writeEvent(event);
  }

  /** Goes on in another file, which begins with the state as it is now. */
  private nextFile(): void {
    const full = this.writer;
    this.closing = this.closing
      .then(() => full.close())
      .catch((error) => {
        this.failure ??= error;
      });
    this.waiting = true;
    this.writer = this.create();
    this.writer.writeHeader(this.inspector.machine, this.inspector.snapshotState());
  }

  private check(): void {
    if (this.failure !== null) throw this.failure;
  }

  async turn(): Promise<void> {
    await this.closing;
    this.waiting = false;
    this.check();
    if (this.writer.full) await this.writer.drain();
    if (this.inspector.source.kind === "file") return;
    const now = performance.now();
    if (now - this.flushed < FLUSH_MS) return;
    this.flushed = now;
    await this.writer.flush();
  }

  /** Writes what is left. Throws when anything did not reach its file. */
  async close(): Promise<void> {
    await this.closing;
    await this.writer.close();
    this.check();
  }
}
