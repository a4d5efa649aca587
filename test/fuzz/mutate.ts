// SPDX-License-Identifier: Apache-2.0
// Damages captures in the ways that files are damaged and attackers damage them, from a seed.
import { BLOCK_TYPES, KIND } from "../../lib/scap/blocks.ts";

/** A small generator of pseudo-random numbers (xorshift32): the same seed, the same damage, on every machine. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed << 7)) | 1;
    for (let i = 0; i < 8; i++) this.u32();
  }

  u32(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** 0 … n−1. */
  below(n: number): number {
    return n <= 0 ? 0 : this.u32() % n;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Offsets of the blocks of a plain capture. */
export function blockOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    offsets.push(at);
    const total = bytes.readUInt32LE(at + 4);
    if (total < 12) break;
    at += total;
  }
  return offsets;
}

/** A value that a length might be given to do harm. */
function harmful(random: Random, right: number): number {
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
      return random.below(40);
    case 2:
      return right + random.below(9) - 4;
    case 3:
      return 0xffffffff - random.below(16);
    case 4:
      return 0x7fffffff + random.below(3);
    case 5:
      return right * 2;
    case 6:
      return 65536 + random.below(64) - 32;
    default:
      return random.u32();
  }
}

const put16 = (b: Buffer, at: number, v: number): void => {
  if (at + 2 <= b.length) b.writeUInt16LE(v & 0xffff, at);
};
const put32 = (b: Buffer, at: number, v: number): void => {
  if (at + 4 <= b.length) b.writeUInt32LE(v >>> 0, at);
};

/** Where the event header of the event block at `at` begins; −1 for other blocks. */
function eventHeader(bytes: Buffer, at: number): number {
  const type = BLOCK_TYPES.get(bytes.readUInt32LE(at));
  return type?.kind === KIND.EVENT ? at + (type.flags ? 14 : 10) : -1;
}

type Mutation = (bytes: Buffer, random: Random, blocks: readonly number[]) => Buffer;

const flipBits: Mutation = (bytes, random) => {
  for (let n = 1 + random.below(16); n > 0; n--) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  }
  return bytes;
};

const flipBitsOfOneBlock: Mutation = (bytes, random, blocks) => {
  const at = random.pick(blocks) ?? 0;
  for (let n = 1 + random.below(4); n > 0; n--) {
    const p = Math.min(bytes.length - 1, at + random.below(64));
    bytes[p] = (bytes[p] as number) ^ (1 << random.below(8));
  }
  return bytes;
};

const cutAnywhere: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length));
const cutAtBlock: Mutation = (bytes, random, blocks) => bytes.subarray(0, random.pick(blocks) ?? 0);

const lieBlockLength: Mutation = (bytes, random, blocks) => {
  const at = random.pick(blocks) ?? 0;
  put32(bytes, at + 4, harmful(random, bytes.readUInt32LE(at + 4)));
  return bytes;
};

/** The length inside a metadata block: of an entry or a text. */
const lieInList: Mutation = (bytes, random, blocks) => {
  const lists = blocks.filter((at) => eventHeader(bytes, at) < 0);
  const at = random.pick(lists) ?? 0;
  const total = Math.min(bytes.readUInt32LE(at + 4), bytes.length - at);
  const p = at + 8 + random.below(Math.max(1, total - 12));
  if (random.below(2) === 0) put16(bytes, p, harmful(random, 10));
  else put32(bytes, p, harmful(random, 100));
  return bytes;
};

const lieInEvent: Mutation = (bytes, random, blocks) => {
  const events = blocks.filter((at) => eventHeader(bytes, at) >= 0);
  const at = events.length === 0 ? -1 : eventHeader(bytes, random.pick(events));
  if (at < 0) return flipBits(bytes, random, blocks);
  switch (random.below(5)) {
    case 0:
      put32(bytes, at + 16, harmful(random, 60));
      break;
    case 1:
      put16(bytes, at + 20, random.below(600));
      break;
    case 2:
      put32(bytes, at + 22, random.below(3) === 0 ? harmful(random, 5) : random.below(34));
      break;
    case 3:
      put16(bytes, at + 26 + 2 * random.below(8), harmful(random, 8));
      break;
    default:
      // Another thread, another time.
      put32(bytes, at + 8, random.u32());
      put32(bytes, at + 4, random.u32());
  }
  return bytes;
};

const changeBlockType: Mutation = (bytes, random, blocks) => {
  put32(bytes, random.pick(blocks) ?? 0, random.below(4) === 0 ? random.u32() : random.pick([...BLOCK_TYPES.keys()]));
  return bytes;
};

const moveBlocks: Mutation = (bytes, random, blocks) => {
  const from = random.below(blocks.length);
  const to = Math.min(blocks.length - 1, from + 1 + random.below(20));
  const [a, b] = [blocks[from] ?? 0, blocks[to] ?? 0];
  const piece = Buffer.from(bytes.subarray(a, b));
  const at = random.pick(blocks) ?? 0;
  // Cut out and put in elsewhere, or doubled.
  const rest = random.below(2) === 0 ? bytes : Buffer.concat([bytes.subarray(0, a), bytes.subarray(b)]);
  return Buffer.concat([rest.subarray(0, at), piece, rest.subarray(at)]);
};

const putNoise: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  const n = Math.min(bytes.length - at, 1 + random.below(200));
  for (let i = 0; i < n; i++) bytes[at + i] = random.below(3) === 0 ? 0xff : random.u32();
  return bytes;
};

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flipBits,
  flipBitsOfOneBlock,
  cutAnywhere,
  cutAtBlock,
  lieBlockLength,
  lieInList,
  lieInEvent,
  changeBlockType,
  moveBlocks,
  putNoise,
};
const NAMES = Object.keys(MUTATIONS);

/** A damaged copy of a plain capture (one to three mutations), and what was done to it. */
export function mutate(original: Buffer, random: Random): { bytes: Buffer; done: string } {
  let bytes: Buffer = Buffer.from(original);
  const done: string[] = [];
  for (let n = 1 + (random.below(3) === 0 ? random.below(3) : 0); n > 0 && bytes.length > 0; n--) {
    const name = random.pick(NAMES);
    bytes = (MUTATIONS[name] as Mutation)(bytes, random, blockOffsets(bytes));
    done.push(name);
  }
  return { bytes: Buffer.from(bytes), done: done.join("+") };
}

/** A damaged copy of a packed file. */
export function mutatePacked(original: Buffer, random: Random): { bytes: Buffer; done: string } {
  const name = random.pick(["flipBits", "cutAnywhere", "putNoise"]);
  const bytes = (MUTATIONS[name] as Mutation)(Buffer.from(original), random, [0]);
  return { bytes: Buffer.from(bytes), done: `packed ${name}` };
}
