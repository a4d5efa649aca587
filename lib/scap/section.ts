// SPDX-License-Identifier: Apache-2.0
// The head of a section: section header, machine info and the lists of the initial state, parsed as the bytes come.
import { BLOCK, BLOCK_OVERHEAD, BLOCK_TYPES, type BlockType, FORMAT_MAJOR, KIND, SECTION_MAGIC } from "./blocks.ts";
import { EntryError, FieldReader, readFd, readInterface, readMachine, readProcess, readUser } from "./lists.ts";
import type { FdEntry, InitialState, MachineInfo } from "./source.ts";

/** The bytes at hand: `bytes[at … end)` are unread; `bytes[0]` is byte `base` of the stream. */
export interface Window {
  readonly bytes: Buffer;
  readonly view: DataView;
  at: number;
  readonly end: number;
  readonly base: number;
}

/** Damage in the head of a section. */
export class SectionError extends Error {
  /** Offset in the stream. */
  readonly offset: number;
  readonly wanted: string;
  readonly got: string;

  constructor(offset: number, wanted: string, got: string) {
    super(`found ${got}, wanted ${wanted}`);
    this.offset = offset;
    this.wanted = wanted;
    this.got = got;
  }
}

/**
 * Most processes and descriptors a section may list: bounds for hostile files, well above what a machine has. (The
 * reference lists every thread twice, and keeps 262144 of them.)
 */
const MAX_PROCESSES = 524_288;
const MAX_DESCRIPTORS = 2_000_000;

export function emptyState(): InitialState {
  return { processes: [], fds: new Map(), interfaces: [], users: [], groups: [] };
}

/** Lower-case hexadecimal with 0x. */
export function hex(n: number): string {
  return `0x${n.toString(16)}`;
}

/** Parses one section's head. After `step` returns true, the window is at the section's first event block. */
export class SectionReader {
  machine: MachineInfo | null = null;
  state: InitialState = emptyState();
  /** Minor version of the file format the section states. */
  minor = 0;
  /** Metadata blocks met, by id. */
  readonly blocks = new Map<number, number>();
  /** Bytes wanted from `window.at` on when `step` returned false. */
  need = 0;

  private readonly fields = new FieldReader();
  private begun = false;
  /** Block whose body is being consumed; null between blocks. */
  private block: BlockType | null = null;
  private blockAt = 0;
  private total = 0;
  /** Stream offset of the end of the block's body. */
  private bodyEnd = 0;
  /** Bytes of an unknown block or of padding still to be passed over. */
  private toSkip = 0;
  /** The body is read; the trailing length comes next. */
  private atTrailer = false;
  /** Descriptors of the list being read; null until its thread id was read. */
  private fds: FdEntry[] | null = null;
  private descriptors = 0;

  /**
   * Consumes what it can. True: the head is complete and the window is at an event block. False: more bytes are
   * wanted. Throws SectionError.
   */
  step(w: Window): boolean {
    for (;;) {
      if (this.toSkip > 0) {
        const n = Math.min(this.toSkip, w.end - w.at);
        w.at += n;
        this.toSkip -= n;
        if (this.toSkip > 0) return this.starve(1);
      }
      if (this.atTrailer) {
        if (w.end - w.at < 4) return this.starve(4);
        const trailer = w.view.getUint32(w.at, true);
        if (trailer !== this.total) {
          throw new SectionError(
            w.base + w.at,
            `block length ${this.total} repeated after the block`,
            `${trailer} there`,
          );
        }
        w.at += 4;
        this.atTrailer = false;
        this.block = null;
      }
      if (this.block !== null) {
        if (!this.body(w, this.block)) return false;
        continue;
      }
      if (w.end - w.at < 8) return this.starve(8);
      const id = w.view.getUint32(w.at, true);
      const type = BLOCK_TYPES.get(id);
      if (!this.begun && id !== BLOCK.SECTION) {
        throw new SectionError(
          w.base + w.at,
          `a section header block (${hex(BLOCK.SECTION)})`,
          `block type ${hex(id)}`,
        );
      }
      if (type !== undefined && type.kind === KIND.EVENT) {
        this.checkWhole(w.base + w.at, "an event");
        return true;
      }
      this.open(w, id, type);
    }
  }

  /** To be called at the end of the input: throws when the section lacks what every capture has. */
  checkWhole(offset: number, got: string): void {
    if (this.machine === null) throw new SectionError(offset, "a machine info block first", got);
  }

  /** Where the head stands in the middle of a block, "" between blocks. */
  get unfinished(): string {
    if (this.block !== null)
      return `block ${this.block.name} of ${this.total} bytes that began at byte ${this.blockAt}`;
    return this.toSkip > 0 || this.atTrailer ? `a block of ${this.total} bytes that began at byte ${this.blockAt}` : "";
  }

  private starve(n: number): false {
    this.need = n;
    return false;
  }

  private open(w: Window, id: number, type: BlockType | undefined): void {
    const total = w.view.getUint32(w.at + 4, true);
    this.blockAt = w.base + w.at;
    if (total < BLOCK_OVERHEAD) {
      throw new SectionError(this.blockAt + 4, `a block length of at least ${BLOCK_OVERHEAD}`, `${total}`);
    }
    this.blocks.set(id, (this.blocks.get(id) ?? 0) + 1);
    this.total = total;
    this.bodyEnd = this.blockAt + total - 4;
    w.at += 8;
    this.fds = null;
    if (type === undefined) {
      this.toSkip = total - BLOCK_OVERHEAD;
      this.atTrailer = true;
    } else this.block = type;
  }

  /** The body is done: what is left of it is padding. */
  private close(w: Window): true {
    this.toSkip = this.bodyEnd - (w.base + w.at);
    this.atTrailer = true;
    return true;
  }

  private body(w: Window, block: BlockType): boolean {
    switch (block.kind) {
      case KIND.SECTION:
        return this.sectionHeader(w);
      case KIND.MACHINE:
        return this.machineInfo(w);
      default:
        return this.list(w, block);
    }
  }

  private wantBody(w: Window, n: number, what: string): boolean {
    const left = this.bodyEnd - (w.base + w.at);
    if (left < n) throw new SectionError(w.base + w.at, `a ${what} of ${n} bytes`, `a block with ${left}`);
    return w.end - w.at >= n || this.starve(n);
  }

  private sectionHeader(w: Window): boolean {
    if (!this.wantBody(w, 16, "section header")) return false;
    const magic = w.view.getUint32(w.at, true);
    const major = w.view.getUint16(w.at + 4, true);
    if (magic !== SECTION_MAGIC) {
      const big = w.view.getUint32(w.at, false) === SECTION_MAGIC;
      throw new SectionError(
        w.base + w.at,
        `byte-order magic ${hex(SECTION_MAGIC)}`,
        big ? "a capture of a big-endian machine" : `${hex(magic)}`,
      );
    }
    if (major !== FORMAT_MAJOR) {
      throw new SectionError(w.base + w.at + 4, `format version ${FORMAT_MAJOR}.x`, `version ${major}.x`);
    }
    // A section without events may be followed by another one: its state is no longer of interest.
    this.minor = w.view.getUint16(w.at + 6, true);
    this.machine = null;
    this.state = emptyState();
    this.descriptors = 0;
    this.begun = true;
    w.at += 16;
    return this.close(w);
  }

  private machineInfo(w: Window): boolean {
    if (!this.wantBody(w, 180, "machine info")) return false;
    const r = this.fields;
    r.set(w.bytes, w.view, w.at, w.at + 180);
    this.machine = readMachine(r);
    w.at = r.at;
    return this.close(w);
  }

  private list(w: Window, block: BlockType): boolean {
    const r = this.fields;
    for (;;) {
      const left = this.bodyEnd - (w.base + w.at);
      const bare = block.kind === KIND.FDS && this.fds === null;
      // Fewer than four bytes are padding; a descriptor list begins with its thread id.
      if (left < 4 && !bare) return this.close(w);
      const inReach = Math.min(left, w.end - w.at);
      r.set(w.bytes, w.view, w.at, w.at + inReach);
      try {
        this.entry(r, block);
      } catch (error) {
        if (error instanceof EntryError) throw new SectionError(w.base + w.at, error.wanted, error.got);
        throw error;
      }
      if (r.short) {
        if (inReach === left) {
          throw new SectionError(w.base + w.at, "a whole entry", `${left} bytes at the end of block ${block.name}`);
        }
        return this.starve(inReach + 1);
      }
      if (this.state.processes.length > MAX_PROCESSES) {
        throw new SectionError(w.base + w.at, `at most ${MAX_PROCESSES} processes`, "more");
      }
      if (this.descriptors > MAX_DESCRIPTORS) {
        throw new SectionError(w.base + w.at, `at most ${MAX_DESCRIPTORS} descriptors`, "more");
      }
      w.at = r.at;
    }
  }

  private entry(r: FieldReader, block: BlockType): void {
    const state = this.state;
    switch (block.kind) {
      case KIND.PROCESSES: {
        const p = readProcess(r, block.version);
        if (p !== null) state.processes.push(p);
        return;
      }
      case KIND.FDS: {
        if (this.fds === null) {
          const tid = r.i64();
          if (r.short) return;
          this.fds = state.fds.get(tid) ?? [];
          state.fds.set(tid, this.fds);
          return;
        }
        const f = readFd(r, block.version);
        if (f !== null) {
          this.fds.push(f);
          this.descriptors++;
        }
        return;
      }
      case KIND.INTERFACES: {
        const i = readInterface(r, block.version);
        if (i !== null) state.interfaces.push(i);
        return;
      }
      default: {
        const u = readUser(r, block.version);
        if (u === null) return;
        if ("uid" in u) state.users.push(u);
        else state.groups.push(u);
      }
    }
  }
}
