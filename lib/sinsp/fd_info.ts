// SPDX-License-Identifier: Apache-2.0
// What is known of one open descriptor.

/** Role of a socket's owner. */
export const ROLE = Object.freeze({ UNKNOWN: 0, CLIENT: 1, SERVER: 2 } as const);

/**
 * One open descriptor of a process. Strings are byte strings; an address is a number (IPv4) or a 16-char byte
 * string (IPv6), as in lib/scap/source.ts.
 */
export class FdInfo {
  /** FD_TYPE of lib/scap/source.ts. */
  type = 0;
  /** PPM_O_* flags (close-on-exec among them). */
  openFlags = 0;
  /** Path, or for sockets the rendered tuple, rebuilt when the tuple changes. */
  name = "";
  /** Path as the program gave it. */
  nameRaw = "";
  dev = 0;
  /** Inode; a number when exact, else a BigInt. */
  ino: number | bigint = 0;
  /** L4 of lib/scap/source.ts. */
  l4proto = 0;
  role = 0;
  connected = false;
  sip: number | string = 0;
  sport = 0;
  dip: number | string = 0;
  dport = 0;
  unixSource: number | bigint = 0;
  unixPeer: number | bigint = 0;
  /** Process a pidfd refers to. */
  pid = -1;
  /** Overlay layer bits of the file: 1 upper, 2 lower. */
  layers = 0;
}
