// SPDX-License-Identifier: Apache-2.0
// Builds v2 events in memory and plays them as a CaptureSource, for tests that need no file.
import { EVENT_HEADER_SIZE, EventCursor } from "../../lib/scap/cursor.ts";
import {
  type CaptureSource,
  type FdEntry,
  type InitialState,
  type MachineInfo,
  NEXT,
  type ProcessEntry,
  type SourceStats,
} from "../../lib/scap/source.ts";
import { EVENT_LARGE, EVENTS, PARAM_SIZE } from "../../lib/schema/events.ts";
import { EV, PT } from "../../lib/schema/tables/enums.ts";

/** A parameter: integers for types of fixed size, byte strings for the others (text gets its NUL), null = empty. */
export type ParamValue = number | bigint | string | Uint8Array | null;

/** Parameters by name or in order; those left out are empty at the end, or cut off when `short` is set. */
export interface EventSpec {
  type: keyof typeof EV;
  params?: Readonly<Record<string, ParamValue>> | readonly ParamValue[];
  tid?: number;
  cpu?: number;
  /** ns after the source's base time. Default: 1000 after the previous event. */
  ts?: number;
  flags?: number;
  /** Delivered as an enter event of an old capture. */
  legacyEnter?: boolean;
  /** Write only the parameters given (older writers had fewer). */
  short?: boolean;
}

function encodeParam(type: number, value: ParamValue): Buffer {
  if (value === null) return Buffer.alloc(0);
  if (typeof value === "string") {
    const text = type === PT.CHARBUF || type === PT.FSPATH || type === PT.FSRELPATH;
    return Buffer.from(text ? `${value}\0` : value, "latin1");
  }
  if (typeof value === "object") return Buffer.from(value);
  const size = PARAM_SIZE[type] as number;
  if (size === 0) throw new Error(`a number cannot be encoded as parameter type ${type}`);
  const b = Buffer.alloc(size);
  const v = BigInt.asUintN(size * 8, BigInt(value));
  for (let i = 0; i < size; i++) b[i] = Number((v >> BigInt(8 * i)) & 255n);
  return b;
}

/** Bytes of one v2 event, header first. `time` is ns since the epoch. */
export function encodeEvent(spec: EventSpec, time: bigint): Buffer {
  const id = EV[spec.type];
  const info = EVENTS[id];
  if (info === undefined) throw new Error(`unknown event type ${spec.type}`);
  const given = spec.params ?? [];
  let values: ParamValue[];
  if (Array.isArray(given)) values = [...given];
  else {
    const named = given as Readonly<Record<string, ParamValue>>;
    for (const name of Object.keys(named)) {
      if (!info.params.some((p) => p.name === name)) throw new Error(`${spec.type} has no parameter ${name}`);
    }
    values = info.params.map((p) => named[p.name] ?? null);
  }
  if (spec.short !== true) while (values.length < info.params.length) values.push(null);
  const data = values.map((v, i) => encodeParam(info.params[i]?.type ?? PT.BYTEBUF, v));
  const wide = EVENT_LARGE[id] === 1;
  const lens = Buffer.alloc(values.length * (wide ? 4 : 2));
  data.forEach((d, i) => {
    if (wide) lens.writeUInt32LE(d.length, i * 4);
    else lens.writeUInt16LE(d.length, i * 2);
  });
  const header = Buffer.alloc(EVENT_HEADER_SIZE);
  const body = Buffer.concat([lens, ...data]);
  header.writeBigUInt64LE(time, 0);
  header.writeBigInt64LE(BigInt(spec.tid ?? 100), 8);
  header.writeUInt32LE(EVENT_HEADER_SIZE + body.length, 16);
  header.writeUInt16LE(id, 20);
  header.writeUInt32LE(values.length, 22);
  return Buffer.concat([header, body]);
}

/** An IPv4 address in the form events have it as a number. */
export function ip4(text: string): number {
  return text.split(".").reduce((a, b) => a * 256 + Number(b), 0);
}

function addressBytes(ip: number | string): number[] {
  if (typeof ip === "number") return [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255];
  return [...ip].map((c) => c.charCodeAt(0));
}

/** PT.SOCKADDR of an IP socket. */
export function sockAddrParam(ip: number | string, port: number): Uint8Array {
  return Uint8Array.from([typeof ip === "number" ? 2 : 10, ...addressBytes(ip), port & 255, port >> 8]);
}

/** PT.SOCKTUPLE of an IP connection. */
export function tupleParam(sip: number | string, sport: number, dip: number | string, dport: number): Uint8Array {
  const end = (ip: number | string, port: number) => [...addressBytes(ip), port & 255, port >> 8];
  return Uint8Array.from([typeof sip === "number" ? 2 : 10, ...end(sip, sport), ...end(dip, dport)]);
}

/** PT.SOCKTUPLE of a unix connection. */
export function unixTupleParam(source: bigint, peer: bigint, path: string): Uint8Array {
  const b = Buffer.alloc(17);
  b[0] = 1;
  b.writeBigUInt64LE(source, 1);
  b.writeBigUInt64LE(peer, 9);
  return Buffer.concat([b, Buffer.from(`${path}\0`, "latin1")]);
}

/** A process list entry; what is not given is as unknown as a list allows. */
export function processEntry(given: Partial<ProcessEntry> & { tid: number }): ProcessEntry {
  const pid = given.pid ?? given.tid;
  return {
    pid,
    ptid: 1,
    sid: -1,
    vpgid: -1,
    pgid: -1,
    comm: "proc",
    exe: "proc",
    exepath: "/bin/proc",
    args: [],
    cwd: "/",
    root: "/",
    fdlimit: 1024,
    flags: 0,
    uid: 0,
    gid: 0,
    loginuid: 0xffffffff,
    vmSizeKb: 0,
    vmRssKb: 0,
    vmSwapKb: 0,
    pfMajor: 0,
    pfMinor: 0,
    env: [],
    vtid: given.tid,
    vpid: pid,
    cgroups: [],
    pidnsInitStart: 0n,
    tty: 0,
    capInheritable: 0n,
    capPermitted: 0n,
    capEffective: 0n,
    exeIno: 0n,
    exeInoCtime: 0n,
    exeInoMtime: 0n,
    exeWritable: false,
    exeUpperLayer: false,
    exeLowerLayer: false,
    exeFromMemfd: false,
    startTime: 0n,
    ...given,
  };
}

/** A descriptor list entry. */
export function fdEntry(given: Partial<FdEntry> & { fd: number; type: number }): FdEntry {
  return {
    ino: 0n,
    name: "",
    openFlags: 0,
    dev: 0,
    sip: 0,
    dip: 0,
    sport: 0,
    dport: 0,
    l4proto: 0,
    unixSource: 0n,
    unixPeer: 0n,
    ...given,
  };
}

export function emptyState(given: Partial<InitialState> = {}): InitialState {
  return { processes: [], fds: new Map(), interfaces: [], users: [], groups: [], ...given };
}

/** One section of a capture. */
export interface Section {
  state: InitialState;
  events: readonly EventSpec[];
}

/** Time that relative times of built events count from. */
export const BASE_TIME = 1_700_000_000_000_000_000n;

/** Plays built events, section after section. */
export class MemorySource implements CaptureSource {
  readonly name = "memory";
  readonly machine: MachineInfo = {
    numCpus: 2,
    memorySize: 2 ** 31,
    maxPid: 32768,
    hostname: "test",
    bootTime: 0n,
    flags: 0n,
  };
  readonly baseTime = BASE_TIME;
  readonly cursor = new EventCursor();
  state: InitialState;
  private section = 0;
  private at = 0;
  private lastTs = 0;

  constructor(
    private readonly sections: readonly Section[],
    readonly kind: "file" | "live" = "file",
  ) {
    this.state = sections[0]?.state ?? emptyState();
  }

  next(): number {
    const section = this.sections[this.section];
    const spec = section?.events[this.at];
    if (section === undefined) return NEXT.END;
    if (spec === undefined) {
      this.section++;
      this.at = 0;
      const following = this.sections[this.section];
      if (following === undefined) return NEXT.END;
      this.state = following.state;
      return NEXT.SECTION;
    }
    this.at++;
    const ts = spec.ts ?? this.lastTs + 1000;
    this.lastTs = ts;
    const bytes = encodeEvent(spec, this.baseTime + BigInt(ts));
    const c = this.cursor;
    c.bytes = bytes;
    c.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    c.offset = 0;
    c.type = EV[spec.type];
    c.tid = spec.tid ?? 100;
    c.cpu = spec.cpu ?? 0;
    c.ts = ts;
    c.num++;
    c.flags = spec.flags ?? 0;
    c.nparams = bytes.readUInt32LE(22);
    c.length = bytes.length;
    c.unconverted();
    c.legacyEnter = spec.legacyEnter ?? false;
    c.reset();
    return NEXT.EVENT;
  }

  more(): Promise<boolean> {
    return Promise.resolve(false);
  }

  stats(): SourceStats {
    return {
      events: this.cursor.num,
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
    return Number.NaN;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
