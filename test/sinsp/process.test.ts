// SPDX-License-Identifier: Apache-2.0
// What processes change about themselves; users, groups and containers.
import { describe, expect, test } from "bun:test";
import { toBytes } from "../../lib/scap/bytes.ts";
import { CL } from "../../lib/sinsp/flags.ts";
import { type EventSpec, processEntry } from "../support/events.ts";
import { init, inspect, nop, run, shell } from "./support.ts";

describe("process facts", () => {
  const cases: readonly (readonly [string, EventSpec, Record<string, unknown>])[] = [
    ["setuid", { type: "SETUID_X", params: { res: 0, uid: 7 } }, { uid: 7 }],
    ["setuid failing", { type: "SETUID_X", params: { res: -1, uid: 7 } }, { uid: 0 }],
    ["setresuid", { type: "SETRESUID_X", params: { res: 0, ruid: 1, euid: 2, suid: 3 } }, { uid: 2 }],
    ["setresuid unchanged", { type: "SETRESUID_X", params: { res: 0, ruid: 1, euid: -1, suid: 3 } }, { uid: 0 }],
    ["setregid", { type: "SETREGID_X", params: { res: 0, rgid: 1, egid: 2 } }, { gid: 2 }],
    ["setsid", { type: "SETSID_X", params: { res: 55 } }, { sid: 55 }],
    ["chdir", { type: "CHDIR_X", params: { res: 0, path: "../x" } }, { cwd: "/home/x/" }],
    ["getcwd", { type: "GETCWD_X", params: { res: 3, path: "/y" } }, { cwd: "/y/" }],
    ["chroot", { type: "CHROOT_X", params: { res: 0, path: "jail" } }, { root: "/home/me/jail" }],
    ["setrlimit", { type: "SETRLIMIT_X", params: { res: 0, cur: 99, max: 99, resource: 7 } }, { fdlimit: 99 }],
    [
      "prlimit",
      { type: "PRLIMIT_X", params: { res: 0, newcur: 98, newmax: 99, pid: 0, resource: 7 } },
      { fdlimit: 98 },
    ],
    [
      "brk",
      { type: "BRK_4_X", params: { res: 0, vm_size: 1, vm_rss: 2, vm_swap: 3, addr: 0 } },
      { vmSizeKb: 1, vmRssKb: 2, vmSwapKb: 3 },
    ],
    [
      "capset",
      { type: "CAPSET_X", params: { res: 0, cap_inheritable: 1, cap_permitted: 2, cap_effective: 3 } },
      { capInheritable: 1, capPermitted: 2, capEffective: 3 },
    ],
    ["unshare", { type: "UNSHARE_X", params: { res: 0, flags: CL.NEWUSER } }, { capEffective: 2 ** 41 - 1 }],
  ];
  for (const [name, event, wanted] of cases) {
    test(name, () => {
      const thread = run([event]).thread;
      for (const [key, value] of Object.entries(wanted)) expect(Reflect.get(thread ?? {}, key)).toBe(value);
    });
  }

  test("users and groups come and go with events, per container", () => {
    const added: EventSpec = {
      type: "USER_ADDED_E",
      params: { uid: 5, gid: 6, name: "u", home: "/h", shell: "/s", container_id: "c1" },
    };
    const insp = inspect([added, { ...added, type: "USER_DELETED_E" }]);
    insp.next();
    expect(insp.user(5, "c1")).toEqual({ uid: 5, gid: 6, name: "u", home: "/h", shell: "/s" });
    expect(insp.user(5, "")).toBeUndefined();
    insp.next();
    expect(insp.user(5, "c1")).toBeUndefined();
  });
});

describe("containers", () => {
  const json = (c: object): EventSpec => ({
    type: "CONTAINER_JSON_2_E",
    tid: -1,
    params: { json: toBytes(JSON.stringify(c)) },
  });

  test("descriptions are kept by id; what is unknown is left out", () => {
    const insp = run([
      json({
        container: {
          id: "697956520d89",
          image: "nginx",
          imagetag: "incomplete",
          type: 7,
          name: "é",
          ip: "0.0.0.0",
          privileged: false,
          labels: { "io.kubernetes.pod.name": "web-1" },
          Mounts: [{ Source: "/a", Destination: "/b", Mode: "", RW: true, Propagation: "rprivate" }],
        },
      }),
    ]);
    expect(insp.hidden).toBe(true);
    expect(insp.container("697956520d89")).toEqual({
      image: "nginx",
      type: "containerd",
      name: "\xc3\xa9",
      privileged: false,
      labels: new Map([["io.kubernetes.pod.name", "web-1"]]),
      podName: "web-1",
      mounts: [{ source: "/a", destination: "/b", mode: "", writable: true, propagation: "rprivate" }],
    });
  });

  test("asynchronous events describe containers too", () => {
    const data = JSON.stringify({ container: { id: "abc", name: "n" } });
    const insp = run([{ type: "ASYNCEVENT_E", tid: -1, params: { plugin_id: 1, name: "container", data } }]);
    expect(insp.container("abc")?.name).toBe("n");
  });

  test("malformed descriptions are counted", () => {
    const bad: EventSpec = { type: "CONTAINER_JSON_2_E", tid: -1, params: { json: "{" } };
    const insp = run([bad, json({}), json({ container: { id: 5 } })]);
    expect(insp.stats().malformedContainers).toBe(3);
  });

  const full = "0123456789abcdef".repeat(4);
  const short = full.slice(0, 12);
  const paths: readonly (readonly [string, string])[] = [
    [`/docker/${full}`, short],
    [`/system.slice/docker-${full}.scope`, short],
    [`/machine.slice/libpod-${full}.scope/container`, short],
    [`/machine.slice/libpod-payload-${full}`, short],
    [`/user.slice/user-0.slice/libpod-${full}.scope`, short],
    [`/kubepods/besteffort/pod5f/${full}`, short],
    [`/kubepods.slice/kubepods-pod5f.slice/cri-containerd-${full}.scope`, short],
    [`/kubepods.slice/kubepods-pod5f.slice/crio-${full}.scope`, short],
    [`/kubepods.slice/kubepods-pod5f.slice/crio-${full}.scope/container`, short],
    [`/system.slice/containerd.service/kubepods-pod5f.slice:cri-containerd:${full}`, short],
    [`/system.slice/nerdctl-${full}.scope`, short],
    [`/${full}`, short],
    ["/default/redis", "redis"],
    ["/lxc/web/x", "web"],
    ["/lxc.payload/web/x", "web"],
    ["/lxc.payload.web/x", "web"],
    ["/machine.slice/machine-lxc\\x2d12\\x2dweb.scope", "web"],
    ["/web.libvirt-lxc", "web"],
    ["/machine/libvirt/lxc/web/x", "web"],
    ["/bpm-web", "web"],
    ["/", "host"],
    ["/user.slice/user-1000.slice/session-1.scope", "host"],
    ["/system.slice/sshd.service", "host"],
    ["/init.scope", "host"],
    [`/docker/${full.slice(1)}`, "host"],
  ];
  for (const [path, id] of paths) {
    test(`cgroup ${path} is in ${id}`, () => {
      const entry = processEntry({ tid: 100, cgroups: ["cpu=/", `memory=${path}`] });
      const thread = run([nop(100)], {}, [entry]).thread;
      expect(thread?.containerId).toBe(id);
      expect(thread?.containerFullId).toBe(id === "host" ? "" : id === short ? full : id);
    });
  }
});

test("a context switch of a thread tells the memory of its process", () => {
  const figures = { next: 1, pgft_maj: 3, pgft_min: 4, vm_size: 500, vm_rss: 60, vm_swap: 7 };
  const worker = processEntry({ tid: 101, pid: 100, comm: "worker" });
  const insp = run([{ type: "SCHEDSWITCH_6_E", tid: 101, params: figures }], {}, [init, shell, worker]);
  expect(insp.thread).toMatchObject({ pfMajor: 3, pfMinor: 4, vmSizeKb: 0 });
  expect(insp.getThread(100)).toMatchObject({ pfMajor: 0, vmSizeKb: 500, vmRssKb: 60, vmSwapKb: 7 });
});

test("statistics of a thread that nothing is known of do not make it known", () => {
  const insp = run([{ type: "PROCINFO_E", tid: 77, params: { cpu_usr: 1, cpu_sys: 2 } }]);
  expect([insp.thread, insp.threads.get(77), insp.counters.unknownThreads]).toEqual([null, undefined, 0]);
});
