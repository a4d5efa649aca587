// SPDX-License-Identifier: Apache-2.0
// Container ids from cgroup paths: one table of the patterns of all runtimes.

/** Runtime behind a container id; values are those of the container.type field's source. */
export const CONTAINER_TYPE = Object.freeze({
  DOCKER: 0,
  LXC: 1,
  LIBVIRT_LXC: 2,
  MESOS: 3,
  RKT: 4,
  CUSTOM: 5,
  CRI: 6,
  CONTAINERD: 7,
  CRIO: 8,
  BPM: 9,
  STATIC: 10,
  PODMAN: 11,
  HOST: 0xfffe,
} as const);

export interface ContainerMatch {
  /** Short id (12 digits of a hexadecimal one), or "host". */
  id: string;
  /** All of the id; "" for the host. */
  fullId: string;
  /** CONTAINER_TYPE. */
  type: number;
}

const HEX64 = "([0-9a-f]{64})";

/**
 * Patterns in the order they are tried; the first capture group is the id. Every pattern is tried on all cgroups of a
 * thread before the next one. None backtracks more than linearly in the path's length.
 */
const MATCHERS: readonly (readonly [number, RegExp])[] = [
  [CONTAINER_TYPE.PODMAN, new RegExp(`/libpod-(?:payload-)?${HEX64}(?:\\.scope)?(?:/|$)`)],
  [CONTAINER_TYPE.PODMAN, new RegExp(`libpod-${HEX64}\\.scope/container$`)],
  [CONTAINER_TYPE.DOCKER, new RegExp(`/docker/${HEX64}(?:/|$)`)],
  [CONTAINER_TYPE.DOCKER, new RegExp(`/docker-${HEX64}\\.scope(?:/|$)`)],
  [CONTAINER_TYPE.CRIO, new RegExp(`/crio-${HEX64}(?:\\.scope)?(?:/|$)`)],
  [CONTAINER_TYPE.CONTAINERD, new RegExp(`/cri-containerd-${HEX64}\\.scope(?:/|$)`)],
  [CONTAINER_TYPE.CONTAINERD, new RegExp(`:cri-containerd:${HEX64}(?:/|$)`)],
  [CONTAINER_TYPE.CONTAINERD, new RegExp(`/nerdctl-${HEX64}\\.scope(?:/|$)`)],
  [CONTAINER_TYPE.CRI, new RegExp(`/(?:kubepods[^/]*|pod[^/]*)/(?:[^/]+/)*${HEX64}(?:/|$)`)],
  [CONTAINER_TYPE.DOCKER, new RegExp(`^/${HEX64}(?:/|$)`)],
  [CONTAINER_TYPE.CRI, new RegExp(`/${HEX64}(?:/|$)`)],
  [CONTAINER_TYPE.LXC, /\/lxc(?:\.payload(?:\.|\/)|\/)([^/]+)/],
  [CONTAINER_TYPE.LIBVIRT_LXC, /\/([^/]+)\.libvirt-lxc(?:\/|$)/],
  [CONTAINER_TYPE.LIBVIRT_LXC, /\/machine-lxc\\x2d(?:\d+\\x2d)?([^/]+?)\.scope(?:\/|$)/],
  [CONTAINER_TYPE.LIBVIRT_LXC, /\/libvirt\/lxc\/([^/]+)/],
  [CONTAINER_TYPE.BPM, /\/bpm-([^/]+?)(?:\.scope)?(?:\/|$)/],
  // containerd's own clients: /NAMESPACE/ID, the namespace not being a systemd unit.
  [
    CONTAINER_TYPE.CONTAINERD,
    /^\/(?![^/]*\.(?:slice|service|scope)(?:\/|$))[A-Za-z0-9_-]+\/([A-Za-z0-9][A-Za-z0-9_.-]{0,63})$/,
  ],
];

const UNIT = /\.(?:slice|service|scope)$/;
/** Top-level groups that hold no containers of their own: their children are not ids. */
const NOT_A_NAMESPACE = new Set(["user", "system", "init", "kubepods", "docker", "lxc", "machine", "libpod_parent"]);

const HOST: ContainerMatch = Object.freeze({ id: "host", fullId: "", type: CONTAINER_TYPE.HOST });

/** The container that a thread with these `subsystem=path` strings is in. */
export function matchContainer(cgroups: readonly string[]): ContainerMatch {
  const paths: string[] = [];
  for (const cgroup of cgroups) {
    const path = cgroup.slice(cgroup.indexOf("=") + 1);
    if (path.length > 1 && !paths.includes(path)) paths.push(path);
  }
  for (const [type, pattern] of paths.length > 0 ? MATCHERS : []) {
    for (const path of paths) {
      const full = pattern.exec(path)?.[1];
      if (full === undefined) continue;
      if (type === CONTAINER_TYPE.CONTAINERD && !/^[0-9a-f]{64}$/.test(full)) {
        if (UNIT.test(full) || NOT_A_NAMESPACE.has(path.slice(1, path.indexOf("/", 1)))) continue;
      }
      return { id: /^[0-9a-f]{64}$/.test(full) ? full.slice(0, 12) : full, fullId: full, type };
    }
  }
  return HOST;
}
