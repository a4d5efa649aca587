// SPDX-License-Identifier: Apache-2.0
// The live source: events of the running kernel, read in place from the rings that the probe fills.
import { type Pointer, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import os from "node:os";
import { EventCursor } from "./cursor.ts";
import { readIterators, reasonForProc } from "./iterators.ts";
import { FieldReader } from "./lists.ts";
import { scanMachine } from "./proc_scan.ts";
import {
  DROP_KINDS,
  EngineError,
  ErrorText,
  memoryAt,
  ROW,
  SHIM_ENGINE,
  SHIM_ENTER,
  SHIM_ITERATE,
  SHIM_OPTION,
  SHIM_TRACEPOINT,
  type ShimLibrary,
  STAT,
  shim,
} from "./shim.ts";
import { type CaptureSource, type InitialState, type MachineInfo, NEXT, type SourceStats } from "./source.ts";

/** Most events taken from the rings at once; the memory of a batch is free again when the next one is taken. */
const BATCH = 4096;
/** Events younger than this many ns wait for the next batch, so that other CPUs can finish older ones. */
const HOLDBACK_NS = 200_000;
/** Bytes of iterator records taken at a time; the kernel hands out 32 KiB and less. */
const RECORDS = 256 << 10;
/** Longest time, in ns, that the shim can hold events back. */
const MAX_HOLDBACK_NS = 4e9;
/** Batches between two turns of the event loop while there is always more. */
const BATCHES_PER_TURN = 8;
/** Sleep when idle, in ms: starts here and doubles up to the longest. */
const IDLE_SLEEP_MS = 1;
const IDLE_SLEEP_MAX_MS = 16;

/** What a live capture should deliver. Everything is optional. */
export interface LiveOptions {
  /** Codes (SC) of the system calls wanted; all when absent. */
  syscalls?: Iterable<number>;
  /** Bytes of each ring: a power of two. Default 8 MiB. */
  ringBytes?: number;
  /** CPUs that share a ring, 0 for one ring in all. Default 1. */
  cpusPerRing?: number;
  /** Bytes kept of data buffers. Default 80. */
  snaplen?: number;
  /** Keep more of known protocols. */
  dynamicSnaplen?: boolean;
  /** Ports, inclusive, whose traffic is kept up to 16000 bytes. */
  fullcapturePorts?: readonly [number, number];
  statsdPort?: number;
  /** Failed calls give no event. */
  dropFailed?: boolean;
  /** Keep one part in this many of the calls that may be dropped: 1, 2, 4 … 128; 0 keeps all. */
  sampling?: number;
  /**
   * Enter events of open*, creat and connect, taken before another thread can change their arguments: those of native calls
   * (the default), or of 32-bit ones too, which makes every call of every process dearer.
   */
  enterHooks?: keyof typeof SHIM_ENTER;
  /** See calls through perf events also where the kernel does not make that necessary, as Linux 7 does; for tests. */
  perfCalls?: boolean;
  processExits?: boolean;
  contextSwitches?: boolean;
  signals?: boolean;
  pageFaults?: boolean;
  /** Leave out this process's own calls. Default true. */
  excludeSelf?: boolean;
  /** Whether `scan()` may use the probe's iterators. Default true. */
  iterators?: boolean;
  /** State of the machine when the capture starts. */
  state?: InitialState;
}

/** Nothing is known. */
export const EMPTY_STATE: InitialState = { processes: [], fds: new Map(), interfaces: [], users: [], groups: [] };

/** Says why the modern eBPF engine cannot run here, in one sentence; null when it can. */
export function probeEngine(): string | null {
  const error = new ErrorText();
  return shim().shim_check(SHIM_ENGINE.MODERN_BPF, error.pointer, error.size) === 0 ? null : error.text();
}

/** Gives back what only the start needed: garbage, compiled code, pages of the program's file. Returns the bytes of those pages. */
export function releaseMemory(): number {
  Bun.shrink();
  Bun.gc(true);
  return Number(shim().shim_release_memory());
}

/** Facts about this machine for the capture's machine block. */
export function localMachine(): MachineInfo {
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return {
    numCpus: os.cpus().length,
    memorySize: os.totalmem(),
    maxPid: Number(readFileSync("/proc/sys/kernel/pid_max", "utf8")),
    hostname: Buffer.from(os.hostname(), "utf8").latin1Slice(),
    bootTime: BigInt(Math.round((Date.now() / 1000 - uptime) * 1000)) * 1_000_000n,
    flags: 0n,
  };
}

function optionWords(o: LiveOptions): Uint32Array {
  const words = new Uint32Array(new ArrayBuffer(SHIM_OPTION.COUNT * 4));
  const faults = SHIM_TRACEPOINT.FAULT_USER | SHIM_TRACEPOINT.FAULT_KERNEL;
  words[SHIM_OPTION.ENGINE] = SHIM_ENGINE.MODERN_BPF;
  words[SHIM_OPTION.RING_BYTES] = o.ringBytes ?? 8 << 20;
  words[SHIM_OPTION.CPUS_PER_RING] = o.cpusPerRing ?? 1;
  words[SHIM_OPTION.SNAPLEN] = o.snaplen ?? 80;
  words[SHIM_OPTION.DYNAMIC_SNAPLEN] = o.dynamicSnaplen ? 1 : 0;
  words[SHIM_OPTION.FULLCAPTURE_FIRST] = o.fullcapturePorts?.[0] ?? 0;
  words[SHIM_OPTION.FULLCAPTURE_LAST] = o.fullcapturePorts?.[1] ?? 0;
  words[SHIM_OPTION.STATSD_PORT] = o.statsdPort ?? 8125;
  words[SHIM_OPTION.DROP_FAILED] = o.dropFailed ? 1 : 0;
  words[SHIM_OPTION.EXCLUDE_SELF] = (o.excludeSelf ?? true) ? 1 : 0;
  words[SHIM_OPTION.TRACEPOINTS] =
    ((o.processExits ?? true) ? SHIM_TRACEPOINT.PROC_EXIT : 0) |
    (o.contextSwitches ? SHIM_TRACEPOINT.SWITCH : 0) |
    ((o.signals ?? true) ? SHIM_TRACEPOINT.SIGNAL : 0) |
    (o.pageFaults ? faults : 0);
  words[SHIM_OPTION.SAMPLING] = o.sampling ?? 0;
  words[SHIM_OPTION.ENTER_HOOKS] = SHIM_ENTER[o.enterHooks ?? "native"];
  words[SHIM_OPTION.PERF_CALLS] = o.perfCalls ? 1 : 0;
  return words;
}

/** Events of this machine, from the moment `openLive` returns until `close`. */
export class LiveSource implements CaptureSource {
  readonly kind = "live";
  readonly name = "modern_ebpf";
  readonly machine = localMachine();
  /** Settable until the first event is taken: a scan that begins after the start misses nothing. */
  state: InitialState;
  readonly baseTime: bigint;
  readonly cursor = new EventCursor();
  /** Programs of the probe that this kernel refused, `x_` and the key of the event that is missing for it. */
  readonly missing: readonly string[];

  private readonly lib: ShimLibrary;
  private readonly handle: Pointer;
  private readonly rings: Buffer[] = [];
  private readonly views: DataView[] = [];
  // C writes to these: their memory must never move, see design notes on typed arrays and the JIT.
  private readonly rows = new Int32Array(new ArrayBuffer(BATCH * ROW.COLUMNS * 4));
  private readonly times = new Float64Array(new ArrayBuffer(BATCH * 8));
  private readonly counters = new BigUint64Array(new ArrayBuffer(STAT.COLUMNS * 8));
  private readonly rowsAt = ptr(this.rows);
  private readonly timesAt = ptr(this.times);
  private readonly countersAt = ptr(this.counters);
  private readonly iterators: boolean;
  private at = 0;
  private count = 0;
  private batches = 0;
  private sleepMs = IDLE_SLEEP_MS;
  private running = true;
  private closed = false;
  /** Relative time behind which events are left where they are. */
  private limit = Number.POSITIVE_INFINITY;
  /** True when there are no more events up to `limit`, nor will be. */
  private reached = false;
  /** Counters at the last `countAnew`, by CPU; −1 for all together. */
  private readonly began = new Map<number, BigUint64Array>();
  private lastStats: SourceStats | undefined;

  /** Of a probe that is loaded; see `LiveLoading`. */
  constructor(lib: ShimLibrary, handle: Pointer, options: LiveOptions) {
    this.lib = lib;
    this.state = options.state ?? EMPTY_STATE;
    this.iterators = options.iterators ?? true;
    const error = new ErrorText();
    this.handle = handle;
    this.select(options.syscalls);
    if (this.lib.shim_start(this.handle, error.pointer, error.size) !== 0) throw failure(error);
    this.baseTime = this.lib.shim_base_time(this.handle);
    this.mapRings();
    const count = this.lib.shim_missing(this.handle, error.pointer, error.size);
    const missing = count > 0 ? error.text().trim().split(" ") : [];
    this.missing = missing.filter((name) => !name.startsWith("iterate_"));
  }

  private mapRings(): void {
    const size = new BigUint64Array(new ArrayBuffer(8));
    for (let i = 0; i < this.lib.shim_ring_count(this.handle); i++) {
      const address = this.lib.shim_ring_data(this.handle, i, ptr(size));
      if (!address) throw new EngineError(`modern eBPF engine: ring ${i} has no memory`);
      const bytes = memoryAt(address as Pointer, Number(size[0]));
      this.rings.push(bytes);
      this.views.push(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }
  }

  /** Switches the system calls that give events: exactly those with these codes (SC), all when absent. */
  select(codes: Iterable<number> | undefined): void {
    const list = Uint16Array.from(codes ?? Array.from({ length: 1024 }, (_, i) => i));
    const memory = new Uint16Array(new ArrayBuffer(list.byteLength || 2));
    memory.set(list);
    this.lib.shim_select(this.handle, ptr(memory), list.length);
  }

  /** Changes a setting while events flow; `option` is one of SHIM_OPTION that may change. */
  set(option: number, value: number): void {
    if (this.lib.shim_set(this.handle, option, value) !== 0) {
      throw new EngineError(`modern eBPF engine: option ${option} cannot change while running`);
    }
  }

  next(): number {
    if (this.at === this.count && !this.fill()) {
      // After a stop the rings are still emptied, turn by turn.
      return this.running || this.batches >= BATCHES_PER_TURN ? NEXT.IDLE : NEXT.END;
    }
    const i = this.at++;
    const row = i * ROW.COLUMNS;
    const rows = this.rows;
    const ring = rows[row + ROW.RING]!;
    const c = this.cursor;
    c.bytes = this.rings[ring]!;
    c.view = this.views[ring]!;
    c.offset = rows[row + ROW.OFFSET]!;
    c.type = rows[row + ROW.TYPE]!;
    c.nparams = rows[row + ROW.NPARAMS]!;
    c.length = rows[row + ROW.LENGTH]!;
    c.cpu = rows[row + ROW.CPU]!;
    c.tid = rows[row + ROW.TID]!;
    c.ts = this.times[i]!;
    c.num++;
    c.reset();
    return NEXT.EVENT;
  }

  /** Takes the next batch, unless the event loop is due. */
  private fill(): boolean {
    if (this.closed || this.batches >= BATCHES_PER_TURN) return false;
    this.batches++;
    this.at = 0;
    // In a single ring events are in order, and whole as far as they can be seen.
    let holdback = this.running && this.rings.length > 1 ? HOLDBACK_NS : 0;
    const past = this.limit === Number.POSITIVE_INFINITY ? 0 : this.now() - this.limit;
    if (past > holdback) holdback = Math.min(past, MAX_HOLDBACK_NS);
    this.count = this.lib.shim_next(this.handle, this.rowsAt, this.timesAt, BATCH, holdback);
    this.reached = past > MAX_HOLDBACK_NS || (past >= HOLDBACK_NS && this.count === 0);
    return this.count > 0;
  }

  /** The events' clock now, in ns since the base time. */
  now(): number {
    return this.lib.shim_now(this.handle);
  }

  /**
   * Works off the events up to the time `ts`, which is about now: `step` is called for each and has to call `next`. Events
   * behind that time stay for later. A machine that is too busy to get there in four seconds gets no further.
   */
  async workOff(ts: number, step: () => number): Promise<void> {
    this.limit = ts;
    this.reached = false;
    while (!this.reached) {
      while (step() === NEXT.EVENT);
      if (!this.reached && !(await this.more())) break;
    }
    this.limit = Number.POSITIVE_INFINITY;
  }

  /**
   * Scans the machine into `state`: through the probe's iterators where they can be had, else through /proc, with the same
   * result. Returns why /proc alone was read; null when it was not.
   */
  scan(): string | null {
    const now = (): number => this.now();
    let reason = this.iterators ? reasonForProc() : "iterators are not wanted";
    if (reason === null) {
      try {
        const tasks = readIterators((which, record) => this.iterate(which, record), this.baseTime);
        this.state = scanMachine(now, tasks).state;
        return null;
      } catch (e) {
        if (!(e instanceof EngineError)) throw e;
        reason = e.message;
      }
    }
    this.state = scanMachine(now).state;
    return reason;
  }

  /** Hands on the records of an iterator. Throws EngineError when the kernel does not give them. */
  private iterate(which: "tasks" | "files", record: (r: FieldReader) => void): void {
    const error = new ErrorText();
    const code = which === "tasks" ? SHIM_ITERATE.TASKS : SHIM_ITERATE.FILES;
    const iteration = this.lib.shim_iterate(this.handle, code, error.pointer, error.size);
    if (iteration < 0) throw failure(error);
    const bytes = Buffer.from(new ArrayBuffer(RECORDS));
    const view = new DataView(bytes.buffer);
    const r = new FieldReader();
    try {
      for (;;) {
        const got = this.lib.shim_iterate_next(iteration, ptr(bytes), bytes.length);
        if (got < 0) throw new EngineError(`modern eBPF engine: the iterator of ${which} ends early`);
        if (got === 0) return;
        for (let at = 0; at < got; ) {
          const end = at + view.getUint32(at, true);
          r.set(bytes, view, at + 4, end);
          record(r);
          if (r.short) throw new EngineError(`modern eBPF engine: a record of the iterator of ${which} is cut`);
          at = end;
        }
      }
    } finally {
      this.lib.shim_iterate_end(iteration);
    }
  }

  async more(): Promise<boolean> {
    if (this.closed) return false;
    const busy = this.count > 0;
    this.batches = 0;
    if (busy) {
      this.sleepMs = IDLE_SLEEP_MS;
      await new Promise<void>((resolve) => setImmediate(resolve));
      return true;
    }
    if (!this.running) return false;
    await Bun.sleep(this.sleepMs);
    this.sleepMs = Math.min(this.sleepMs * 2, IDLE_SLEEP_MAX_MS);
    return true;
  }

  /** Ends the capture: no new events; what is in the rings is still delivered, then `more()` says false. */
  stop(): void {
    if (!this.running || this.closed) return;
    this.running = false;
    this.lib.shim_stop(this.handle);
  }

  /** Counts anew from here on: what came before was not for anybody to see. */
  countAnew(): void {
    this.began.clear();
    for (let cpu = -1; cpu < this.machine.numCpus; cpu++) {
      this.lib.shim_stats(this.handle, cpu, this.countersAt);
      this.began.set(cpu, this.counters.slice());
    }
    this.cursor.num = 0;
  }

  /** Counters since the start or the last `countAnew`, of one CPU or of all. */
  stats(cpu = -1): SourceStats {
    if (this.closed && this.lastStats) return this.lastStats;
    this.lib.shim_stats(this.handle, cpu, this.countersAt);
    const before = this.began.get(cpu);
    const at = (i: number): number => Number(this.counters[i]) - Number(before?.[i] ?? 0n);
    const dropsByCategory: Record<string, number> = {};
    let dropsBuffer = 0;
    for (const [i, kind] of DROP_KINDS.entries()) {
      const n = at(STAT.DROPS + i);
      dropsByCategory[kind] = n;
      dropsBuffer += n;
    }
    const dropsMaxSize = at(STAT.DROPS_MAX_SIZE);
    const dropsBug = at(STAT.DROPS_BUG);
    const preemptions = at(STAT.PREEMPTIONS);
    return {
      events: at(STAT.EVENTS),
      drops: dropsBuffer + dropsMaxSize + dropsBug + preemptions,
      dropsBuffer,
      dropsByCategory,
      dropsMaxSize,
      dropsBug,
      preemptions,
      suppressed: 0,
    };
  }

  progress(): number {
    return Number.NaN;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.stop();
    this.lastStats = this.stats();
    this.closed = true;
    this.count = 0;
    this.at = 0;
    // Nothing may read the rings once they are unmapped.
    this.rings.length = 0;
    this.views.length = 0;
    this.cursor.bytes = Buffer.alloc(0);
    this.cursor.view = new DataView(new ArrayBuffer(0));
    this.lib.shim_close(this.handle);
  }
}

/** A probe that is being loaded. The kernel takes a quarter of a second for it, on another thread. */
export class LiveLoading {
  private readonly lib = shim();
  private readonly error = new ErrorText();
  private readonly handle: Pointer;
  private closed = false;

  constructor(private readonly options: LiveOptions) {
    const handle = this.lib.shim_open(ptr(optionWords(options)), this.error.pointer, this.error.size);
    if (!handle) throw failure(this.error);
    this.handle = handle as Pointer;
  }

  /**
   * Waits until the probe is loaded and starts the capture, with `more` options that were not known when loading began:
   * of these, `syscalls` and `state` count. Throws EngineError, in one sentence, when the engine cannot run.
   */
  async finish(more: LiveOptions = {}): Promise<LiveSource> {
    try {
      let ready = this.lib.shim_ready(this.handle, this.error.pointer, this.error.size);
      while (ready === 0) {
        await Bun.sleep(1);
        ready = this.lib.shim_ready(this.handle, this.error.pointer, this.error.size);
      }
      if (ready < 0) throw failure(this.error);
      return new LiveSource(this.lib, this.handle, { ...this.options, ...more });
    } catch (e) {
      this.cancel();
      throw e;
    }
  }

  /** Gives the probe up instead of finishing. */
  cancel(): void {
    if (this.closed) return;
    this.closed = true;
    this.lib.shim_close(this.handle);
  }
}

function failure(error: ErrorText): EngineError {
  return new EngineError(`modern eBPF engine: ${error.text()}`);
}

/** Begins to load the probe for a capture of this machine; `finish()` of the result starts it. */
export function beginLive(options: LiveOptions = {}): LiveLoading {
  return new LiveLoading(options);
}

/** Starts a capture of this machine. Throws EngineError, in one sentence, when the engine cannot run. */
export async function openLive(options: LiveOptions = {}): Promise<LiveSource> {
  return beginLive(options).finish();
}
