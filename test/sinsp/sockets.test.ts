// SPDX-License-Identifier: Apache-2.0
// Sockets get addresses, peers, roles and names.
import { describe, expect, test } from "bun:test";
import { FD_TYPE, L4 } from "../../lib/scap/source.ts";
import { ROLE } from "../../lib/sinsp/fd_info.ts";
import { O } from "../../lib/sinsp/flags.ts";
import { type EventSpec, ip4, sockAddrParam, tupleParam, unixTupleParam } from "../support/events.ts";
import { run } from "./support.ts";

describe("sockets", () => {
  const socket: EventSpec = { type: "SOCKET_X", params: { fd: 3, domain: 2, type: 1, proto: 0, flags: 0 } };
  const udp: EventSpec = { type: "SOCKET_X", params: { fd: 3, domain: 2, type: 2, proto: 0, flags: 0 } };
  const [a, b] = [ip4("10.0.0.1"), ip4("10.0.0.2")];

  test("bind makes a server", () => {
    const insp = run([socket, { type: "BIND_X", params: { res: 0, addr: sockAddrParam(a, 80), fd: 3 } }]);
    expect(insp.fd).toMatchObject({ type: FD_TYPE.IPV4_SERVSOCK, name: "10.0.0.1:80", role: ROLE.SERVER, dport: 80 });
    expect(insp.fdNameChanged).toBe(true);
  });

  const connect = (res: number, tuple: Uint8Array | null, port = 80): EventSpec => ({
    type: "CONNECT_X",
    params: { res, tuple, fd: 3, addr: sockAddrParam(b, port) },
  });
  test("connect makes a client, also while in progress, not when it fails", () => {
    for (const res of [0, -115]) {
      const insp = run([socket, connect(res, tupleParam(a, 5000, b, 80))]);
      expect(insp.fd).toMatchObject({ name: "10.0.0.1:5000->10.0.0.2:80", role: ROLE.CLIENT, connected: true });
    }
    expect(run([socket, connect(-111, tupleParam(a, 5000, b, 80))]).fd).toMatchObject({
      name: "",
      role: 0,
      connected: false,
    });
  });

  test("connect: the enter event's address wins", () => {
    const enter: EventSpec = { type: "CONNECT_E", params: { fd: 3, addr: sockAddrParam(b, 443) } };
    expect(run([socket, enter, connect(0, tupleParam(a, 5000, b, 80))]).fd?.name).toBe("10.0.0.1:5000->10.0.0.2:443");
  });

  test("accept makes a connected server socket", () => {
    const insp = run([{ type: "ACCEPT4_6_X", params: { fd: 4, tuple: tupleParam(b, 5000, a, 80), flags: O.CLOEXEC } }]);
    expect(insp.fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:80", role: ROLE.SERVER, connected: true });
    expect(insp.fd).toMatchObject({ l4proto: L4.TCP, openFlags: O.CLOEXEC });
  });

  test("datagrams: both directions give client → server", () => {
    const sent: EventSpec = { type: "SENDTO_X", params: { res: 1, fd: 3, size: 1, tuple: tupleParam(a, 5000, b, 53) } };
    const got: EventSpec = {
      type: "RECVFROM_X",
      params: { res: 1, fd: 3, size: 1, tuple: tupleParam(b, 53, a, 5000) },
    };
    const insp = run([udp, sent, got]);
    expect(insp.fd).toMatchObject({ name: "10.0.0.1:5000->10.0.0.2:53", role: ROLE.CLIENT, l4proto: L4.UDP });
    expect(insp.fdNameChanged).toBe(false);
    const server = run([udp, { ...got, params: { res: 1, fd: 3, size: 1, tuple: tupleParam(b, 5000, a, 53) } }]);
    expect(server.fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:53", role: ROLE.SERVER });
  });

  test("a send through an unknown descriptor makes a datagram socket", () => {
    const insp = run([{ type: "SENDTO_X", params: { res: 1, fd: 9, size: 1, tuple: tupleParam(a, 5000, b, 53) } }]);
    expect(insp.thread?.fds?.get(9)).toMatchObject({ l4proto: L4.UDP, name: "10.0.0.1:5000->10.0.0.2:53" });
  });

  test("socketpair, then traffic names the ends", () => {
    const pair: EventSpec = {
      type: "SOCKETPAIR_X",
      params: { res: 0, fd1: 3, fd2: 4, source: 0xffff888000000001n, peer: 2, domain: 1, type: 1, proto: 0 },
    };
    const sent: EventSpec = {
      type: "SENDTO_X",
      params: { res: 1, fd: 3, size: 1, tuple: unixTupleParam(2n, 0xffff888000000001n, "") },
    };
    const insp = run([pair, sent]);
    expect(insp.thread?.fds?.get(4)).toMatchObject({
      type: FD_TYPE.UNIX_SOCK,
      unixSource: 2,
      unixPeer: 0xffff888000000001n,
    });
    expect(insp.fd?.name).toBe("2->ffff888000000001 ");
  });
});
