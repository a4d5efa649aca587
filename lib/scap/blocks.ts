// SPDX-License-Identifier: Apache-2.0
// Block types of trace files: numbers, alternate numbers, kinds and versions.

/** What a block holds. */
export const KIND = Object.freeze({
  SECTION: 0,
  MACHINE: 1,
  PROCESSES: 2,
  FDS: 3,
  INTERFACES: 4,
  USERS: 5,
  EVENT: 6,
} as const);

/** One block type. */
export interface BlockType {
  readonly id: number;
  /** KIND. */
  readonly kind: number;
  /** Version of the layout, from 1. */
  readonly version: number;
  /** Short name for reports, such as "PL v9". */
  readonly name: string;
  /** EVENT blocks: the event is preceded by its flags. */
  readonly flags: boolean;
  /** EVENT blocks: may be larger than MAX_EVENT_BLOCK. */
  readonly large: boolean;
}

/** Block ids that are written, and those of the hot path. */
export const BLOCK = Object.freeze({
  SECTION: 0x0a0d0d0a,
  MACHINE: 0x201,
  PROCESSES_V9: 0x215,
  FDS_V2: 0x218,
  INTERFACES_V2: 0x219,
  USERS_V2: 0x220,
  EVENT_V2: 0x216,
  EVENT_FLAGS_V2: 0x217,
  EVENT_V2_LARGE: 0x221,
  EVENT_FLAGS_V2_LARGE: 0x222,
} as const);

/** Byte-order magic of a section header. */
export const SECTION_MAGIC = 0x1a2b3c4d;
/** Version of the file format that is written; files with a newer major version are refused. */
export const FORMAT_MAJOR = 1;
export const FORMAT_MINOR = 2;
/** Bytes of a block around its body: type and length before, length after. */
export const BLOCK_OVERHEAD = 12;
/** Largest event block that is not LARGE, in bytes. */
export const MAX_EVENT_BLOCK = 65536;
/** Largest LARGE event block that is accepted, in bytes. */
export const MAX_LARGE_BLOCK = 32 * 1024 * 1024;

type Row = readonly [id: number, alternate: number, kind: number, version: number, name: string, form?: string];
const ROWS: readonly Row[] = [
  [0x0a0d0d0a, 0, KIND.SECTION, 1, "SHB"],
  [0x201, 0x8002abcd, KIND.MACHINE, 1, "MI"],
  [0x202, 0x8000abcd, KIND.PROCESSES, 1, "PL v1"],
  [0x207, 0x8013abcd, KIND.PROCESSES, 2, "PL v2"],
  [0x209, 0x8014abcd, KIND.PROCESSES, 3, "PL v3"],
  [0x210, 0, KIND.PROCESSES, 4, "PL v4"],
  [0x211, 0, KIND.PROCESSES, 5, "PL v5"],
  [0x212, 0, KIND.PROCESSES, 6, "PL v6"],
  [0x213, 0, KIND.PROCESSES, 7, "PL v7"],
  [0x214, 0, KIND.PROCESSES, 8, "PL v8"],
  [0x215, 0, KIND.PROCESSES, 9, "PL v9"],
  [0x203, 0x8001abcd, KIND.FDS, 1, "FDL v1"],
  [0x218, 0, KIND.FDS, 2, "FDL v2"],
  [0x205, 0x8011abcd, KIND.INTERFACES, 1, "IL v1"],
  [0x219, 0, KIND.INTERFACES, 2, "IL v2"],
  [0x206, 0x8012abcd, KIND.USERS, 1, "UL v1"],
  [0x220, 0, KIND.USERS, 2, "UL v2"],
  [0x204, 0x8010abcd, KIND.EVENT, 1, "EV v1"],
  [0x208, 0, KIND.EVENT, 1, "EVF v1", "flags"],
  [0x216, 0, KIND.EVENT, 2, "EV v2"],
  [0x217, 0, KIND.EVENT, 2, "EVF v2", "flags"],
  [0x221, 0, KIND.EVENT, 2, "EV v2 LARGE", "large"],
  [0x222, 0, KIND.EVENT, 2, "EVF v2 LARGE", "flags large"],
];

/** Block types by id; the alternate ids of old files lead to the same records. */
export const BLOCK_TYPES: ReadonlyMap<number, BlockType> = (() => {
  const map = new Map<number, BlockType>();
  for (const [id, alternate, kind, version, name, form = ""] of ROWS) {
    const type: BlockType = Object.freeze({
      id,
      kind,
      version,
      name,
      flags: form.includes("flags"),
      large: form.includes("large"),
    });
    map.set(id, type);
    if (alternate !== 0) map.set(alternate, type);
  }
  return map;
})();
