// SPDX-License-Identifier: Apache-2.0
// Fields of built events: times, results, ancestors, descriptors, connections, containers.
import { afterEach, describe, expect, test } from "bun:test";
import { FieldArgError, VARIES } from "../../lib/fields/field.ts";
import { resolveField } from "../../lib/fields/registry.ts";
import { display } from "../../lib/fields/settings.ts";
import { FD_TYPE, L4 } from "../../lib/scap/source.ts";
import { EV } from "../../lib/schema/tables/enums.ts";
import { BASE_TIME, type EventSpec, fdEntry, ip4, processEntry, tupleParam } from "../support/events.ts";
import { atLast, jsonOf, oneProcess, textOf } from "./lines.ts";

const initial = { ...display };
afterEach(() => {
  Object.assign(display, initial);
});

const close = (ts: number, res = 0): EventSpec => ({ type: "CLOSE_X", params: { res, fd: 3 }, ts });

describe("times", () => {
  const at = [close(0), close(1_000_000_001), close(61_000_000_002)];
  test.each([
    ["evt.time.iso8601", "2023-11-14T22:14:21.000000002+0000"],
    ["evt.rawtime", String(BASE_TIME + 61_000_000_002n)],
    ["evt.rawtime.s", "1700000061"],
    ["evt.rawtime.ns", "000000002"],
    ["evt.reltime", "61000000002"],
    ["evt.reltime.s", "61"],
    ["evt.reltime.ns", "000000002"],
    ["evt.deltatime", "60000000001"],
    ["evt.deltatime.s", "60"],
    ["evt.deltatime.ns", "000000001"],
  ])("%s is %s", (field, text) => {
    expect(textOf(field, at)).toBe(text);
  });

  test("a time is exact in JSON", () => {
    expect(jsonOf("evt.time", at)).toBe(String(BASE_TIME + 61_000_000_002n));
  });

  test("a step back in time is a very long time", () => {
    expect(textOf("evt.deltatime", [close(5), close(3)])).toBe("18446744073709551614");
    expect(jsonOf("evt.deltatime", [close(5), close(3)])).toBe("-2");
  });

  test.each([
    ["a", "1700000061.2"],
    ["r", "61.000000002"],
    ["d", "0.000000000"],
    ["D", "60.000000001"],
  ] as const)("evt.outputtime in mode %s is %s", (mode, text) => {
    display.time = mode;
    expect(textOf("evt.outputtime", at)).toBe(text);
  });

  test("latency is the time from enter to exit", () => {
    const pair: EventSpec[] = [
      { type: "CLOSE_E", params: { fd: 3 }, ts: 1000, legacyEnter: true },
      { type: "CLOSE_X", params: { res: 0, fd: 3 }, ts: 4154 },
    ];
    expect(textOf("evt.latency", pair)).toBe("3154");
    expect(textOf("evt.latency.ns", pair)).toBe("000003154");
    expect(textOf("evt.latency.human", pair)).toBe("3.15us");
    expect(textOf("evt.latency", [close(1)])).toBe("0");
    expect(textOf("evt.latency.human", [close(1)])).toBe("0ns");
  });
});

describe("results", () => {
  test.each([
    ["evt.res", 0, "SUCCESS"],
    ["evt.res", -9, "EBADF"],
    ["evt.res", -4000, "-4000"],
    ["evt.rawres", -9, "-9"],
    ["evt.failed", -9, "true"],
    ["evt.failed", 0, "false"],
    ["evt.count.error", -9, "1"],
    ["evt.count.exit", 0, "1"],
  ] as const)("%s of result %p is %s", (field, res, text) => {
    expect(textOf(field, [close(1, res)])).toBe(text);
  });

  test("a user id is a return value of four bytes", () => {
    expect(textOf("evt.rawres", [{ type: "GETUID_X", params: { uid: 1000 } }])).toBe("1000");
  });

  test("an address beyond 2^53 stays exact", () => {
    const event: EventSpec = { type: "MMAP_X", params: { res: 0x7fffffffffffffffn } };
    expect(jsonOf("evt.rawres", [event])).toBe("9223372036854775807");
  });

  test("events without return value have none", () => {
    expect(textOf("evt.res", [{ type: "GENERIC_X", params: { ID: 5, nativeID: 1 } }])).toBeUndefined();
  });
});

describe("evt.type", () => {
  test.each([
    [{ type: "OPENAT_2_X" }, "openat"],
    [{ type: "GENERIC_X", params: { ID: 2, nativeID: 60 } }, "exit"],
    [{ type: "GENERIC_X", params: { ID: 0, nativeID: 60 } }, "exit"],
    [{ type: "GENERIC_X", params: { ID: 0 }, short: true }, "<unknown>"],
    [{ type: "GENERIC_X", params: { ID: 60000, nativeID: 60000 } }, "<unknown>"],
  ] as const)("of %p is %s", (event, name) => {
    expect(textOf("evt.type", [event as unknown as EventSpec])).toBe(name);
  });

  test("is known by event id but for the generic ones", () => {
    const { byEventType } = resolveField("evt.type", null);
    expect(byEventType?.(EV.OPENAT_2_X)).toBe("openat");
    expect(byEventType?.(EV.GENERIC_X)).toBe(VARIES);
    expect(resolveField("evt.dir", null).byEventType?.(EV.OPENAT_2_X)).toBe("<");
    expect(resolveField("evt.type.is.open", null).byEventType?.(EV.OPEN_E)).toBe(1);
  });

  test("fields that are constant by event id agree with their extractors", () => {
    for (const name of [
      "evt.type",
      "syscall.type",
      "evt.dir",
      "evt.category",
      "evt.is_io",
      "evt.io_dir",
      "evt.is_wait",
      "evt.is_async",
      "evt.is_open_read",
    ]) {
      const field = resolveField(name, null);
      for (const type of ["OPENAT_2_X", "READ_X", "POLL_X", "CLOSE_X", "GENERIC_X", "SCHEDSWITCH_6_E"] as const) {
        const constant = field.byEventType?.(EV[type]);
        if (constant === VARIES) continue;
        const value = atLast([{ type }], (ctx) => field.extract(ctx));
        expect([name, type, value]).toEqual([name, type, constant]);
      }
    }
  });
});

const family = oneProcess({
  processes: [
    processEntry({ tid: 1, ptid: 0, comm: "init", exe: "/sbin/init", sid: 1, pgid: 1, vpgid: 1 }),
    processEntry({
      tid: 50,
      ptid: 1,
      comm: "bash",
      exe: "-bash",
      sid: 50,
      pgid: 50,
      vpgid: 50,
      env: ["LEVEL=2", "HOME=/root"],
    }),
    processEntry({
      tid: 100,
      ptid: 50,
      comm: "proc",
      exe: "./proc",
      args: ["-a", "b"],
      sid: 50,
      pgid: 100,
      vpgid: 100,
      env: ["A=1", "AB=2", "E=", "E=second", "S=  two words \t ", "NONE=   "],
    }),
  ],
});

describe("ancestors", () => {
  test.each([
    ["proc.cmdline", "proc -a b"],
    ["proc.exeline", "./proc -a b"],
    ["proc.args[1]", "b"],
    ["proc.args[9]", ""],
    ["proc.cmdnargs", "2"],
    ["proc.cmdlenargs", "3"],
    ["proc.env[A]", "1"],
    ["proc.env[B]", ""],
    ["proc.env[E]", "second"],
    ["proc.env[S]", "two words \t"],
    ["proc.env[NONE]", ""],
    ["proc.pname", "bash"],
    ["proc.ppid", "50"],
    ["proc.aname", "bash init"],
    ["proc.aname[0]", "proc"],
    ["proc.aname[2]", "init"],
    ["proc.aname[3]", undefined],
    ["proc.aname[-1]", undefined],
    ["proc.apid", "100"],
    ["proc.apid[1]", "50"],
    ["proc.aenv[LEVEL]", "2"],
    ["proc.loginshellid", "50"],
    ["proc.sname", "bash"],
    ["proc.pgid.name", "proc"],
    ["proc.is_sid_leader", "false"],
    ["proc.is_pgid_leader", "true"],
  ])("%s is %p", (field, text) => {
    expect(textOf(field, [close(1)], family)).toBe(text as string);
  });

  test("all values for comparisons, the parent first", () => {
    const { all } = resolveField("proc.aname", null);
    expect(atLast([close(1)], (ctx) => all?.(ctx), family)).toEqual(["bash", "init"]);
    expect(resolveField("proc.aname", "1").all).toBeUndefined();
  });

  test("a circle of parents ends", () => {
    const circle = oneProcess({
      processes: [
        processEntry({ tid: 100, ptid: 101 }),
        processEntry({ tid: 101, ptid: 102 }),
        processEntry({ tid: 102, ptid: 100 }),
      ],
    });
    expect(textOf("proc.aname", [close(1)], circle)?.split(" ").length).toBeLessThan(10);
    expect(textOf("proc.aname[1000]", [close(1)], circle)).toBe("proc");
  });
});

const PEER = { sip: ip4("10.0.0.1"), sport: 4000, dip: ip4("10.0.0.2"), dport: 80, l4proto: L4.TCP };
const network = oneProcess({
  fds: new Map([
    [
      100,
      [
        fdEntry({ fd: 3, type: FD_TYPE.IPV4_SOCK, ...PEER }),
        fdEntry({ fd: 4, type: FD_TYPE.IPV4_SERVSOCK, dip: ip4("0.0.0.0"), dport: 22, l4proto: L4.TCP }),
        fdEntry({ fd: 5, type: FD_TYPE.FILE_V2, name: "/var/log/x.log", dev: 0xfe01, ino: 12n }),
      ],
    ],
  ]),
  interfaces: [
    { family: 4, name: "eth0", address: ip4("10.0.0.1"), netmask: ip4("255.0.0.0"), broadcast: 0, linkspeed: 0n },
  ],
});
const send: EventSpec = {
  type: "SENDTO_X",
  params: { res: 1, data: "x", fd: 3, size: 1, tuple: tupleParam(PEER.sip, PEER.sport, PEER.dip, PEER.dport) },
};
const on = (fd: number): EventSpec => ({ type: "FSTAT_X", params: { res: 0, fd } });

describe("descriptors", () => {
  test.each([
    [on(5), "fd.name", "/var/log/x.log"],
    [on(5), "fd.directory", "/var/log"],
    [on(5), "fd.filename", "x.log"],
    [on(5), "fd.type", "file"],
    [on(5), "fd.typechar", "f"],
    [on(5), "fd.dev", "FE01"],
    [on(5), "fd.dev.major", "254"],
    [on(5), "fd.dev.minor", "1"],
    [on(5), "fd.ino", "12"],
    [on(5), "fd.cip", undefined],
    [on(5), "fd.uid", "1005"],
    [on(9), "fd.name", ""],
    [on(9), "fd.type", undefined],
    [on(4), "fd.sip", "0.0.0.0"],
    [on(4), "fd.sport", "22"],
    [on(4), "fd.cip", undefined],
    [on(4), "fd.is_server", "true"],
    [on(4), "fd.l4proto", "tcp"],
    [send, "fd.cip", "10.0.0.1"],
    [send, "fd.sip", "10.0.0.2"],
    [send, "fd.cport", "4000"],
    [send, "fd.sport", "80"],
    [send, "fd.lip", "10.0.0.1"],
    [send, "fd.rip", "10.0.0.2"],
    [send, "fd.rport", "80"],
    [send, "fd.l4proto", "tcp"],
    [send, "fd.sockfamily", "ip"],
    [send, "fd.name", "10.0.0.1:4000->10.0.0.2:80"],
    [{ type: "CLONE_20_X", params: { res: -1 } }, "fd.name", undefined],
  ] as const)("%p: %s is %p", (event, field, text) => {
    expect(textOf(field, [event as EventSpec], network)).toBe(text as string);
  });

  test("either end for comparisons; none for files, nothing without descriptor", () => {
    const { all } = resolveField("fd.ip", null);
    expect(atLast([send], (ctx) => all?.(ctx), network)).toEqual([PEER.sip, PEER.dip]);
    expect(atLast([on(5)], (ctx) => all?.(ctx), network)).toEqual([]);
    expect(atLast([on(9)], (ctx) => all?.(ctx), network)).toBeUndefined();
  });

  test("fd.types lists each kind once", () => {
    expect(textOf("fd.types", [on(5)], network)).toBe("(ipv4,file)");
    expect(jsonOf("fd.types[5]", [on(5)], network)).toBe('["file"]');
  });

  test("a failed open has the name that was asked for", () => {
    const open: EventSpec = {
      type: "OPENAT_2_X",
      params: { fd: -2, dirfd: -100, name: "../x", flags: 1, mode: 0, dev: 0, ino: 0 },
    };
    expect(textOf("fd.name", [open], network)).toBe("/home/x");
    expect(textOf("fd.nameraw", [open], network)).toBe("../x");
    expect(textOf("fd.directory", [open], network)).toBe("/home");
    expect(textOf("fd.num", [open], network)).toBe("-1");
  });
});

describe("opens and paths", () => {
  const open = (flags: number, mode = 0, fd = 7): EventSpec => ({
    type: "OPENAT_2_X",
    params: { fd, dirfd: -100, name: "sub/f", flags, mode, dev: 0, ino: 0 },
  });
  test.each([
    [open(1), "evt.is_open_read", "true"],
    [open(1), "evt.is_open_write", "false"],
    [open(3), "evt.is_open_write", "true"],
    [open(4 | 2, 0o755), "evt.is_open_exec", "true"],
    [open(2, 0o755), "evt.is_open_exec", "false"],
    [open(16384), "evt.is_open_create", "true"],
    [open(8192, 0, -2), "evt.is_open_create", "false"],
    [close(1), "evt.is_open_read", "false"],
    [open(1), "evt.abspath", "/home/u/sub/f"],
    [close(1), "evt.abspath", undefined],
    [
      { type: "UNLINKAT_2_X", params: { res: 0, dirfd: 99, name: "a//b/../c/", flags: 0 } },
      "evt.abspath",
      "<UNKNOWN>/a/c",
    ],
    [{ type: "OPEN_BY_HANDLE_AT_X", params: { fd: 4, mountfd: 3, flags: 1, path: "/x//y" } }, "evt.abspath", "/x/y"],
    [{ type: "OPEN_BY_HANDLE_AT_X", params: { fd: -2, mountfd: 3, flags: 1, path: null } }, "evt.abspath", undefined],
    [open(1), "fs.path.name", "/home/u/sub/f"],
    [open(1), "fs.path.nameraw", "sub/f"],
    [{ type: "RENAME_X", params: { res: 0, oldpath: "a", newpath: "/b" } }, "fs.path.source", "/home/u/a"],
    [{ type: "RENAME_X", params: { res: 0, oldpath: "a", newpath: "/b" } }, "fs.path.target", "/b"],
    [{ type: "RENAME_X", params: { res: -2, oldpath: "a", newpath: "/b" } }, "fs.path.target", undefined],
    [{ type: "UNLINK_2_X", params: { res: 0, path: "../z" } }, "fs.path.name", "/home/z"],
  ] as const)("%p: %s is %p", (event, field, text) => {
    expect(textOf(field, [event as EventSpec])).toBe(text as string);
  });
});

describe("users and containers", () => {
  const CONTAINER = "697956520d891b5cb0e215093970c733549a3f745f52263c05b37f8a48899400";
  const inside = oneProcess({
    processes: [processEntry({ tid: 100, uid: 0, gid: 7, cgroups: [`cpu=/docker/${CONTAINER}`] })],
  });
  const told: EventSpec = {
    type: "CONTAINER_JSON_2_E",
    params: {
      json: JSON.stringify({
        container: {
          id: CONTAINER.slice(0, 12),
          type: 0,
          name: "web",
          image: "nginx:latest",
          imagerepo: "nginx",
          imagetag: "latest",
          privileged: false,
          labels: { tier: "front", "io.kubernetes.pod.name": "web-1" },
          Mounts: [{ Source: "/srv/data", Destination: "/data", Mode: "rw", RW: true, Propagation: "" }],
        },
      }),
    },
  };
  test.each([
    ["container.id", "697956520d89"],
    ["container.full_id", CONTAINER],
    ["container.name", "web"],
    ["container.image", "nginx:latest"],
    ["container.image.repository", "nginx"],
    ["container.image.tag", "latest"],
    ["container.privileged", "false"],
    ["container.type", "docker"],
    ["container.label[tier]", "front"],
    ["container.mounts", "/srv/data:/data:rw:true:"],
    ["container.mount[0]", "/srv/data:/data:rw:true:"],
    ["container.mount[/srv/*]", "/srv/data:/data:rw:true:"],
    ["container.mount[/no]", "none"],
    ["container.mount.source[/data]", "/srv/data"],
    ["k8s.pod.name", "web-1"],
    ["user.name", "root"],
    ["group.name", "<NA>"],
    ["user.loginuid", "-1"],
    ["user.loginname", "<NA>"],
    ["fd.containername", "697956520d89:"],
  ])("%s is %s", (field, text) => {
    expect(textOf(field, [told, close(1)], inside)).toBe(text);
  });

  test.each([
    ["container.id", "host"],
    ["container.name", "host"],
    ["container.image", undefined],
  ])("outside of containers %s is %p", (field, text) => {
    expect(textOf(field, [close(1)])).toBe(text as string);
  });
});

test("evt.around is the distance in milliseconds", () => {
  const field = resolveField("evt.around", String(BASE_TIME));
  expect(atLast([close(2_500_000)], (ctx) => field.extract(ctx))).toBe(2.5);
  expect(() => resolveField("evt.around", null)).toThrow(FieldArgError);
});

test("an event of an unknown thread has placeholders and throws nothing", () => {
  expect(textOf("proc.name", [{ ...close(1), tid: 4242 }])).toBe("<NA>");
  expect(textOf("proc.pname", [{ ...close(1), tid: 4242 }])).toBeUndefined();
  expect(textOf("container.id", [{ ...close(1), tid: 4242 }])).toBeUndefined();
});

test("util.cnt counts its own uses", () => {
  const field = resolveField("util.cnt", null);
  expect(atLast([close(1)], (ctx) => [field.extract(ctx), field.extract(ctx)])).toEqual([1, 2]);
});

test("fd.is_server: an IPv6 socket without destination counts as the machine's own, one of IPv4 does not", () => {
  const socket = (domain: number): EventSpec => ({
    type: "SOCKET_X",
    params: { fd: 3, domain, type: 1, proto: 0, flags: 0 },
  });
  expect(textOf("fd.is_server", [socket(10)])).toBe("true");
  expect(textOf("fd.is_server", [socket(2)])).toBe("false");
});
