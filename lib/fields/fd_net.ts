// SPDX-License-Identifier: Apache-2.0
// Fields of the two ends of a connection: client and server, local and remote.
import { FD_TYPE } from "../scap/source.ts";
import { PF, PT } from "../schema/tables/enums.ts";
import { formatIp, isLoopback } from "../sinsp/address.ts";
import { type FdInfo, ROLE } from "../sinsp/fd_info.ts";
import type { Context } from "../sinsp/inspector.ts";
import { bool, type FieldOptions, field, text } from "./define.ts";
import { fdOf, ofFd } from "./fd.ts";
import type { Extractor, Field, Scalar, Value } from "./field.ts";

type Ip = number | string;

function isServerSocket(fd: FdInfo): boolean {
  return fd.type === FD_TYPE.IPV4_SERVSOCK || fd.type === FD_TYPE.IPV6_SERVSOCK;
}

function isConnection(fd: FdInfo): boolean {
  return fd.type === FD_TYPE.IPV4_SOCK || fd.type === FD_TYPE.IPV6_SOCK;
}

/** The IPv6 address of no machine in particular; as a destination it means the machine itself. */
const ANY_IPV6 = "\0".repeat(16);

/** True for IPv6 sockets without a destination; new ones have none either. */
function isAny6(fd: FdInfo): boolean {
  return fd.dip === ANY_IPV6 || (fd.type === FD_TYPE.IPV6_SOCK && fd.dip === 0);
}

/** True for addresses of the machine itself. */
export function isLocal(ctx: Context, ip: Ip): boolean {
  if (isLoopback(ip)) return true;
  for (const i of ctx.interfaces) if (i.address === ip) return true;
  return false;
}

/** Which end of a connection a field names. */
type End = "client" | "server" | "local" | "remote";

/** True when the end is the connection's source, false when its destination, undefined when it has no such end. */
function isSource(ctx: Context, fd: FdInfo, end: End): boolean | undefined {
  if (isServerSocket(fd)) return end === "server" || end === "local" ? false : undefined;
  if (!isConnection(fd)) return undefined;
  // Until the roles are known nobody can say which end is which.
  if (fd.role === ROLE.UNKNOWN) return undefined;
  switch (end) {
    case "client":
      return true;
    case "server":
      return false;
    case "local":
      return isLocal(ctx, fd.sip);
    case "remote":
      return !isLocal(ctx, fd.sip);
  }
}

function ipOf(end: End): Extractor {
  return ofFd((fd, ctx) => {
    const source = isSource(ctx, fd, end);
    return source === undefined ? undefined : source ? fd.sip : fd.dip;
  });
}

function portOf(end: End): (ctx: Context) => number | undefined {
  return (ctx) => {
    const fd = fdOf(ctx);
    const source = fd === null ? undefined : isSource(ctx, fd, end);
    return fd === null || source === undefined ? undefined : source ? fd.sport : fd.dport;
  };
}

/** Ports are shown as numbers: the names of services depend on the machine that looks. */
function protoOf(end: End): Extractor {
  const port = portOf(end);
  return (ctx) => {
    const p = port(ctx);
    return p === undefined ? undefined : String(p);
  };
}

/** Both addresses (or ports) of a connection, the one of a server socket; empty for descriptors that are no socket. */
function both(of: (fd: FdInfo) => readonly Scalar[]): (ctx: Context) => readonly Scalar[] | undefined {
  return (ctx) => {
    const fd = fdOf(ctx);
    if (fd === null) return undefined;
    return fd.isIp() ? of(fd) : [];
  };
}

const eitherIp = both((fd) => (isServerSocket(fd) ? [fd.dip] : [fd.sip, fd.dip]));
const eitherPort = both((fd) => (isServerSocket(fd) ? [fd.dport] : [fd.sport, fd.dport]));
const onlyFilter: FieldOptions["flags"] = { filterOnly: true, noTransformer: true, noRhs: true };
const nothing = (): Value | undefined => undefined;

const ENDS: readonly (readonly [letter: string, end: End, doc: string])[] = [
  ["c", "client", "client"],
  ["s", "server", "server"],
  ["l", "local", "local end"],
  ["r", "remote", "remote end"],
];

const DEC = { format: PF.DEC };

export const FD_IP_FIELDS: readonly Field[] = [
  field("fd.ip", PT.IPADDR, "Address of either end of a connection, or of a server socket", nothing, {
    flags: onlyFilter,
    multi: "ends",
    all: eitherIp,
  }),
  ...ENDS.map(([letter, end, doc]) => field(`fd.${letter}ip`, PT.IPADDR, `Address of the ${doc}`, ipOf(end))),
  field("fd.port", PT.PORT, "Port of either end of a connection, or of a server socket", nothing, {
    ...DEC,
    flags: onlyFilter,
    multi: "ends",
    all: eitherPort,
  }),
  ...ENDS.map(([letter, end, doc]) => field(`fd.${letter}port`, PT.PORT, `Port of the ${doc}`, portOf(end), DEC)),
];

export const FD_SERVER_FIELDS: readonly Field[] = [
  bool(
    "fd.is_server",
    "True when the process is the server of the connection",
    ofFd((fd, ctx) => isServerSocket(fd) || (isConnection(fd) && (isAny6(fd) || isLocal(ctx, fd.dip)))),
  ),
];

export const FD_PROTO_FIELDS: readonly Field[] = [
  field("fd.proto", PT.PORT, "As fd.port; values may be names of services", nothing, {
    flags: onlyFilter,
    multi: "ends",
    all: eitherPort,
  }),
  ...ENDS.map(([letter, end, doc]) => text(`fd.${letter}proto`, `Port of the ${doc} as text`, protoOf(end))),
];

export const FD_NET_FIELDS: readonly Field[] = [
  field("fd.net", PT.IPNET, "Address of either end, compared with networks (10.0.0.0/8)", nothing, {
    flags: onlyFilter,
    multi: "ends",
    all: eitherIp,
  }),
  ...ENDS.map(([letter, end, doc]) =>
    field(`fd.${letter}net`, PT.IPNET, `Address of the ${doc}, compared with networks (10.0.0.0/8)`, ipOf(end), {
      flags: onlyFilter,
    }),
  ),
];

/** The addresses are compared with those that the host names of the filter have; printed they are numbers. */
export const FD_IPNAME_FIELDS: readonly Field[] = ENDS.map(([letter, end, doc]) => {
  const ip = ipOf(end);
  return text(
    `fd.${letter}ip.name`,
    `Host name of the ${doc}; comparisons look the given names up and compare addresses`,
    (ctx) => {
      const v = ip(ctx);
      return typeof v === "number" || typeof v === "string" ? formatIp(v) : undefined;
    },
    {
      flags: { noTransformer: true, noRhs: true },
      all: (ctx) => {
        const v = ip(ctx);
        return typeof v === "number" || typeof v === "string" ? [v] : undefined;
      },
    },
  );
});
