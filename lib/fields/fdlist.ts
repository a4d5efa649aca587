// SPDX-License-Identifier: Apache-2.0
// Fields of the descriptors that poll and ppoll wait for.

import { FD_TYPE } from "../scap/source.ts";
import { EV, PF } from "../schema/tables/enums.ts";
import { formatIp } from "../sinsp/address.ts";
import type { FdInfo } from "../sinsp/fd_info.ts";
import type { Context } from "../sinsp/inspector.ts";
import { text } from "./define.ts";
import type { Extractor, Field } from "./field.ts";

/** `get` of every descriptor in the list, commas between; undefined leaves one out. */
function listOf(get: (fd: number, info: FdInfo | undefined) => string | undefined): Extractor {
  return (ctx: Context) => {
    const ev = ctx.ev;
    if (ev.type !== EV.POLL_X && ev.type !== EV.PPOLL_X) return undefined;
    const len = ev.paramLength(1);
    if (len < 2) return undefined;
    const at = ev.paramOffset(1);
    const count = Math.min(ev.view.getUint16(at, true), Math.floor((len - 2) / 10));
    const parts: string[] = [];
    for (let i = 0; i < count; i++) {
      const fd = ev.view.getInt32(at + 2 + i * 10, true);
      const part = get(fd, ctx.thread?.fds?.get(fd));
      if (part !== undefined) parts.push(part);
    }
    return parts.length === 0 ? undefined : parts.join(",");
  };
}

const connection = (info: FdInfo | undefined): boolean =>
  info !== undefined && (info.type === FD_TYPE.IPV4_SOCK || info.type === FD_TYPE.IPV6_SOCK);

export const FDLIST_FIELDS: readonly Field[] = [
  text(
    "fdlist.nums",
    "Numbers of the descriptors that poll and ppoll wait for, commas between",
    listOf((fd) => String(fd)),
    {
      format: PF.ID,
    },
  ),
  text(
    "fdlist.names",
    "Names of these descriptors",
    listOf((_, info) => (info === undefined || info.name === "" ? "<NA>" : info.name)),
  ),
  text(
    "fdlist.cips",
    "Client addresses of these descriptors",
    listOf((_, info) => (info !== undefined && connection(info) ? formatIp(info.sip) : undefined)),
  ),
  text(
    "fdlist.sips",
    "Server addresses of these descriptors",
    listOf((_, info) => (info?.isIp() === true ? formatIp(info.dip) : undefined)),
  ),
  text(
    "fdlist.cports",
    "Client ports of these descriptors",
    listOf((_, info) => (info !== undefined && connection(info) ? String(info.sport) : undefined)),
    { format: PF.DEC },
  ),
  text(
    "fdlist.sports",
    "Server ports of these descriptors",
    listOf((_, info) => (info?.isIp() === true ? String(info.dport) : undefined)),
    { format: PF.DEC },
  ),
];
