// SPDX-License-Identifier: Apache-2.0
// What container engines said about containers, as events carry it in JSON.
import { toBytes, toText } from "../scap/bytes.ts";
import type { ContainerInfo, ContainerMount } from "./container_info.ts";

/** Most containers kept; when there are more, the one described longest ago is forgotten. */
const MAX_CONTAINERS = 4096;

/** Names of the numeric types (CONTAINER_TYPE). */
const TYPE_NAMES: readonly string[] = [
  "docker",
  "lxc",
  "libvirt-lxc",
  "mesos",
  "rkt",
  "custom",
  "cri",
  "containerd",
  "cri-o",
  "bpm",
  "static",
  "podman",
];

/** Placeholder of engines that are still being asked. */
const INCOMPLETE = "incomplete";
/** Creation times below this are in seconds, not ns. */
const SECONDS_BELOW = 1e12;

type Json = Readonly<Record<string, unknown>>;

function isObject(v: unknown): v is Json {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

function text(v: unknown): string | undefined {
  return typeof v === "string" && v !== "" && v !== INCOMPLETE ? toBytes(v) : undefined;
}

function flag(v: unknown): boolean | undefined {
  return typeof v === "boolean" ? v : undefined;
}

function labels(v: unknown): ReadonlyMap<string, string> | undefined {
  if (!isObject(v)) return undefined;
  const map = new Map<string, string>();
  for (const [key, value] of Object.entries(v)) map.set(toBytes(key), toBytes(String(value)));
  return map;
}

function mounts(v: unknown): readonly ContainerMount[] | undefined {
  if (!Array.isArray(v)) return undefined;
  return v.filter(isObject).map((m) => ({
    source: text(m["Source"]) ?? "",
    destination: text(m["Destination"]) ?? "",
    mode: text(m["Mode"]) ?? "",
    writable: m["RW"] === true,
    propagation: text(m["Propagation"]) ?? "",
  }));
}

function created(v: unknown): bigint | undefined {
  if (typeof v !== "number" || !Number.isFinite(v) || v <= 0) return undefined;
  return v < SECONDS_BELOW ? BigInt(Math.trunc(v)) * 1_000_000_000n : BigInt(Math.trunc(v));
}

function ip(v: unknown): string | undefined {
  return v === "0.0.0.0" ? undefined : text(v);
}

/** Every key of the JSON form that is kept, and what it becomes. */
function describe(c: Json): ContainerInfo {
  const own = labels(c["labels"]);
  const type = c["type"];
  const sandbox = text(c["pod_sandbox_id"]);
  const all: { [K in keyof ContainerInfo]: ContainerInfo[K] | undefined } = {
    fullId: text(c["full_id"]),
    name: text(c["name"]),
    type: typeof type === "number" ? TYPE_NAMES[type] : text(type),
    image: text(c["image"]),
    imageId: text(c["imageid"]),
    imageRepository: text(c["imagerepo"]),
    imageTag: text(c["imagetag"]),
    imageDigest: text(c["imagedigest"]),
    privileged: flag(c["privileged"]),
    mounts: mounts(c["Mounts"]),
    labels: own,
    ip: ip(c["ip"]),
    cniJson: text(c["cni_json"]),
    hostPid: flag(c["host_pid"]),
    hostNetwork: flag(c["host_network"]),
    hostIpc: flag(c["host_ipc"]),
    created: created(c["created_time"]),
    podName: own?.get("io.kubernetes.pod.name"),
    podNamespace: own?.get("io.kubernetes.pod.namespace"),
    podUid: own?.get("io.kubernetes.pod.uid"),
    podLabels: labels(c["pod_sandbox_labels"]),
    podSandboxId: sandbox,
    podIp: sandbox === undefined ? undefined : ip(c["ip"]),
    podCniJson: sandbox === undefined ? undefined : text(c["cni_json"]),
  };
  const info: ContainerInfo = {};
  for (const [key, value] of Object.entries(all)) if (value !== undefined) Object.assign(info, { [key]: value });
  return info;
}

/** Containers by short id. */
export class ContainerTable {
  private readonly byId = new Map<string, ContainerInfo>();
  /** Descriptions that were not the JSON expected. */
  malformed = 0;

  get(id: string): ContainerInfo | undefined {
    return this.byId.get(id);
  }

  set(id: string, info: ContainerInfo): void {
    this.byId.delete(id);
    if (this.byId.size >= MAX_CONTAINERS) {
      const oldest = this.byId.keys().next().value;
      if (oldest !== undefined) this.byId.delete(oldest);
    }
    this.byId.set(id, info);
  }

  /** Takes over a description, `{"container": {"id": …}}` as a byte string; a malformed one is counted. */
  learn(json: string): void {
    let value: unknown;
    try {
      value = JSON.parse(toText(json.endsWith("\0") ? json.slice(0, -1) : json));
    } catch {
      this.malformed++;
      return;
    }
    const container = isObject(value) ? value["container"] : undefined;
    const id = isObject(container) ? text(container["id"]) : undefined;
    if (!isObject(container) || id === undefined) {
      this.malformed++;
      return;
    }
    this.set(id, describe(container));
  }

  clear(): void {
    this.byId.clear();
  }
}
