// SPDX-License-Identifier: Apache-2.0
// Every kind of parameter as text.
import { afterEach, describe, expect, test } from "bun:test";
import { display } from "../../lib/fields/settings.ts";
import { FD_TYPE } from "../../lib/scap/source.ts";
import { EVENTS, PARAM_SIZE } from "../../lib/schema/events.ts";
import { EV, PT } from "../../lib/schema/tables/enums.ts";
import {
  type EventSpec,
  fdEntry,
  ip4,
  type ParamValue,
  processEntry,
  sockAddrParam,
  tupleParam,
  unixTupleParam,
} from "../support/events.ts";
import { oneProcess, textOf } from "./lines.ts";

const initial = { ...display };
afterEach(() => {
  Object.assign(display, initial);
});

const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04";
const LOOPBACK6 = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";

const state = oneProcess({
  processes: [processEntry({ tid: 100, cwd: "/home/u/" }), processEntry({ tid: 7, comm: "seven" })],
  fds: new Map([
    [
      100,
      [
        fdEntry({ fd: 3, type: FD_TYPE.FILE_V2, name: "/etc/passwd" }),
        fdEntry({ fd: 4, type: FD_TYPE.DIRECTORY, name: "/srv" }),
        fdEntry({ fd: 5, type: FD_TYPE.FIFO, name: "" }),
      ],
    ],
  ]),
  users: [{ uid: 1000, gid: 1000, name: "alice", home: "/home/alice", shell: "/bin/sh" }],
  groups: [{ gid: 1000, name: "staff" }],
});

/** One row: the event and the text of all its parameters. */
const ROWS: readonly [what: string, event: EventSpec, text: string][] = [
  ["a result", { type: "CLOSE_X", params: { res: 0, fd: 3 } }, "res=0 fd=3(<f>/etc/passwd)"],
  ["an error", { type: "CLOSE_X", params: { res: -9, fd: 99 } }, "res=-9(EBADF) fd=99"],
  ["an error without name", { type: "CLOSE_X", params: { res: -4000, fd: 5 } }, "res=-4000 fd=5(<p>)"],
  [
    "a directory descriptor, flags, octal and hexadecimal",
    { type: "OPENAT_2_X", params: { fd: -2, dirfd: -100, name: "x", flags: 4097, mode: 0o644, dev: 0xfe00, ino: 5 } },
    "fd=-2(ENOENT) dirfd=-100(AT_FDCWD) name=x(/home/u/x) flags=4097(O_RDONLY|O_CLOEXEC) mode=0644 dev=FE00 ino=5",
  ],
  [
    "a path under a directory descriptor",
    { type: "OPENAT_2_X", params: { fd: -2, dirfd: 4, name: "../x", flags: 0, mode: 0, dev: 0, ino: 0 } },
    "fd=-2(ENOENT) dirfd=4(<d>/srv) name=../x(/x) flags=0(O_NONE) mode=0 dev=0 ino=0",
  ],
  [
    "a path under an unknown descriptor",
    { type: "OPENAT_2_X", params: { fd: -9, dirfd: 77, name: "x", flags: 1, mode: 0, dev: 0, ino: 0 } },
    "fd=-9(EBADF) dirfd=77 name=x(x) flags=1(O_RDONLY) mode=0 dev=0 ino=0",
  ],
  ["absent parameters", { type: "MOUNT_X", params: { res: 0, dir: "/" } }, "res=0 dev=<NA> dir=/ type=<NA> flags=<NA>"],
  [
    "absent buffers and tuples",
    { type: "SENDTO_X", params: { res: 0 } },
    "res=0 data=NULL fd=<NA> size=<NA> tuple=NULL",
  ],
  ["fewer parameters than the type has", { type: "CLOSE_X", params: [0], short: true }, "res=0"],
  [
    "bytes that are not printable",
    { type: "READ_X", params: { res: 4, data: "a\0\xff~", fd: 3, size: 4 } },
    "res=4 data=a..~ fd=3(<f>/etc/passwd) size=4",
  ],
  [
    "a large number in an unsigned parameter",
    { type: "LSEEK_X", params: { res: 0, fd: 3, offset: -60, whence: 1 } },
    "res=0 fd=3(<f>/etc/passwd) offset=-60 whence=1(SEEK_CUR)",
  ],
  ["user and group ids", { type: "SETUID_X", params: { res: 0, uid: 1000 } }, "res=0 uid=1000(alice)"],
  ["the user id of nobody", { type: "SETUID_X", params: { res: 0, uid: 0xffffffff } }, "res=0 uid=-1(<NONE>)"],
  ["an unknown user id", { type: "SETUID_X", params: { res: 0, uid: 4 } }, "res=0 uid=4(<NA>)"],
  ["a group id", { type: "SETGID_X", params: { res: 0, gid: 1000 } }, "res=0 gid=1000(staff)"],
  [
    "a process and a signal",
    { type: "KILL_X", params: { res: 0, pid: 7, sig: 9 } },
    "res=0 pid=7(seven) sig=9(SIGKILL)",
  ],
  ["an unknown process and signal 0", { type: "KILL_X", params: { res: 0, pid: 8, sig: 0 } }, "res=0 pid=8 sig=0"],
  [
    "an enumeration with two names",
    { type: "SOCKET_X", params: { fd: -1, domain: 1, type: 1, proto: 0, flags: 0 } },
    "fd=-1(EPERM) domain=1(AF_LOCAL|AF_UNIX) type=1 proto=0 flags=0(O_NONE)",
  ],
  [
    "IPv4 addresses",
    {
      type: "CONNECT_X",
      params: {
        res: -111,
        tuple: tupleParam(ip4("10.0.0.1"), 1, ip4("10.0.0.2"), 65535),
        fd: 3,
        addr: sockAddrParam(ip4("1.2.3.4"), 80),
      },
    },
    "res=-111(ECONNREFUSED) tuple=10.0.0.1:1->10.0.0.2:65535 fd=3(<f>/etc/passwd) addr=1.2.3.4:80",
  ],
  [
    "IPv4 addresses inside IPv6 ones",
    {
      type: "CONNECT_X",
      params: { res: -111, tuple: tupleParam(MAPPED, 1, MAPPED, 2), fd: 3, addr: sockAddrParam(MAPPED, 80) },
    },
    "res=-111(ECONNREFUSED) tuple=1.2.3.4:1->1.2.3.4:2 fd=3(<f>/etc/passwd) addr=::ffff:1.2.3.4:80",
  ],
  [
    "an IPv4 address inside an IPv6 one, and no address",
    { type: "CONNECT_X", params: { res: -111, tuple: tupleParam("\0".repeat(16), 1, MAPPED, 2), fd: 3, addr: null } },
    "res=-111(ECONNREFUSED) tuple=0.0.0.0:1->1.2.3.4:2 fd=3(<f>/etc/passwd) addr=<NA>",
  ],
  [
    "a unix path without end",
    { type: "CONNECT_X", params: { res: -111, tuple: null, fd: 3, addr: Buffer.from("\x01/run/s") } },
    "res=-111(ECONNREFUSED) tuple=NULL fd=3(<f>/etc/passwd) addr=INVALID PATH",
  ],
  [
    "IPv6 addresses, one of them IPv4 in disguise",
    {
      type: "CONNECT_X",
      params: { res: -111, tuple: tupleParam(LOOPBACK6, 1, MAPPED, 2), fd: 3, addr: sockAddrParam(LOOPBACK6, 80) },
    },
    "res=-111(ECONNREFUSED) tuple=::1:1->::ffff:1.2.3.4:2 fd=3(<f>/etc/passwd) addr=::1:80",
  ],
  [
    "unix addresses",
    {
      type: "CONNECT_X",
      params: { res: -2, tuple: unixTupleParam(0xabcn, 0n, "/run/s"), fd: 3, addr: Buffer.from("\x01/run/s\0") },
    },
    "res=-2(ENOENT) tuple=abc->0 /run/s fd=3(<f>/etc/passwd) addr=/run/s",
  ],
  [
    "addresses of the wrong length",
    { type: "CONNECT_X", params: { res: -1, tuple: Buffer.from([2, 1, 2]), fd: 3, addr: Buffer.from([10, 1]) } },
    "res=-1(EPERM) tuple=INVALID IPv4 fd=3(<f>/etc/passwd) addr=INVALID IPv6",
  ],
  [
    "an address of an unknown family",
    { type: "CONNECT_X", params: { res: -1, tuple: Buffer.from([99]), fd: 3, addr: Buffer.from([99]) } },
    "res=-1(EPERM) tuple=family 99 fd=3(<f>/etc/passwd) addr=family 99",
  ],
  [
    "the descriptors of poll",
    {
      type: "POLL_X",
      params: {
        res: 1,
        fds: Buffer.from([2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0x41, 0]),
        timeout: -1,
      },
    },
    "res=1 fds=3:f1 9:?41 timeout=-1",
  ],
  [
    "a list of descriptors that is cut",
    { type: "POLL_X", params: { res: 1, fds: Buffer.from([9, 0, 3, 0]), timeout: 0 } },
    "res=1 fds= timeout=0",
  ],
  [
    "a length of time",
    { type: "NANOSLEEP_X", params: { res: 0, interval: 1500000 } },
    "res=0 interval=1500000(0.0015s)",
  ],
  ["no length of time", { type: "NANOSLEEP_X", params: { res: 0, interval: -1 } }, "res=0 interval=none"],
  [
    "a length of time of more than 63 bits",
    { type: "NANOSLEEP_X", params: { res: 0, interval: -2 } },
    "res=0 interval=18446744073709551614(1.84467e+10s)",
  ],
  ["the user id 0 that nobody has listed", { type: "SETUID_X", params: { res: 0, uid: 0 } }, "res=0 uid=0(root)"],
  [
    "a path under an unknown directory",
    { type: "UNLINKAT_2_X", params: { res: 0, dirfd: 99, name: "a//b/../c/", flags: 0 } },
    "res=0 dirfd=99 name=a//b/../c/(a/c) flags=0",
  ],
  [
    "a signal set",
    { type: "PPOLL_X", params: { res: 0, fds: null, timeout: 0, sigmask: 0b100000000000001 } },
    "res=0 fds=NULL timeout=0(0s) sigmask=SIGHUP SIGTERM",
  ],
  [
    "a buffer of no bytes with its type in front",
    { type: "GETSOCKOPT_X", params: { res: 0, fd: 5, level: 1, optname: 4, val: Buffer.from([0]), optlen: 0 } },
    "res=0 fd=5(<p>) level=1(SOL_SOCKET) optname=4(SO_ERROR) val= optlen=0",
  ],
  [
    "a value with its type in front",
    {
      type: "GETSOCKOPT_X",
      params: {
        res: 0,
        fd: 3,
        level: 1,
        optname: 4,
        val: Buffer.from([1, 0x91, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        optlen: 4,
      },
    },
    "res=0 fd=3(<f>/etc/passwd) level=1(SOL_SOCKET) optname=4(SO_ERROR) val=-111(ECONNREFUSED) optlen=4",
  ],
  [
    "a value with an unknown type in front",
    { type: "GETSOCKOPT_X", params: { res: 0, fd: 3, level: 1, optname: 4, val: Buffer.from([77, 1]), optlen: 4 } },
    "res=0 fd=3(<f>/etc/passwd) level=1(SOL_SOCKET) optname=4(SO_ERROR) val=INVALID DYNAMIC PARAMETER optlen=4",
  ],
  [
    "permissions",
    { type: "CHMOD_X", params: { res: 0, filename: "/f", mode: 0o4755 } },
    "res=0 filename=/f mode=04755(S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID)",
  ],
  ["the generic event, of which the name says all", { type: "GENERIC_X", params: { ID: 2, nativeID: 60 } }, ""],
];

test("evt.arg of a system call that there is not", () => {
  const event: EventSpec = { type: "GENERIC_X", params: { ID: 60000, nativeID: 9 } };
  expect(textOf("evt.arg.ID", [event], state)).toBe("<unknown syscall>");
});

describe("evt.args", () => {
  test.each(ROWS.map((r) => [...r] as const))("shows %s", (_, event, text) => {
    expect(textOf("evt.args", [event], state)).toBe(text);
  });

  const read: EventSpec = { type: "READ_X", params: { res: 0, data: "A".repeat(17) + "\r\n\n\0", fd: 3, size: 1 } };
  const shown = (): string | undefined => textOf("evt.arg.data", [read], state);

  test("cuts long buffers in the way of the dots", () => {
    display.bufferLimit = 10;
    expect(shown()).toBe("AAAAAAA...");
    display.bufferLimit = 0;
    expect(shown()).toBe(`${"A".repeat(17)}....`);
  });

  test("shows buffers as hexadecimal rows", () => {
    display.buffer = "hex";
    expect(shown()).toBe("\n\t0x0000: 4141 4141 4141 4141 4141 4141 4141 4141\n\t0x0010: 410d 0a0a 00\n");
  });

  test("shows buffers as hexadecimal rows with text, the columns in line", () => {
    display.buffer = "hexascii";
    const rows = shown()?.split("\n") ?? [];
    expect(rows[1]).toBe("\t0x0000: 4141 4141 4141 4141 4141 4141 4141 4141  AAAAAAAAAAAAAAAA");
    expect(rows[2]?.indexOf("A....")).toBe(rows[1]?.indexOf("AAAA") as number);
  });

  test("shows buffers as text", () => {
    display.buffer = "ascii";
    expect(shown()).toBe(`\n${"A".repeat(17)}\n\n`);
  });

  test("shows buffers as base64", () => {
    display.buffer = "base64";
    expect(shown()).toBe(Buffer.from(`${"A".repeat(17)}\r\n\n\0`).toString("base64"));
  });
});

describe("evt.arg", () => {
  const close: EventSpec = { type: "CLOSE_X", params: { res: -9, fd: 3 } };
  test("gives what a parameter stands for, by name or position", () => {
    expect(textOf("evt.arg.fd", [close], state)).toBe("<f>/etc/passwd");
    expect(textOf("evt.arg[0]", [close], state)).toBe("EBADF");
  });
  test("is missing for parameters that the event does not have", () => {
    expect(textOf("evt.arg.name", [close], state)).toBeUndefined();
    expect(textOf("evt.arg[9]", [close], state)).toBeUndefined();
  });
  test("evt.rawarg gives the number", () => {
    expect(textOf("evt.rawarg.res", [close], state)).toBe("-9");
  });
});

/** A value that parameters of a type can have. */
function anyValue(type: number): ParamValue {
  if (type === PT.SOCKADDR) return sockAddrParam(ip4("1.2.3.4"), 80);
  if (type === PT.SOCKTUPLE) return tupleParam(ip4("1.2.3.4"), 1, ip4("5.6.7.8"), 2);
  if (type === PT.FDLIST) return Buffer.from([1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  if (type === PT.DYN) return Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0]);
  return PARAM_SIZE[type] === 0 ? "x" : 1;
}

test("every parameter of every event type is shown under its name, with a value", () => {
  const ids = new Map(Object.entries(EV).map(([name, id]) => [id as number, name as keyof typeof EV]));
  for (const e of EVENTS) {
    if (e.id === EV.GENERIC_X || e.id === EV.GENERIC_E) continue;
    const type = ids.get(e.id);
    if (type === undefined) throw new Error(`event ${e.id} has no name`);
    const text = textOf("evt.args", [{ type, params: e.params.map((p) => anyValue(p.type)) }], state) ?? "";
    let at = 0;
    for (const p of e.params) {
      const found = text.indexOf(`${p.name}=`, at);
      expect([type, p.name, found >= at]).toEqual([type, p.name, true]);
      at = found + p.name.length + 1;
      expect([type, p.name, /^(NULL|<NA>|INVALID|family)/.test(text.slice(at))]).toEqual([type, p.name, false]);
    }
  }
});
