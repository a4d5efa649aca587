// SPDX-License-Identifier: Apache-2.0
// Descriptors as text: type names, type letters, `<4t>1.2.3.4:5->6.7.8.9:10`.
import { FD_TYPE, L4 } from "../scap/source.ts";
import { type FdInfo, ROLE } from "../sinsp/fd_info.ts";
import type { LineWriter } from "./line_writer.ts";

/** Type of descriptor: letter in event lines, name in fd.type. */
const KIND: Readonly<Record<number, readonly [letter: string, name: string]>> = {
  [FD_TYPE.FILE]: ["f", "file"],
  [FD_TYPE.FILE_V2]: ["f", "file"],
  [FD_TYPE.DIRECTORY]: ["d", "directory"],
  [FD_TYPE.IPV4_SOCK]: ["4", "ipv4"],
  [FD_TYPE.IPV4_SERVSOCK]: ["4", "ipv4"],
  [FD_TYPE.IPV6_SOCK]: ["6", "ipv6"],
  [FD_TYPE.IPV6_SERVSOCK]: ["6", "ipv6"],
  [FD_TYPE.UNIX_SOCK]: ["u", "unix"],
  [FD_TYPE.FIFO]: ["p", "pipe"],
  [FD_TYPE.EVENT]: ["e", "event"],
  [FD_TYPE.SIGNALFD]: ["s", "signalfd"],
  [FD_TYPE.EVENTPOLL]: ["l", "eventpoll"],
  [FD_TYPE.INOTIFY]: ["i", "inotify"],
  [FD_TYPE.TIMERFD]: ["t", "timerfd"],
  [FD_TYPE.NETLINK]: ["n", "netlink"],
  [FD_TYPE.BPF]: ["b", "bpf"],
  [FD_TYPE.USERFAULTFD]: ["u", "userfaultfd"],
  [FD_TYPE.IO_URING]: ["r", "io_uring"],
  [FD_TYPE.MEMFD]: ["m", "memfd"],
  [FD_TYPE.PIDFD]: ["P", "pidfd"],
  [FD_TYPE.UNSUPPORTED]: ["X", "<NA>"],
};

/** Letter of a descriptor type; "o" for unknown ones. */
export function fdTypeChar(type: number): string {
  return KIND[type]?.[0] ?? "o";
}

/** Name of a descriptor type; "<NA>" for unknown ones. */
export function fdTypeName(type: number): string {
  return KIND[type]?.[1] ?? "<NA>";
}

/** Transport protocols: letter in event lines, name in fd.l4proto. */
const PROTOCOL: Readonly<Record<number, readonly [letter: string, name: string]>> = {
  [L4.TCP]: ["t", "tcp"],
  [L4.UDP]: ["u", "udp"],
  [L4.ICMP]: ["i", "icmp"],
  [L4.RAW]: ["r", "raw"],
};

/** Transport protocol of a socket; it is said only of server sockets, raw sockets and once the roles are known. */
function protocol(info: FdInfo): readonly [letter: string, name: string] | undefined {
  if (!info.isIp()) return undefined;
  const known =
    info.role !== ROLE.UNKNOWN ||
    info.l4proto === L4.RAW ||
    info.type === FD_TYPE.IPV4_SERVSOCK ||
    info.type === FD_TYPE.IPV6_SERVSOCK;
  return known ? PROTOCOL[info.l4proto] : undefined;
}

/** tcp, udp, icmp, raw; "<NA>" when there is none or it is not known. */
export function protocolName(info: FdInfo): string {
  return protocol(info)?.[1] ?? "<NA>";
}

const TAGS = new Map<number, string>();

/** `<f>`, `<4t>`. */
function tag(info: FdInfo): string {
  const letter = protocol(info)?.[0] ?? "";
  const key = (info.type + 1) * 256 + (letter === "" ? 0 : letter.charCodeAt(0));
  let text = TAGS.get(key);
  if (text === undefined) {
    text = `<${fdTypeChar(info.type)}${letter}>`;
    TAGS.set(key, text);
  }
  return text;
}

/** Writes a descriptor as event lines show it: `<f>/etc/passwd`. */
export function writeFd(out: LineWriter, info: FdInfo): void {
  out.str(tag(info));
  out.str(info.name);
}
