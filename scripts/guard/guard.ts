// SPDX-License-Identifier: Apache-2.0
// Puts scripts/guard/entry.S in front of an executable's entry, so that the environment cannot make Bun run other code.
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Offsets in the headers of a 64-bit little-endian ELF file. */
const ELF = { machine: 18, entry: 24, programHeaders: 32, programHeaderCount: 56 } as const;
const HEADER = { size: 56, flags: 4, offset: 8, address: 16, physical: 24, fileSize: 32, memorySize: 40, align: 48 };
const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_EXECUTE = 5;
/** The largest page of any kernel we run on. */
const PAGE = 0x10000n;

const TARGETS: Readonly<Record<number, string>> = { 62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu" };

/** Runs the first of several programs that is there. */
function tool(names: readonly string[], args: readonly string[]): void {
  const name = names.find((n) => Bun.which(n) !== null);
  if (name === undefined) throw new Error(`guard: ${names[0]} is missing`);
  const run = spawnSync(name, args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`guard: ${name}: ${run.stderr}`);
}

/** The machine code of entry.S, to be followed by the distance to the program's entry. */
function code(machine: number, scratch: string): Buffer {
  const target = TARGETS[machine];
  if (target === undefined) throw new Error(`guard: no code for ELF machine ${machine}`);
  const [object, image] = [`${scratch}.guard.o`, `${scratch}.guard.bin`];
  tool(["clang", "clang-14"], [`--target=${target}`, "-c", join(import.meta.dir, "entry.S"), "-o", object]);
  tool(["llvm-objcopy", "llvm-objcopy-14"], ["-O", "binary", "-j", ".text", object, image]);
  const bytes = readFileSync(image);
  for (const file of [object, image]) rmSync(file);
  return bytes;
}

/**
 * Changes the executable at `path`: its entry becomes the guard, in a segment of its own at the end of the file. The header
 * of a note (build id), which nothing needs at run time, makes room for the segment's.
 */
export function guardExecutable(path: string): void {
  const fd = openSync(path, "r+");
  try {
    const head = Buffer.alloc(4096);
    readSync(fd, head, 0, head.length, 0);
    if (head.readUInt32BE(0) !== 0x7f454c46) throw new Error(`guard: ${path} is no ELF file`);
    const table = Number(head.readBigUInt64LE(ELF.programHeaders));
    const count = head.readUInt16LE(ELF.programHeaderCount);
    let note = -1;
    let end = 0n;
    for (let i = 0; i < count; i++) {
      const at = table + i * HEADER.size;
      const type = head.readUInt32LE(at);
      if (type === PT_NOTE) note = at;
      if (type !== PT_LOAD) continue;
      const last = head.readBigUInt64LE(at + HEADER.address) + head.readBigUInt64LE(at + HEADER.memorySize);
      if (last > end) end = last;
    }
    if (note < 0) throw new Error(`guard: ${path} has no note whose header could be used`);

    const entry = head.readBigUInt64LE(ELF.entry);
    const guard = code(head.readUInt16LE(ELF.machine), path);
    const offset = (BigInt(statSync(path).size) + PAGE - 1n) & ~(PAGE - 1n);
    const address = (end + PAGE - 1n) & ~(PAGE - 1n);
    const distance = Buffer.alloc(8);
    distance.writeBigInt64LE(entry - address);
    const segment = Buffer.concat([guard, distance]);
    writeSync(fd, segment, 0, segment.length, Number(offset));

    head.writeUInt32LE(PT_LOAD, note);
    head.writeUInt32LE(READ_EXECUTE, note + HEADER.flags);
    head.writeBigUInt64LE(offset, note + HEADER.offset);
    for (const field of [HEADER.address, HEADER.physical]) head.writeBigUInt64LE(address, note + field);
    for (const field of [HEADER.fileSize, HEADER.memorySize])
      head.writeBigUInt64LE(BigInt(segment.length), note + field);
    head.writeBigUInt64LE(PAGE, note + HEADER.align);
    head.writeBigUInt64LE(address, ELF.entry);
    writeSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
}
