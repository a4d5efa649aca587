// SPDX-License-Identifier: Apache-2.0
// Where events come from: the one interface of trace files and live engines.
import type { EventCursor } from "./cursor.ts";

/** The machine a capture was taken on. */
export interface MachineInfo {
  numCpus: number;
  /** Bytes. */
  memorySize: number;
  maxPid: number;
  /** Byte string. */
  hostname: string;
  /** Boot time in ns since the epoch; 0 when unknown. */
  bootTime: bigint;
  flags: bigint;
}

/** Clock of the events: ns since the capture's base time. */
export type EventClock = () => number;

/** A process or thread as a capture's process list (or a /proc scan) has it. Strings are byte strings. */
export interface ProcessEntry {
  tid: number;
  pid: number;
  ptid: number;
  sid: number;
  vpgid: number;
  pgid: number;
  comm: string;
  exe: string;
  exepath: string;
  /** Arguments without argv[0]. */
  args: string[];
  cwd: string;
  root: string;
  fdlimit: number;
  /** PPM_CL_* bits. */
  flags: number;
  uid: number;
  gid: number;
  loginuid: number;
  vmSizeKb: number;
  vmRssKb: number;
  vmSwapKb: number;
  pfMajor: number;
  pfMinor: number;
  env: string[];
  vtid: number;
  vpid: number;
  /** `subsystem=path` strings. */
  cgroups: string[];
  /** ns since the epoch; 0 when unknown. */
  pidnsInitStart: bigint;
  tty: number;
  capInheritable: bigint;
  capPermitted: bigint;
  capEffective: bigint;
  exeIno: bigint;
  /** ns since the epoch. */
  exeInoCtime: bigint;
  exeInoMtime: bigint;
  exeWritable: boolean;
  exeUpperLayer: boolean;
  exeLowerLayer: boolean;
  exeFromMemfd: boolean;
  /** Start time, ns since the epoch; 0 when the list does not hold it (trace files do not). */
  startTime: bigint;
  /** When a running machine was asked for the entry, in ns relative to the capture's base time; absent in trace files. */
  readTs?: number;
}

/** Descriptor types of fd lists and of the state. */
export const FD_TYPE = Object.freeze({
  UNINITIALIZED: -1,
  UNKNOWN: 0,
  FILE: 1,
  DIRECTORY: 2,
  IPV4_SOCK: 3,
  IPV6_SOCK: 4,
  IPV4_SERVSOCK: 5,
  IPV6_SERVSOCK: 6,
  FIFO: 7,
  UNIX_SOCK: 8,
  EVENT: 9,
  UNSUPPORTED: 10,
  SIGNALFD: 11,
  EVENTPOLL: 12,
  INOTIFY: 13,
  TIMERFD: 14,
  NETLINK: 15,
  FILE_V2: 16,
  BPF: 17,
  USERFAULTFD: 18,
  IO_URING: 19,
  MEMFD: 20,
  PIDFD: 21,
} as const);

/** Transport protocols of sockets. */
export const L4 = Object.freeze({ UNKNOWN: 0, NA: 1, TCP: 2, UDP: 3, ICMP: 4, RAW: 5 } as const);

/** An open descriptor as an fd list has it. */
export interface FdEntry {
  fd: number;
  ino: bigint;
  /** FD_TYPE. */
  type: number;
  /** Path or name; for unix sockets the socket's path. Byte string. */
  name: string;
  /** PPM_O_* flags, FILE_V2 only. */
  openFlags: number;
  dev: number;
  /** IPv4 address as a number (network order read big-endian: 127.0.0.1 = 0x7f000001), IPv6 as a 16-char byte string. */
  sip: number | string;
  dip: number | string;
  sport: number;
  dport: number;
  /** L4. */
  l4proto: number;
  unixSource: bigint;
  unixPeer: bigint;
  /** When a running machine was asked for the entry, as in ProcessEntry. */
  readTs?: number;
}

/** A network interface of the machine. Addresses as in FdEntry. */
export interface InterfaceEntry {
  family: 4 | 6;
  name: string;
  address: number | string;
  netmask: number | string;
  broadcast: number | string;
  linkspeed: bigint;
}

export interface UserEntry {
  uid: number;
  gid: number;
  name: string;
  home: string;
  shell: string;
}

export interface GroupEntry {
  gid: number;
  name: string;
}

/** State at the start of a capture (or of a section of a concatenated capture). */
export interface InitialState {
  processes: ProcessEntry[];
  /** Descriptors by thread id. */
  fds: Map<number, FdEntry[]>;
  interfaces: InterfaceEntry[];
  users: UserEntry[];
  groups: GroupEntry[];
}

/** Counters of a source; fields that a source cannot know stay 0. */
export interface SourceStats {
  events: number;
  /** Sum of all drops. */
  drops: number;
  dropsBuffer: number;
  /** Drops because of a full buffer, by kind of event. */
  dropsByCategory: Record<string, number>;
  /** Events too large for the probe. */
  dropsMaxSize: number;
  dropsBug: number;
  preemptions: number;
  /** Events hidden because their thread is suppressed. */
  suppressed: number;
}

/** Result of `CaptureSource.next`. */
export const NEXT = Object.freeze({
  /** The cursor is on an event. */
  EVENT: 0,
  /** Nothing now: a live source is idle; call again later. */
  IDLE: 1,
  /** A new section begins (concatenated captures): take `machine`, `state` and `baseTime` anew, then go on. */
  SECTION: 2,
  /** The end. */
  END: 3,
} as const);

/** What `Selection.meet` answers. */
export const MEET = Object.freeze({
  /** The event is passed over, and so are all further ones of its thread, unasked, until an event is delivered that may change the answer. */
  KNOWN: 0,
  /** The event is passed over. */
  PASS: 1,
  /** The event is to be delivered. */
  DELIVER: 2,
} as const);

/** Which events somebody wants to see. */
export interface Selection {
  /** 1 for the types that must be delivered, by event id; those an event is recorded as count as well as those it is converted to. */
  readonly wanted: Uint8Array;
  /** 1 for the types that leave every answer of `meet` as it was, by event id in the current schema. */
  readonly harmless: Uint8Array;
  /** Asked before an event of another type is passed over; a MEET code. The cursor need not be on the event. */
  meet(tid: number, type: number): number;
}

/**
 * A stream of events with its initial state.
 *
 *     const source = await openCapture(path);
 *     do {
 *       while (source.next() === NEXT.EVENT) use(source.cursor);
 *     } while (await source.more());
 *
 * `next()` is synchronous and only walks what is in memory; `more()` is where waiting happens.
 */
export interface CaptureSource {
  readonly kind: "file" | "live";
  /** What to call it in messages: a file name, or the engine's name. */
  readonly name: string;
  readonly machine: MachineInfo;
  /** State at the start of the current section. */
  readonly state: InitialState;
  /** ns since the epoch that `cursor.ts` counts from: time of the first event. */
  readonly baseTime: bigint;
  readonly cursor: EventCursor;
  /** Moves the cursor; NEXT.IDLE means that the memory at hand is used up and `more()` must be awaited. */
  next(): number;
  /**
   * From the next event on, to the end of the section, only the events of a selection need be delivered; null = all. What
   * is passed over is numbered and counted in `passedOver`. Sources that gain nothing by it have no such method.
   */
  choose?(selection: Selection | null): void;
  /** Events that choose() kept from being delivered so far. */
  readonly passedOver?: number;
  /**
   * Waits for more bytes. Resolves true when `next()` is worth calling again, false at the end of the stream.
   * Throws ScapFormatError (trace files) after all whole events before the damage have been delivered.
   */
  more(): Promise<boolean>;
  stats(): SourceStats;
  /** 0–1 of the input consumed; NaN when unknown. */
  progress(): number;
  close(): Promise<void>;
}
