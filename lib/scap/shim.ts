// SPDX-License-Identifier: Apache-2.0
// Binding of the C shim (libscap-shim/shim.h): loads the library from memory and hands out its functions and rings.
import { CString, dlopen, FFIType, type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import { closeSync, existsSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Index of each option of `shim_open`; see enum shim_option. */
export const SHIM_OPTION = Object.freeze({
  ENGINE: 0,
  RING_BYTES: 1,
  CPUS_PER_RING: 2,
  SNAPLEN: 3,
  DYNAMIC_SNAPLEN: 4,
  FULLCAPTURE_FIRST: 5,
  FULLCAPTURE_LAST: 6,
  STATSD_PORT: 7,
  DROP_FAILED: 8,
  EXCLUDE_SELF: 9,
  TRACEPOINTS: 10,
  SAMPLING: 11,
  ENTER_HOOKS: 12,
  PERF_CALLS: 13,
  COUNT: 14,
} as const);

export const SHIM_ENGINE = Object.freeze({ MODERN_BPF: 1 } as const);

/** Values of SHIM_OPTION.ENTER_HOOKS. */
export const SHIM_ENTER = Object.freeze({ none: 0, native: 1, all: 2 } as const);

/** Bits of SHIM_OPTION.TRACEPOINTS. */
export const SHIM_TRACEPOINT = Object.freeze({
  PROC_EXIT: 1,
  SWITCH: 2,
  SIGNAL: 4,
  FAULT_USER: 8,
  FAULT_KERNEL: 16,
} as const);

/** Columns of a row of `shim_next`. */
export const ROW = Object.freeze({
  RING: 0,
  OFFSET: 1,
  TYPE: 2,
  NPARAMS: 3,
  LENGTH: 4,
  CPU: 5,
  TID: 6,
  COLUMNS: 8,
} as const);

/** Columns of `shim_stats`: the drops are one column per kind, in the order of DROP_KINDS. */
export const STAT = Object.freeze({
  EVENTS: 0,
  DROPS: 1,
  DROPS_MAX_SIZE: 13,
  DROPS_BUG: 14,
  PREEMPTIONS: 15,
  COLUMNS: 16,
} as const);
/** What `shim_iterate` iterates over; see enum shim_iterate. */
export const SHIM_ITERATE = Object.freeze({ TASKS: 0, FILES: 1 } as const);

/** Kinds of drops of a full ring, in the order of enum probe_drop. */
export const DROP_KINDS = Object.freeze([
  "clone_fork_exit",
  "execve_exit",
  "connect_enter",
  "connect_exit",
  "open_enter",
  "open_exit",
  "dir_file_exit",
  "other_interest_exit",
  "close_exit",
  "proc_exit",
  "page_fault",
  "other",
] as const);

const symbols = {
  shim_check: { args: [FFIType.u32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  shim_open: { args: [FFIType.ptr, FFIType.ptr, FFIType.u32], returns: FFIType.ptr },
  shim_ready: { args: [FFIType.ptr, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  shim_missing: { args: [FFIType.ptr, FFIType.ptr, FFIType.u32], returns: FFIType.u32 },
  shim_select: { args: [FFIType.ptr, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  shim_set: { args: [FFIType.ptr, FFIType.u32, FFIType.u32], returns: FFIType.i32 },
  shim_start: { args: [FFIType.ptr, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  shim_stop: { args: [FFIType.ptr], returns: FFIType.void },
  shim_ring_count: { args: [FFIType.ptr], returns: FFIType.u32 },
  shim_ring_data: { args: [FFIType.ptr, FFIType.u32, FFIType.ptr], returns: FFIType.ptr },
  shim_base_time: { args: [FFIType.ptr], returns: FFIType.u64 },
  shim_now: { args: [FFIType.ptr], returns: FFIType.f64 },
  shim_next: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u32, FFIType.u32], returns: FFIType.u32 },
  shim_stats: { args: [FFIType.ptr, FFIType.i32, FFIType.ptr], returns: FFIType.void },
  shim_iterate: { args: [FFIType.ptr, FFIType.u32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  shim_iterate_next: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  shim_iterate_end: { args: [FFIType.i32], returns: FFIType.void },
  shim_close: { args: [FFIType.ptr], returns: FFIType.void },
  shim_release_memory: { args: [], returns: FFIType.u64 },
  shim_drop_privileges: { args: [FFIType.u32, FFIType.u32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
} as const;

export type ShimLibrary = ReturnType<typeof dlopen<typeof symbols>>["symbols"];

/** The shim cannot be loaded, or an engine cannot do what it was asked. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

let library: ShimLibrary | undefined;
let embedded: string | undefined;

/** Tells where the library is when it is part of the executable: the path an `import … with { type: "file" }` gave. */
export function setEmbeddedShim(path: string): void {
  embedded = path;
}

function libraryBytes(): Uint8Array {
  const path = embedded ?? process.env.FALCO_SHIM ?? join(import.meta.dir, "../../build/falco-shim.so");
  if (!embedded && !existsSync(path)) {
    throw new EngineError(`${path}: the capture library is not built; run 'sh scripts/build-driver.sh'`);
  }
  return readFileSync(path);
}

/** memfd_create through the C library: a file without a name, which nobody can replace between writing and loading. */
function memoryFile(bytes: Uint8Array): number {
  const libc = dlopen("libc.so.6", {
    memfd_create: { args: [FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  });
  const name = Buffer.from(new ArrayBuffer(16));
  name.write("falco-shim\0");
  const fd = libc.symbols.memfd_create(ptr(name), 1);
  if (fd < 0) throw new EngineError("cannot create a memory file for the capture library");
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done);
  return fd;
}

/** The loaded library; loads it at the first call. */
export function shim(): ShimLibrary {
  if (library) return library;
  const fd = memoryFile(libraryBytes());
  try {
    library = dlopen(`/proc/self/fd/${fd}`, symbols).symbols;
  } catch (e) {
    throw new EngineError(`cannot load the capture library: ${(e as Error).message}`);
  } finally {
    closeSync(fd);
  }
  return library;
}

/** Room for an error sentence, and its text after a call that failed. C may keep writing to it, so it is never moved. */
export class ErrorText {
  private readonly bytes = new ArrayBuffer(2048);
  readonly pointer = ptr(this.bytes);
  readonly size = 2048;

  text(): string {
    return new CString(this.pointer).toString();
  }
}

/** Memory at a C address as a Buffer, without a copy. */
export function memoryAt(address: Pointer, bytes: number): Buffer {
  return Buffer.from(toArrayBuffer(address, 0, bytes));
}
