// SPDX-License-Identifier: Apache-2.0
// Sockets get addresses, peers, roles and names.
import { describe, expect, test } from "bun:test";
import { FD_TYPE, L4 } from "../../lib/scap/source.ts";
import { ROLE } from "../../lib/sinsp/fd_info.ts";
import { O } from "../../lib/sinsp/flags.ts";
import { fdOf } from "../../lib/sinsp/seed.ts";
import { type EventSpec, fdEntry, ip4, sockAddrParam, tupleParam, unixTupleParam } from "../support/events.ts";
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

  test("connect: where the kernel found the destination itself, the tuple has it", () => {
    const any: EventSpec = {
      type: "CONNECT_X",
      params: {
        res: 0,
        tuple: tupleParam(ip4("127.0.0.1"), 5000, ip4("127.0.0.1"), 80),
        fd: 3,
        addr: sockAddrParam(0, 80),
      },
    };
    expect(run([socket, any]).fd).toMatchObject({ name: "127.0.0.1:5000->127.0.0.1:80", role: ROLE.CLIENT });
    const enter: EventSpec = { type: "CONNECT_E", params: { fd: 3, addr: sockAddrParam(0, 80) } };
    expect(run([socket, enter, any]).fd?.name).toBe("127.0.0.1:5000->127.0.0.1:80");
  });

  test("connect without addresses gives no role", () => {
    expect(run([socket, connect(0, null)]).fd).toMatchObject({ name: "", role: ROLE.UNKNOWN, connected: true });
  });

  test("connect of a bound socket: the role stays, a datagram socket's peer is the client", () => {
    const bind: EventSpec = { type: "BIND_X", params: { res: 0, addr: sockAddrParam(a, 5000), fd: 3 } };
    const to = connect(0, tupleParam(a, 5000, b, 80));
    expect(run([socket, bind, to]).fd).toMatchObject({ name: "10.0.0.1:5000->10.0.0.2:80", role: ROLE.SERVER });
    const dgram = run([
      udp,
      bind,
      to,
      { type: "SENDTO_X", params: { res: 1, fd: 3, size: 1, tuple: tupleParam(a, 5000, b, 80) } },
    ]);
    expect(dgram.fd).toMatchObject({ name: "10.0.0.2:80->10.0.0.1:5000", role: ROLE.SERVER });
    expect(dgram.fdNameChanged).toBe(false);
  });

  test("the same ends the other way round change nothing", () => {
    const six = (n: number) => "\0".repeat(15) + String.fromCharCode(n);
    const tcp6: EventSpec = { type: "SOCKET_X", params: { fd: 3, domain: 10, type: 1, proto: 0, flags: 0 } };
    const bind: EventSpec = { type: "BIND_X", params: { res: 0, addr: sockAddrParam(six(5), 5000), fd: 3 } };
    const to: EventSpec = { type: "CONNECT_X", params: { res: 0, tuple: tupleParam(six(5), 5000, six(6), 80), fd: 3 } };
    const sent: EventSpec = {
      type: "SENDTO_X",
      params: { res: 1, fd: 3, size: 1, tuple: tupleParam(six(5), 5000, six(6), 80) },
    };
    expect(run([tcp6, bind, to, sent]).fd?.name).toBe("::5:5000->::6:80");
  });

  test("bind to an IPv4 address inside an IPv6 one", () => {
    const mapped = "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01";
    const insp = run([
      { type: "SOCKET_X", params: { fd: 3, domain: 10, type: 1, proto: 0, flags: 0 } },
      { type: "BIND_X", params: { res: 0, addr: sockAddrParam(mapped, 80), fd: 3 } },
    ]);
    expect(insp.fd).toMatchObject({ type: FD_TYPE.IPV4_SERVSOCK, name: "::ffff:10.0.0.1:80", dip: a });
  });

  test("names of ICMP and raw sockets have no ports", () => {
    for (const [type, proto] of [
      [2, 1],
      [3, 1],
      [3, 255],
    ]) {
      const ping: EventSpec = {
        type: "SOCKET_X",
        params: { fd: 3, domain: 2, type: type as number, proto: proto as number, flags: 0 },
      };
      const sent: EventSpec = {
        type: "SENDTO_X",
        params: { res: 1, fd: 3, size: 1, tuple: tupleParam(a, 7, b, 1) },
      };
      expect(run([ping, sent]).fd?.name).toBe("10.0.0.1->10.0.0.2");
    }
  });

  test("accept makes a connected server socket", () => {
    const insp = run([{ type: "ACCEPT4_6_X", params: { fd: 4, tuple: tupleParam(b, 5000, a, 80), flags: O.CLOEXEC } }]);
    expect(insp.fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:80", role: ROLE.SERVER, connected: true });
    expect(insp.fd).toMatchObject({ l4proto: L4.TCP, openFlags: O.CLOEXEC });
  });

  test("accept without addresses tells the number alone", () => {
    const insp = run([{ type: "ACCEPT4_6_X", params: { fd: 4, tuple: null, flags: 0 } }]);
    expect([insp.fdNum, insp.fd, insp.thread?.fds?.get(4)]).toEqual([4, null, undefined]);
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
    const bind: EventSpec = { type: "BIND_X", params: { res: 0, addr: sockAddrParam(a, 53), fd: 3 } };
    const asked = { ...got, params: { res: 1, fd: 3, size: 1, tuple: tupleParam(b, 5000, a, 53) } };
    const server = run([udp, bind, asked]);
    expect(server.fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:53", role: ROLE.SERVER });
    expect(server.fd?.connected).toBe(false);
    expect(run([udp, bind, asked, asked]).fd?.connected).toBe(true);
    // Nothing says that it serves the port: the other side answers.
    expect(run([udp, asked]).fd).toMatchObject({ name: "10.0.0.1:53->10.0.0.2:5000", role: ROLE.CLIENT });
    // Another descriptor of the process serves it.
    const other: EventSpec[] = [
      { type: "SOCKET_X", params: { fd: 4, domain: 2, type: 2, proto: 0, flags: 0 } },
      { type: "BIND_X", params: { res: 0, addr: sockAddrParam(a, 53), fd: 4 } },
    ];
    expect(run([udp, ...other, asked]).fd).toMatchObject({ name: "10.0.0.2:5000->10.0.0.1:53", role: ROLE.SERVER });
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

test("ICMP sockets of a list are shown with what it has as ports", () => {
  const entry = { fd: 3, type: FD_TYPE.IPV4_SOCK, sip: 1, dip: 2, sport: 7, dport: 0, l4proto: L4.ICMP };
  expect(fdOf(fdEntry(entry)).name).toBe("0.0.0.1:7->0.0.0.2:0");
  expect(fdOf(fdEntry({ ...entry, type: FD_TYPE.IPV4_SERVSOCK, dport: 7 })).name).toBe("0.0.0.2:7");
});
