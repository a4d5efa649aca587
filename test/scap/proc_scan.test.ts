// SPDX-License-Identifier: Apache-2.0
// The /proc scan sees this very process, its children and its descriptors as they are.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readThread, type Scan, scanMachine } from "../../lib/scap/proc_scan.ts";
import { readGroups, readPasswd } from "../../lib/scap/proc_system.ts";
import { FD_TYPE, L4 } from "../../lib/scap/source.ts";

const dir = realpathSync(mkdtempSync(join(tmpdir(), "falco-scan-")));
let fd = -1;
let server: Server;
let client: Socket;
let accepted: Socket;
let port = 0;
let child: ReturnType<typeof Bun.spawn>;
let scan: Scan;

beforeAll(async () => {
  writeFileSync(join(dir, "ä file"), "x");
  fd = openSync(join(dir, "ä file"), "a");
  const connected = Promise.withResolvers<Socket>();
  server = createServer((s) => connected.resolve(s));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as { port: number }).port;
  client = createConnection(port, "127.0.0.1");
  accepted = await connected.promise;
  child = Bun.spawn(["sleep", "1000"], { cwd: dir, env: { MARK: "here" } });
  // The child shows its own command line only once it has called exec.
  while (!(await Bun.file(`/proc/${child.pid}/cmdline`).text()).startsWith("sleep\0")) await Bun.sleep(1);
  scan = scanMachine();
});

afterAll(() => {
  child.kill();
  client.destroy();
  accepted.destroy();
  server.close();
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

test("scanMachine() finds a child with its arguments, environment, directory and parent", () => {
  const p = scan.state.processes.find((x) => x.tid === child.pid);
  expect(p).toMatchObject({
    pid: child.pid,
    ptid: process.pid,
    comm: "sleep",
    exe: "sleep",
    args: ["1000"],
    env: ["MARK=here"],
    cwd: dir,
    flags: 0,
  });
  expect(p?.exepath).toMatch(/\/(sleep|coreutils|busybox)$/);
  expect(p?.uid).toBe(process.getuid?.() ?? -1);
  expect(p?.exeIno).toBeGreaterThan(0n);
  const age = BigInt(Date.now()) * 1_000_000n - (p?.startTime ?? 0n);
  expect(age < 60_000_000_000n && age > -2_000_000_000n).toBe(true);
});

test("scanMachine() lists the threads of a process with their leader's pid", () => {
  const threads = scan.state.processes.filter((x) => x.pid === process.pid && x.tid !== process.pid);
  expect(threads.length).toBeGreaterThan(0);
  for (const t of threads) expect(t.flags & 0x2001).toBe(0x2001);
});

test("scanMachine() reads a file's name byte for byte, its flags, device and inode", () => {
  const f = scan.state.fds.get(process.pid)?.find((x) => x.fd === fd);
  expect(f?.type).toBe(FD_TYPE.FILE_V2);
  expect(Buffer.from(f?.name ?? "", "latin1").toString("utf8")).toBe(join(dir, "ä file"));
  expect((f?.openFlags ?? 0) & (2 | 8)).toBe(2 | 8);
  expect(f?.ino).toBeGreaterThan(0n);
  expect(f?.dev).toBeGreaterThan(0);
});

test("scanMachine() shows the listening socket as a server, and each end of a connection from its own side", () => {
  const fds = scan.state.fds.get(process.pid) ?? [];
  const loopback = 0x7f000001;
  expect(fds.filter((f) => f.type === FD_TYPE.IPV4_SERVSOCK && f.dip === loopback && f.dport === port)).toHaveLength(1);
  const ends = fds.filter((f) => f.type === FD_TYPE.IPV4_SOCK && f.l4proto === L4.TCP);
  const clientPort = client.localPort as number;
  // Who is server of what is told by the ports that are listened on, when all are known.
  expect(ends.filter((f) => f.sport === clientPort && f.dport === port)).toHaveLength(1);
  expect(ends.filter((f) => f.sport === port && f.dport === clientPort)).toHaveLength(1);
  for (const e of ends) expect([e.sip, e.dip]).toEqual([loopback, loopback]);
});

test("readThread() gives a live thread and undefined for one that does not exist", () => {
  expect(readThread(child.pid)?.entry.comm).toBe("sleep");
  expect(readThread(0x7ffffff0)).toBeUndefined();
});

test("readPasswd() and readGroups() skip lines that are not entries", () => {
  writeFileSync(
    join(dir, "passwd"),
    "root:x:0:0:root:/root:/bin/sh\n# no\n+::::::\nbad:x:y:0:::\nann:x:7:8::/home/ann:/bin/zsh\n",
  );
  writeFileSync(join(dir, "group"), "wheel:x:10:root\n\nbroken\n");
  expect(readPasswd(join(dir, "passwd")).map((u) => [u.name, u.uid, u.gid, u.home, u.shell])).toEqual([
    ["root", 0, 0, "/root", "/bin/sh"],
    ["ann", 7, 8, "/home/ann", "/bin/zsh"],
  ]);
  expect(readGroups(join(dir, "group"))).toEqual([{ gid: 10, name: "wheel" }]);
});
