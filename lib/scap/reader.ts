// SPDX-License-Identifier: Apache-2.0
// Trace files as a source of events: walks blocks in a window of memory, checks every event, moves the cursor.
import { noInline } from "bun:jsc";
import { ANY_COUNT, AS_IS, DEMAND, demandFor } from "../schema/conversion.ts";
import { EVENT_LARGE, EVENT_MAX } from "../schema/events.ts";
import { EV } from "../schema/tables/enums.ts";
import { BLOCK, BLOCK_TYPES, type BlockType, KIND, MAX_EVENT_BLOCK, MAX_LARGE_BLOCK } from "./blocks.ts";
import { CONSTANTS, Converter } from "./converter.ts";
import { EVENT_FLAG, EVENT_HEADER_SIZE, EventCursor, MAX_PARAMS, readInt64 } from "./cursor.ts";
import { inputName, ScapFormatError } from "./errors.ts";
import { type ByteInput, openInput } from "./input.ts";
import { emptyState, hex, SectionError, SectionReader, type Window } from "./section.ts";
import {
  type CaptureSource,
  type InitialState,
  type MachineInfo,
  MEET,
  NEXT,
  type Selection,
  type SourceStats,
} from "./source.ts";
import { EventUpgrader, UPGRADE } from "./upgrade.ts";

/** Bytes of the window at the start, but for the constants at its end (it stays in the CPU's cache); it grows only for an event or entry that is larger. */
const WINDOW = 512 * 1024;
const TWO32 = 4294967296;
/** Smallest event blocks: block header, cpu, (flags), event header and trailer; v1 headers are 4 bytes shorter. */
const LEAST_BLOCK = 8 + 2 + 22 + 4;

/** Threads that are known to the reader lie at the lowest bits of their ids; nobody's id lies where it would have to. */
const KNOWN_THREADS = 256;
const NOBODY = Int32Array.from({ length: KNOWN_THREADS }, (_, i) => i + 1);

/** The block held nothing to deliver. */
const PASSED_OVER = -1;

/** Where the reader stands. */
const PHASE = { HEAD: 0, EVENTS: 1, END: 2, FAILED: 3, LEADING: 4 } as const;

const NO_MACHINE: MachineInfo = { numCpus: 0, memorySize: 0, maxPid: 0, hostname: "", bootTime: 0n, flags: 0n };

/** Entry of the tables below: events that nextSlow() sees to. */
const SLOW = 0xfd;
/**
 * Entries for events that are checked, counted and passed over: without further ado; enter events that the converter is
 * told of; enter events that it keeps.
 */
const PASS = 0xfc;
const PASS_ENTER = 0xfb;
const PASS_KEPT = 0xfa;
/** Entry for each DEMAND; that for WANTED depends on the type. */
const PASSES: Readonly<Record<number, number>> = {
  [DEMAND.UNWANTED]: PASS,
  [DEMAND.UNWANTED_ENTER]: PASS_ENTER,
  [DEMAND.KEPT]: PASS_KEPT,
};

/**
 * For every type an event header can state: SLOW (unknown types, 32-bit parameter lengths), PASS…, ANY_COUNT, or the number
 * of parameters with which the event is delivered as it is; with another number it is converted.
 */
function typeTable(asIs: (type: number) => number): Uint8Array {
  const table = new Uint8Array(65536).fill(SLOW);
  for (let type = 0; type < EVENT_MAX; type++) if (EVENT_LARGE[type] === 0) table[type] = asIs(type);
  return table;
}
const CURRENT = typeTable((type) => AS_IS[type]!);
const RECORDED = typeTable(() => ANY_COUNT);

/** CURRENT, but that only the `wanted` types are delivered. */
function selectiveTable(wanted: Uint8Array): Uint8Array {
  const demand = demandFor(wanted);
  return typeTable((type) => PASSES[demand[type]!] ?? AS_IS[type]!);
}

/** While nothing is selected no thread is known. */
const ALL_HARMLESS = new Uint8Array(EVENT_MAX).fill(1);

/** Memory for `size` bytes of a file, with the converter's constants behind them. */
function newWindow(size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size + CONSTANTS.length);
  CONSTANTS.copy(bytes, size);
  return bytes;
}

export interface OpenOptions {
  /** Deliver events as they were recorded, without conversion to the current schema. */
  asRecorded?: boolean;
}

/** A trace file, or standard input, as a CaptureSource. Made by openCapture(). */
export class FileSource implements CaptureSource, Window {
  readonly kind = "file";
  readonly name: string;
  readonly cursor = new EventCursor();
  machine: MachineInfo = NO_MACHINE;
  state: InitialState = emptyState();
  baseTime = 0n;
  /** Minor version of the format of the current section. */
  minor = 0;
  /** Metadata blocks of the current section by block id. */
  blocks: ReadonlyMap<number, number> = new Map();
  /** Block id of the event under the cursor. */
  blockId = 0;
  /** Sections begun so far. */
  sections = 0;
  /** Events of a type that this schema does not know or use; they are passed over. */
  unknownEvents = 0;
  passedOver = 0;

  bytes: Buffer = newWindow(WINDOW);
  view: DataView = new DataView(this.bytes.buffer);
  private words: Int32Array = new Int32Array(this.bytes.buffer);
  at = 0;
  end = 0;
  base = 0;

  /** Offset in `bytes` up to which the last call of next() that delivered no event walked over event blocks. */
  eventsEnd = 0;

  private readonly input: ByteInput;
  private phase: number = PHASE.HEAD;
  private section = new SectionReader();
  /** Bytes from `at` on that are wanted before `next` can go on; 0 when it can. */
  private need = 1;
  private inputEnded = false;
  /** What ended the input, told once all bytes before it are used up. */
  private inputFailure: Error | null = null;
  private failure: Error | null = null;
  private num = 0;
  private baseLow = 0;
  private baseHigh = 0;
  /** The cursor is on memory other than the window (an event in another form than the current one). */
  private elsewhere = false;

  private readonly converter = new Converter();
  private readonly upgrader = new EventUpgrader();
  private readonly asRecorded: boolean;
  /** By event type: what next() does with it. */
  private asIs: Uint8Array;
  /** What choose() was given last, and the table made of it. */
  private selection: Selection | null = null;
  private selective: Uint8Array = CURRENT;
  private harmless: Uint8Array = ALL_HARMLESS;
  /** Threads whose events are passed over unasked. */
  private readonly known = NOBODY.slice();

  constructor(name: string, input: ByteInput, options: OpenOptions) {
    this.name = name;
    this.asRecorded = options.asRecorded === true;
    this.asIs = this.asRecorded ? RECORDED : CURRENT;
    this.input = input;
    this.cursor.bytes = this.bytes;
    this.cursor.view = this.view;
    this.converter.setWindow(this.bytes);
  }

  /** Bytes of a file that the window holds. */
  private get capacity(): number {
    return this.bytes.length - CONSTANTS.length;
  }

  /** How the file is packed. */
  get packing(): "plain" | "gzip" | "zstd" {
    return this.input.packing;
  }

  next(): number {
    if (this.phase !== PHASE.EVENTS) return this.nextOutside();
    const words = this.words;
    const end = this.end;
    let at = this.at;
    for (;;) {
      // Blocks lie on multiples of four, and with the two bytes of the CPU before it the event's header is read best in
      // aligned words: these hold, from `w + 2` on, cpu and time, time, time and thread, thread, thread and length,
      // length and type, number of parameters, then the lengths of two parameters each. (With flags before the header,
      // all of it lies one word further on.) Whatever is out of the ordinary is left to nextSlow().
      if (at + 8 > end || (at & 3) !== 0) return this.nextSlow(at);
      let w = at >>> 2;
      const id = words[w]!;
      const total = words[w + 1]!;
      let head = at + 10;
      let flags = 0;
      if (id !== BLOCK.EVENT_V2) {
        if (id !== BLOCK.EVENT_FLAGS_V2) return this.nextSlow(at);
        flags = (words[w + 2]! >>> 16) | (words[w + 3]! << 16);
        head = at + 14;
        w++;
      }
      const next = at + total;
      if (total > MAX_EVENT_BLOCK || total < LEAST_BLOCK || next > end) return this.nextSlow(at);
      const w6 = words[w + 6]!;
      const w7 = words[w + 7]!;
      const length = (w6 >>> 16) | (w7 << 16);
      const type = w7 >>> 16;
      const nparams = words[w + 8]!;
      const eventEnd = head + length;
      if (length < EVENT_HEADER_SIZE || eventEnd > next - 4 || nparams >>> 0 > MAX_PARAMS) return this.nextSlow(at);
      let asIs = this.asIs[type]!;
      if (asIs === SLOW) return this.nextSlow(at);
      let used = head + EVENT_HEADER_SIZE + nparams * 2;
      let l = w + 9;
      for (let n = nparams; n > 1; n -= 2) {
        const two = words[l++]!;
        used += (two & 0xffff) + (two >>> 16);
      }
      if ((nparams & 1) !== 0) used += words[l]! & 0xffff;
      if (used > eventEnd) return this.nextSlow(at);
      const w3 = words[w + 3]!;
      const w4 = words[w + 4]!;
      const w5 = words[w + 5]!;
      const tidLow = (w4 >>> 16) | (w5 << 16);
      const tidHigh = (w5 >>> 16) | (w6 << 16);
      const tid = tidHigh === tidLow >> 31 ? tidLow : tidHigh * TWO32 + (tidLow >>> 0);
      if (asIs <= PASS && asIs >= PASS_KEPT) {
        // Marked events are for those who look at the marks.
        if (flags !== 0) return this.nextSlow(at);
        if (this.known[tid & (KNOWN_THREADS - 1)] !== tid && this.meet(tid, type)) asIs = CURRENT[type]!;
        else {
          this.passedOver++;
          if (asIs !== PASS_KEPT) {
            this.num++;
            if (asIs === PASS_ENTER) this.converter.passEnter(tid);
            at = next;
            continue;
          }
        }
      }
      this.at = next;
      this.blockId = id;
      const c = this.cursor;
      if (this.elsewhere) this.backToWindow();
      c.offset = head;
      c.type = type;
      c.tid = tid;
      const timeLow = (words[w + 2]! >>> 16) | (w3 << 16);
      const timeHigh = (w3 >>> 16) | (w4 << 16);
      c.ts = ((timeHigh >>> 0) - this.baseHigh) * TWO32 + ((timeLow >>> 0) - this.baseLow);
      c.cpu = words[(at >>> 2) + 2]! & 0xffff;
      c.num = ++this.num;
      c.flags = flags;
      c.nparams = nparams;
      c.length = length;
      c.reset();
      if (asIs === nparams || asIs === ANY_COUNT || (this.convert() && asIs !== PASS_KEPT)) {
        if (this.harmless[c.type] !== 1) this.known.set(NOBODY);
        return NEXT.EVENT;
      }
      at = next;
    }
  }

  choose(selection: Selection | null): void {
    if (this.asRecorded) return;
    if (selection !== null && selection !== this.selection) {
      this.selection = selection;
      this.selective = selectiveTable(selection.wanted);
      this.harmless = selection.harmless;
    }
    this.known.set(NOBODY);
    this.asIs = selection === null ? CURRENT : this.selective;
  }

  /** Whether an event is to be delivered although its type is not wanted. */
  private meet(tid: number, type: number): boolean {
    const answer = this.selection!.meet(tid, type);
    // An id of more than 32 bits is asked for every time.
    if (answer === MEET.KNOWN && tid === (tid | 0)) this.known[tid & (KNOWN_THREADS - 1)] = tid;
    return answer === MEET.DELIVER;
  }

  /** next() at a block that is out of the ordinary, or at the end of what is in memory. */
  private nextSlow(from: number): number {
    this.at = from;
    for (;;) {
      const at = this.at;
      if (this.end - at < 8) return this.starve(at, 8);
      const result = this.nextBlock(at, this.view.getUint32(at, true));
      if (result !== PASSED_OVER) return result;
    }
  }

  /** Brings the event under the cursor to the current schema; false: it is to be passed over. */
  private convert(): boolean {
    if (this.asRecorded) return true;
    this.elsewhere = true;
    if (this.converter.convert(this.cursor)) return true;
    this.unknownEvents++;
    this.num--;
    return false;
  }

  /** Puts the cursor back on the window after an event that was somewhere else or had another form. */
  private backToWindow(): void {
    const c = this.cursor;
    c.bytes = this.bytes;
    c.view = this.view;
    c.unconverted();
    this.elsewhere = false;
  }

  /** next() outside of the events of a section. */
  private nextOutside(): number {
    this.eventsEnd = this.at;
    if (this.phase === PHASE.END) return NEXT.END;
    if (this.phase === PHASE.FAILED) return NEXT.IDLE;
    return this.phase === PHASE.LEADING ? this.nextLeading() : this.nextHead();
  }

  /**
   * The users and groups at the start of a further section say again what the state says: as in the reference, they
   * do not count.
   */
  private nextLeading(): number {
    this.phase = PHASE.EVENTS;
    const result = this.next();
    if (this.phase !== PHASE.EVENTS) return result;
    const type = this.cursor.type;
    if (result === NEXT.EVENT) {
      if (type < EV.USER_ADDED_E || type > EV.GROUP_DELETED_X) return result;
      this.cursor.num = --this.num;
    }
    this.phase = PHASE.LEADING;
    return result;
  }

  private nextHead(): number {
    try {
      if (!this.section.step(this)) {
        if (!this.inputEnded) {
          this.need = this.section.need;
          return NEXT.IDLE;
        }
        return this.headEnded();
      }
      // The first event's time is what relative times count from.
      if (this.end - this.at < LEAST_BLOCK && !this.inputEnded) {
        this.need = LEAST_BLOCK;
        return NEXT.IDLE;
      }
    } catch (error) {
      if (error instanceof SectionError) {
        return this.failHead(new ScapFormatError(this.name, error.offset, error.wanted, error.got));
      }
      throw error;
    }
    this.beginSection();
    return NEXT.SECTION;
  }

  /** Damage in the head of a section: what was whole before it is delivered as its state, then the error comes. */
  private failHead(error: Error): number {
    const told = this.section.machine !== null;
    if (told) this.beginSection();
    this.failWith(error);
    return told ? NEXT.SECTION : NEXT.IDLE;
  }

  /** The input ended in the head of a section: fine when it is whole (a capture without events). */
  private headEnded(): number {
    if (this.inputFailure !== null) return this.failHead(this.inputFailure);
    const offset = this.base + this.end;
    const missing = (wanted: string, got = "the end of the file"): number =>
      this.failHead(new ScapFormatError(this.name, offset, wanted, got));
    if (offset === 0) return missing("a section header block", "an empty file");
    const unfinished = this.section.unfinished;
    if (unfinished !== "") return missing(`the rest of ${unfinished}`);
    if (this.end - this.at > 0) return missing("a block header of 8 bytes");
    this.section.checkWhole(offset, "the end of the file");
    this.beginSection();
    return NEXT.SECTION;
  }

  /** Takes over the state of the head that was read. */
  private beginSection(): void {
    const { machine, state, minor, blocks } = this.section;
    this.machine = machine ?? NO_MACHINE;
    this.state = state;
    this.minor = minor;
    this.blocks = blocks;
    this.section = new SectionReader();
    this.sections++;
    this.converter.clear();
    this.asIs = this.asRecorded ? RECORDED : CURRENT;
    this.phase = this.sections > 1 ? PHASE.LEADING : PHASE.EVENTS;
    this.need = 0;
    this.baseLow = 0;
    this.baseHigh = 0;
    if (this.end - this.at >= LEAST_BLOCK) {
      const type = BLOCK_TYPES.get(this.view.getUint32(this.at, true));
      const time = this.at + (type?.flags ? 14 : 10);
      this.baseLow = this.view.getUint32(time, true);
      this.baseHigh = this.view.getUint32(time + 4, true);
    }
    this.baseTime = (BigInt(this.baseHigh) << 32n) | BigInt(this.baseLow);
  }

  private nextBlock(at: number, id: number): number {
    this.eventsEnd = at;
    if (id === BLOCK.SECTION) {
      this.phase = PHASE.HEAD;
      return this.nextHead();
    }
    const type = BLOCK_TYPES.get(id);
    if (type === undefined || type.kind !== KIND.EVENT) {
      return this.fail(this.base + at, "an event block or a new section header", `block type ${hex(id)}`);
    }
    return this.nextEvent(at, type);
  }

  /** An event in a block of any form; what next() does in a hurry is done here with all care. */
  private nextEvent(at: number, block: BlockType): number {
    const view = this.view;
    const total = view.getUint32(at + 4, true);
    const most = block.large ? MAX_LARGE_BLOCK : MAX_EVENT_BLOCK;
    if (total > most || total < LEAST_BLOCK + (block.flags ? 4 : 0)) return this.failLength(at, total, most);
    const next = at + total;
    if (next > this.end) return this.starve(at, total);
    let head = at + (block.flags ? 14 : 10);
    let bytes = this.bytes;
    let from = view;
    let limit = next - 4;
    const c = this.cursor;
    if (block.version === 1) {
      const upgraded = this.upgrader.upgrade(bytes, view, head, limit);
      if (upgraded === UPGRADE.DAMAGED) return this.fail(this.base + at, "a v1 event", this.upgrader.fault);
      if (upgraded === UPGRADE.UNKNOWN) {
        this.unknownEvents++;
        this.at = next;
        return PASSED_OVER;
      }
      bytes = this.upgrader.bytes;
      from = this.upgrader.view;
      head = 0;
      limit = upgraded;
    }
    const length = from.getUint32(head + 16, true);
    const type = from.getUint16(head + 20, true);
    const nparams = from.getUint32(head + 22, true);
    if (length < EVENT_HEADER_SIZE || head + length > limit || nparams > MAX_PARAMS) {
      return this.failEvent(at, head, limit);
    }
    this.at = next;
    if (type >= EVENT_MAX) {
      this.unknownEvents++;
      return PASSED_OVER;
    }
    const wide = EVENT_LARGE[type] === 1;
    let used = EVENT_HEADER_SIZE + nparams * (wide ? 4 : 2);
    if (used <= length) {
      for (let i = 0, lens = head + EVENT_HEADER_SIZE; i < nparams; i++) {
        used += wide ? from.getUint32(lens + i * 4, true) : from.getUint16(lens + i * 2, true);
      }
    }
    if (used > length) {
      this.at = at;
      return this.failParams(at, nparams, length, used);
    }
    this.blockId = block.id;
    c.bytes = bytes;
    c.view = from;
    c.unconverted();
    this.elsewhere = bytes !== this.bytes;
    c.offset = head;
    c.type = type;
    c.tid = readInt64(from, head + 8);
    c.cpu = view.getUint16(at + 8, true);
    c.ts = (from.getUint32(head + 4, true) - this.baseHigh) * TWO32 + (from.getUint32(head, true) - this.baseLow);
    c.num = ++this.num;
    c.flags = (block.flags ? view.getUint32(at + 10, true) : 0) | (block.large ? EVENT_FLAG.LARGE : 0);
    c.nparams = nparams;
    c.length = length;
    c.reset();
    const asIs = AS_IS[type];
    if (asIs === nparams || asIs === ANY_COUNT) return NEXT.EVENT;
    const converted = this.convert();
    // The next v1 event takes the memory of this one.
    if (block.version === 1) this.converter.detach();
    return converted ? NEXT.EVENT : PASSED_OVER;
  }

  /** `need` bytes from `at` on are not all here. */
  private starve(at: number, need: number): number {
    this.at = at;
    this.eventsEnd = at;
    if (!this.inputEnded) {
      this.need = need;
      return NEXT.IDLE;
    }
    if (this.inputFailure !== null) return this.failWith(this.inputFailure);
    const left = this.end - at;
    if (left === 0) {
      this.phase = PHASE.END;
      return NEXT.END;
    }
    const offset = this.base + at;
    const wanted = need === 8 && left < 8 ? "a block header of 8 bytes" : `an event block of ${need} bytes`;
    return this.fail(offset, wanted, `${left} bytes before the end of the file`);
  }

  private fail(offset: number, wanted: string, got: string): number {
    return this.failWith(new ScapFormatError(this.name, offset, wanted, got));
  }

  private failWith(error: Error): number {
    this.failure = error;
    this.phase = PHASE.FAILED;
    return NEXT.IDLE;
  }

  private failLength(at: number, total: number, most: number): number {
    this.eventsEnd = at;
    return this.fail(this.base + at + 4, `an event block of ${LEAST_BLOCK} to ${most} bytes`, `a length of ${total}`);
  }

  private failEvent(at: number, head: number, limit: number): number {
    this.eventsEnd = at;
    const view = this.view;
    const length = view.getUint32(head + 16, true);
    const nparams = view.getUint32(head + 22, true);
    const offset = this.base + at;
    if (length < EVENT_HEADER_SIZE || head + length > limit) {
      return this.fail(offset, `an event of ${EVENT_HEADER_SIZE} to ${limit - head} bytes`, `a length of ${length}`);
    }
    return this.fail(offset, `an event of at most ${MAX_PARAMS} parameters`, `${nparams}`);
  }

  private failParams(at: number, nparams: number, length: number, used: number): number {
    this.eventsEnd = at;
    return this.fail(
      this.base + at,
      `${nparams} parameters that fit an event of ${length} bytes`,
      `parameters up to byte ${used} of it`,
    );
  }

  async more(): Promise<boolean> {
    if (this.failure !== null) throw this.failure;
    if (this.phase === PHASE.END) return false;
    if (this.need > 0) {
      this.converter.detach();
      await this.fill(this.need);
    }
    return true;
  }

  /** Brings in bytes until `need` of them lie from `at` on, or the input ends. */
  private async fill(need: number): Promise<void> {
    if (this.at === this.end) {
      this.base += this.at;
      this.at = 0;
      this.end = 0;
    } else if (this.capacity - this.at < need || this.at > this.capacity / 2) this.compact(need);
    this.need = 0;
    while (this.end - this.at < need && !this.inputEnded) {
      try {
        const n = await this.input.read(this.bytes, this.end, this.capacity - this.end);
        if (n === 0) this.inputEnded = true;
        this.end += n;
      } catch (error) {
        this.inputEnded = true;
        this.inputFailure = error as Error;
      }
      if (this.end === this.capacity && this.end - this.at < need) this.compact(need);
    }
  }

  /** Moves the unread bytes to the front, into a larger window when `need` does not fit. */
  private compact(need: number): void {
    let size = this.capacity;
    // It doubles as bytes really come, so that a length that lies does not cost memory.
    if (this.at === 0 && this.end === size && need > size) size *= 2;
    const from = this.bytes;
    if (size !== this.capacity) {
      this.bytes = newWindow(size);
      this.converter.setWindow(this.bytes);
      this.view = new DataView(this.bytes.buffer);
      this.words = new Int32Array(this.bytes.buffer);
      this.cursor.bytes = this.bytes;
      this.cursor.view = this.view;
    }
    from.copy(this.bytes, 0, this.at, this.end);
    this.base += this.at;
    this.end -= this.at;
    this.at = 0;
  }

  /** Reads the first section's head. */
  async begin(): Promise<void> {
    while (this.next() === NEXT.IDLE) await this.more();
  }

  stats(): SourceStats {
    return {
      events: this.num,
      drops: 0,
      dropsBuffer: 0,
      dropsByCategory: {},
      dropsMaxSize: 0,
      dropsBug: 0,
      preemptions: 0,
      suppressed: 0,
    };
  }

  progress(): number {
    return this.phase === PHASE.END ? 1 : this.input.progress();
  }

  close(): Promise<void> {
    return this.input.close();
  }
}

// A caller's loop is compiled far sooner without this large method inside, and runs no slower.
noInline(FileSource.prototype.next);

/**
 * Opens a trace file ("-": standard input): plain, gzip or zstd, whatever its name. Resolves when the first section's
 * machine info and state are read. Throws ScapIoError or ScapFormatError.
 */
export async function openCapture(path: string, options: OpenOptions = {}): Promise<FileSource> {
  const source = new FileSource(inputName(path), await openInput(path), options);
  try {
    await source.begin();
  } catch (error) {
    await source.close();
    throw error;
  }
  return source;
}
