// SPDX-License-Identifier: Apache-2.0
// The machine itself: processors, memory, boot time, users, groups, network interfaces.
import { readFileSync } from "node:fs";
import { cpus, hostname, networkInterfaces, totalmem } from "node:os";
import type { GroupEntry, InitialState, InterfaceEntry, MachineInfo, UserEntry } from "./source.ts";

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "latin1").split("\n");
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR") return [];
    throw e;
  }
}

/** Users of a passwd(5) file. */
export function readPasswd(path: string): UserEntry[] {
  const out: UserEntry[] = [];
  for (const line of readLines(path)) {
    const f = line.split(":");
    const [name, , uid, gid, , home, shell] = f;
    if (name === undefined || uid === undefined || gid === undefined || !/^\d+$/.test(uid) || !/^\d+$/.test(gid))
      continue;
    out.push({ uid: Number(uid), gid: Number(gid), name, home: home ?? "", shell: shell ?? "" });
  }
  return out;
}

/** Groups of a group(5) file. */
export function readGroups(path: string): GroupEntry[] {
  const out: GroupEntry[] = [];
  for (const line of readLines(path)) {
    const [name, , gid] = line.split(":");
    if (name !== undefined && gid !== undefined && /^\d+$/.test(gid)) out.push({ gid: Number(gid), name });
  }
  return out;
}

function parseV4(text: string): number {
  return text.split(".").reduce((v, part) => v * 256 + Number(part), 0);
}

/** Textual IPv6 address (without zone) → 16-char byte string. */
function parseV6(text: string): string {
  const [head = "", tail] = (text.split("%")[0] as string).split("::");
  const words = (part: string): number[] => (part === "" ? [] : part.split(":").map((w) => Number.parseInt(w, 16)));
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return String.fromCharCode(...all.flatMap((w) => [w >> 8, w & 0xff]));
}

function readInterfaces(): InterfaceEntry[] {
  const out: InterfaceEntry[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const a of addresses ?? []) {
      if (a.family === "IPv4") {
        const address = parseV4(a.address);
        const netmask = parseV4(a.netmask);
        const broadcast = ((address & netmask) | ~netmask) >>> 0;
        out.push({ family: 4, name, address, netmask, broadcast, linkspeed: 0n });
      } else {
        const zero = "\0".repeat(16);
        out.push({
          family: 6,
          name,
          address: parseV6(a.address),
          netmask: parseV6(a.netmask),
          broadcast: zero,
          linkspeed: 0n,
        });
      }
    }
  }
  return out;
}

/** Users, groups and interfaces; `root` is the host's root ("" for this machine). */
export function readSystem(root: string): Pick<InitialState, "interfaces" | "users" | "groups"> {
  return {
    interfaces: readInterfaces(),
    users: readPasswd(`${root}/etc/passwd`),
    groups: readGroups(`${root}/etc/group`),
  };
}

/** ns since the epoch at which the kernel's clock since boot began, to 10 ms; `root` is the host's root. */
export function readBootTime(root: string): bigint {
  const uptime = Number(readLines(`${root}/proc/uptime`)[0]?.split(" ")[0]);
  return BigInt(Math.round(Date.now() - uptime * 1000)) * 1_000_000n;
}

/** Machine information; `root` is the host's root ("" for this machine). */
export function readMachine(root: string): MachineInfo {
  const btime = readLines(`${root}/proc/stat`).find((l) => l.startsWith("btime "));
  const pidMax = readLines(`${root}/proc/sys/kernel/pid_max`)[0];
  return {
    numCpus: cpus().length,
    memorySize: totalmem(),
    maxPid: Number(pidMax ?? 0) || 32768,
    hostname: hostname(),
    bootTime: btime === undefined ? 0n : BigInt(btime.slice(6)) * 1_000_000_000n,
    flags: 0n,
  };
}
