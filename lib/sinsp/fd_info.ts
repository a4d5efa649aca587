// SPDX-License-Identifier: Apache-2.0
// What is known of one open descriptor.
import { FD_TYPE, L4 } from "../scap/source.ts";
import { formatIp } from "./address.ts";

/** Role of a socket's owner. */
export const ROLE = Object.freeze({ UNKNOWN: 0, CLIENT: 1, SERVER: 2 } as const);

/** Overlay file system layers a file may come from; bits of FdInfo.layers. */
export const LAYER = Object.freeze({ UPPER: 1, LOWER: 2 } as const);

/**
 * One open descriptor of a process. Strings are byte strings; an address is a number (IPv4) or a 16-char byte
 * string (IPv6), as in lib/scap/source.ts.
 */
export class FdInfo {
  /** FD_TYPE of lib/scap/source.ts. */
  type = 0;
  /** PPM_O_* flags (close-on-exec among them). */
  openFlags = 0;
  /** Null: made from the socket's addresses when asked for. */
  private text: string | null = "";
  /** Path as the program gave it. */
  nameRaw = "";
  dev = 0;
  /** Inode; a number when exact, else a BigInt. */
  ino: number | bigint = 0;
  /** L4 of lib/scap/source.ts. */
  l4proto = 0;
  role = 0;
  connected = false;
  /** Source (for connections: the client's) address; server sockets have their own address in `dip`, `dport`. */
  sip: number | string = 0;
  sport = 0;
  dip: number | string = 0;
  dport = 0;
  /** Kernel addresses of the two ends of a unix socket, 0 unknown. */
  unixSource: number | bigint = 0;
  unixPeer: number | bigint = 0;
  /** Process a pidfd refers to. */
  pid = -1;
  /** LAYER bits. */
  layers = 0;
  /** True when several tables hold this object: it is copied before it is changed (FdTable.own). */
  frozen = false;

  /** Path; for sockets the rendered tuple, e.g. "10.0.0.1:4000->10.0.0.2:80", a server's "0.0.0.0:80". */
  get name(): string {
    let text = this.text;
    if (text === null) {
      text = this.render();
      this.text = text;
    }
    return text;
  }

  set name(text: string) {
    this.text = text;
  }

  /** True when the descriptor has a name; does not render it. */
  get named(): boolean {
    return this.text !== "";
  }

  /** To be called when addresses or ports have changed: the name is rendered again when asked for. */
  renamed(): void {
    this.text = null;
  }

  private render(): string {
    switch (this.type) {
      case FD_TYPE.IPV4_SERVSOCK:
      case FD_TYPE.IPV6_SERVSOCK:
        return `${formatIp(this.dip)}:${this.dport}`;
      case FD_TYPE.IPV4_SOCK:
      case FD_TYPE.IPV6_SOCK:
        // ICMP and raw sockets have no ports.
        return this.l4proto === L4.ICMP || this.l4proto === L4.RAW
          ? `${formatIp(this.sip)}->${formatIp(this.dip)}`
          : `${formatIp(this.sip)}:${this.sport}->${formatIp(this.dip)}:${this.dport}`;
      default:
        return "";
    }
  }

  /** True for IP sockets that wait for connections or datagrams. */
  isServer(): boolean {
    return this.type === FD_TYPE.IPV4_SERVSOCK || this.type === FD_TYPE.IPV6_SERVSOCK;
  }

  isIp(): boolean {
    return this.type >= FD_TYPE.IPV4_SOCK && this.type <= FD_TYPE.IPV6_SERVSOCK;
  }

  isSocket(): boolean {
    return this.isIp() || this.type === FD_TYPE.UNIX_SOCK || this.type === FD_TYPE.NETLINK;
  }

  /** Exchanges the two ends of a connection. */
  swapEnds(): void {
    const ip = this.sip;
    const port = this.sport;
    this.sip = this.dip;
    this.sport = this.dport;
    this.dip = ip;
    this.dport = port;
  }

  copy(): FdInfo {
    const f = new FdInfo();
    f.type = this.type;
    f.openFlags = this.openFlags;
    f.text = this.text;
    f.nameRaw = this.nameRaw;
    f.dev = this.dev;
    f.ino = this.ino;
    f.l4proto = this.l4proto;
    f.role = this.role;
    f.connected = this.connected;
    f.sip = this.sip;
    f.sport = this.sport;
    f.dip = this.dip;
    f.dport = this.dport;
    f.unixSource = this.unixSource;
    f.unixPeer = this.unixPeer;
    f.pid = this.pid;
    f.layers = this.layers;
    return f;
  }
}
