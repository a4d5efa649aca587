// SPDX-License-Identifier: Apache-2.0
// Copies a whole capture: state is written anew in the current layout, events pass through as bytes.
import { BLOCK } from "./blocks.ts";
import type { FileSource } from "./reader.ts";
import { NEXT } from "./source.ts";
import type { CaptureWriter } from "./writer.ts";

/** True for blocks whose bytes are as the writer would write them. */
function passesThrough(blockId: number): boolean {
  return (
    blockId === BLOCK.EVENT_FLAGS_V2 ||
    blockId === BLOCK.EVENT_V2 ||
    blockId === BLOCK.EVENT_FLAGS_V2_LARGE ||
    blockId === BLOCK.EVENT_V2_LARGE
  );
}

/** Copies the events in memory; returns what stopped it (NEXT). */
function copyRun(source: FileSource, writer: CaptureWriter): number {
  let from = source.at;
  let count = 0;
  for (;;) {
    const before = source.at;
    const result = source.next();
    if (result === NEXT.EVENT) {
      if (passesThrough(source.blockId)) {
        count++;
        continue;
      }
      writer.writeBlocks(source.bytes, from, before, count);
      count = 0;
      writer.writeEvent(source.cursor);
      from = source.at;
      continue;
    }
    // The head of a further section is not copied: its state is written anew.
    writer.writeBlocks(source.bytes, from, source.eventsEnd, count);
    return result;
  }
}

/** How a pass over a whole capture goes. */
export interface PassOptions {
  /** Called after each batch of events. */
  onBatch?: () => void;
  /** Waits for more of the source; false ends the pass. Default: source.more(). */
  more?: () => Promise<boolean>;
}

/**
 * Writes all of `source` (opened with `asRecorded`) to `writer`, which stays open. All whole events before any damage
 * are written before the ScapFormatError is thrown.
 */
export async function copyCapture(source: FileSource, writer: CaptureWriter, options: PassOptions = {}): Promise<void> {
  const more = options.more ?? (() => source.more());
  writer.writeHeader(source.machine, source.state);
  do {
    while (copyRun(source, writer) === NEXT.SECTION) writer.writeHeader(source.machine, source.state);
    if (writer.full) await writer.drain();
    options.onBatch?.();
  } while (await more());
}
