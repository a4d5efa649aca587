// SPDX-License-Identifier: Apache-2.0
// Fields of the container and the Kubernetes pod a thread is in, as far as cgroups and the capture itself tell.
import { PT } from "../schema/tables/enums.ts";
import type { ContainerInfo, ContainerMount } from "../sinsp/container_info.ts";
import type { Context, ThreadContext } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";
import { argField, argRule, bool, duration, field, text } from "./define.ts";
import type { ArgRule, Extractor, Field, FieldArg, Value } from "./field.ts";
import { threadOnly } from "./thread_only.ts";
import { canonical } from "./time_text.ts";

const HOST = "host";

/** Threads nothing is known of are in no container, not even the host. */
function knownThread(ctx: ThreadContext): ThreadInfo | undefined {
  const t = ctx.thread;
  return t === null || t.invalid ? undefined : t;
}

/** The container's description; undefined on the host and for containers nothing was said about. */
function infoOf(ctx: ThreadContext): ContainerInfo | undefined {
  const id = knownThread(ctx)?.containerId;
  return id === undefined || id === HOST || id === "" ? undefined : ctx.container(id);
}

function ofContainer(get: (c: ContainerInfo, ctx: Context) => Value | undefined): Extractor {
  return (ctx) => {
    const c = infoOf(ctx);
    return c === undefined ? undefined : get(c, ctx);
  };
}

/** The same with "host" for threads outside of containers. */
function ofContainerOrHost(get: (c: ContainerInfo) => string | undefined): Extractor {
  return threadOnly((ctx) => {
    const id = knownThread(ctx)?.containerId;
    if (id === HOST || id === "") return HOST;
    const c = id === undefined ? undefined : ctx.container(id);
    return c === undefined ? undefined : get(c);
  });
}

/** `key:value, key:value` */
function labelList(labels: ReadonlyMap<string, string> | undefined): string | undefined {
  return labels === undefined ? undefined : [...labels].map(([k, v]) => (v === "" ? k : `${k}:${v}`)).join(", ");
}

function mountText(m: ContainerMount): string {
  return `${m.source}:${m.destination}:${m.mode}:${m.writable}:${m.propagation}`;
}

/** Shell-like match with "*" and "?", in linear time per star. */
function globMatch(pattern: string, s: string): boolean {
  let p = 0;
  let i = 0;
  let star = -1;
  let back = 0;
  while (i < s.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      back = i;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === s[i])) {
      p++;
      i++;
    } else if (star >= 0) {
      p = star + 1;
      i = ++back;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** A mount by position, or the first whose `key` path matches. */
function findMount(arg: FieldArg, key: "source" | "destination"): (c: ContainerInfo) => ContainerMount | undefined {
  if (arg === null) return () => undefined;
  if ("index" in arg) {
    const i = arg.index;
    return (c) => c.mounts?.[i];
  }
  const pattern = arg.key;
  return (c) => c.mounts?.find((m) => globMatch(pattern, m[key]));
}

const BY_NUMBER_OR_PATH: ArgRule = argRule(true, "index", "key");

function mountField(
  name: string,
  doc: string,
  key: "source" | "destination",
  get: (m: ContainerMount) => string,
): Field {
  return argField(name, PT.CHARBUF, BY_NUMBER_OR_PATH, doc, (arg) => {
    const find = findMount(arg, key);
    return ofContainer((c) => {
      const m = find(c);
      return m === undefined ? undefined : get(m);
    });
  });
}

function labelField(
  name: string,
  doc: string,
  get: (c: ContainerInfo) => ReadonlyMap<string, string> | undefined,
): Field {
  return argField(name, PT.CHARBUF, argRule(true, "key"), doc, (_, label) => ofContainer((c) => get(c)?.get(label)));
}

const suggested = { flags: { suggested: true } };
const PATH = "by number or path: [0], [/usr/local], [/usr/*]";

export const CONTAINER_FIELDS: readonly Field[] = [
  text(
    "container.id",
    'Container id, its first 12 digits; "host" outside of containers',
    threadOnly((ctx) => {
      const id = knownThread(ctx)?.containerId;
      return id === "" ? HOST : id;
    }),
    suggested,
  ),
  text("container.full_id", 'Container id with all of its digits; "host" outside of containers', (ctx) => {
    const t = knownThread(ctx);
    if (t === undefined) return undefined;
    if (t.containerId === HOST || t.containerId === "") return HOST;
    return t.containerFullId === "" ? t.containerId : t.containerFullId;
  }),
  text(
    "container.name",
    'Name of the container; "host" outside of containers',
    ofContainerOrHost((c) => c.name),
    suggested,
  ),
  text(
    "container.image",
    "Image of the container as it was asked for, e.g. nginx:latest",
    ofContainer((c) => c.image),
  ),
  text(
    "container.image.id",
    "Id of the image",
    ofContainer((c) => c.imageId),
  ),
  text(
    "container.type",
    'Kind of runtime: docker, containerd, cri-o, podman …; "host" outside of containers',
    ofContainerOrHost((c) => c.type),
  ),
  bool(
    "container.privileged",
    "True for containers that run privileged",
    ofContainer((c) => c.privileged),
  ),
  text(
    "container.mounts",
    "All mounts, commas between: source:destination:mode:writable:propagation",
    ofContainer((c) => c.mounts?.map(mountText).join(",")),
  ),
  argField(
    "container.mount",
    PT.CHARBUF,
    BY_NUMBER_OR_PATH,
    `One mount, ${PATH} of its source; "none" when there is no such mount`,
    (arg) => {
      const find = findMount(arg, "source");
      return ofContainer((c) => {
        if (c.mounts === undefined) return undefined;
        const m = find(c);
        return m === undefined ? "none" : mountText(m);
      });
    },
  ),
  mountField("container.mount.source", `Source of a mount, ${PATH} of its destination`, "destination", (m) => m.source),
  mountField("container.mount.dest", `Destination of a mount, ${PATH} of its source`, "source", (m) => m.destination),
  mountField("container.mount.mode", `Mode of a mount, ${PATH} of its source`, "source", (m) => m.mode),
  mountField("container.mount.rdwr", `Whether a mount is writable, ${PATH} of its source`, "source", (m) =>
    String(m.writable),
  ),
  mountField(
    "container.mount.propagation",
    `Propagation of a mount, ${PATH} of its source`,
    "source",
    (m) => m.propagation,
  ),
  text(
    "container.image.repository",
    "Repository of the image, e.g. nginx",
    ofContainer((c) => c.imageRepository),
    suggested,
  ),
  text(
    "container.image.tag",
    "Tag of the image, e.g. latest",
    ofContainer((c) => c.imageTag),
    suggested,
  ),
  text(
    "container.image.digest",
    "Digest of the image",
    ofContainer((c) => c.imageDigest),
  ),
  field(
    "container.start_ts",
    PT.ABSTIME,
    "Start of the container, ns since the epoch",
    ofContainer((c) => (c.created === undefined ? undefined : canonical(c.created))),
  ),
  duration(
    "container.duration",
    "Nanoseconds since the container started",
    ofContainer((c, ctx) => (c.created === undefined ? undefined : canonical(ctx.ev.timeExact() - c.created))),
  ),
  text(
    "container.ip",
    "Primary address of the container",
    ofContainer((c) => c.ip),
  ),
  text(
    "container.cni.json",
    "Result of the network plugin, JSON",
    ofContainer((c) => c.cniJson),
  ),
  bool(
    "container.host_pid",
    "True for containers in the host's PID namespace",
    ofContainer((c) => c.hostPid),
  ),
  bool(
    "container.host_network",
    "True for containers in the host's network namespace",
    ofContainer((c) => c.hostNetwork),
  ),
  bool(
    "container.host_ipc",
    "True for containers in the host's IPC namespace",
    ofContainer((c) => c.hostIpc),
  ),
  labelField("container.label", "Value of one label: container.label[NAME]", (c) => c.labels),
  text(
    "container.labels",
    "All labels, name:value with commas between",
    ofContainer((c) => labelList(c.labels)),
  ),
];

export const K8S_FIELDS: readonly Field[] = [
  text(
    "k8s.pod.name",
    "Name of the pod",
    ofContainer((c) => c.podName),
    suggested,
  ),
  text(
    "k8s.ns.name",
    "Namespace of the pod",
    ofContainer((c) => c.podNamespace),
    suggested,
  ),
  text(
    "k8s.pod.id",
    "Unique id of the pod; same as k8s.pod.uid",
    ofContainer((c) => c.podUid),
  ),
  text(
    "k8s.pod.uid",
    "Unique id of the pod",
    ofContainer((c) => c.podUid),
  ),
  text(
    "k8s.pod.sandbox_id",
    "Id of the pod's sandbox container, its first 12 digits",
    ofContainer((c) => c.podSandboxId?.slice(0, 12)),
  ),
  text(
    "k8s.pod.full_sandbox_id",
    "Id of the pod's sandbox container with all of its digits",
    ofContainer((c) => c.podSandboxId),
  ),
  labelField("k8s.pod.label", "Value of one label of the pod: k8s.pod.label[NAME]", (c) => c.podLabels),
  text(
    "k8s.pod.labels",
    "All labels of the pod, name:value with commas between",
    ofContainer((c) => labelList(c.podLabels)),
  ),
  text(
    "k8s.pod.ip",
    "Address of the pod",
    ofContainer((c) => c.podIp),
  ),
  text(
    "k8s.pod.cni.json",
    "Result of the pod's network plugin, JSON",
    ofContainer((c) => c.podCniJson),
  ),
];

/** Names that older rules use and that nothing fills any more: they load, and have no value. */
const RETIRED = ["k8s.rc", "k8s.svc", "k8s.rs", "k8s.deployment"];
const OLD = { flags: { deprecated: true } };
const GONE = "Has no value any more; kept so that older rules load";
const nothing = (): undefined => undefined;

function retired(prefix: string, withName: boolean): Field[] {
  return [
    ...(withName ? [text(`${prefix}.name`, GONE, nothing, OLD)] : []),
    text(`${prefix}.id`, GONE, nothing, OLD),
    argField(`${prefix}.label`, PT.CHARBUF, argRule(true, "key"), GONE, () => nothing, OLD),
    text(`${prefix}.labels`, GONE, nothing, OLD),
  ];
}

export const RETIRED_CONTAINER_FIELDS: readonly Field[] = ["healthcheck", "liveness_probe", "readiness_probe"].map(
  (n) => text(`container.${n}`, GONE, nothing, OLD),
);

export const RETIRED_PROCESS_FIELDS: readonly Field[] = ["healthcheck", "liveness_probe", "readiness_probe"].map((n) =>
  bool(`proc.is_container_${n}`, GONE, nothing, OLD),
);

export const RETIRED_K8S_FIELDS: readonly Field[] = [
  ...RETIRED.flatMap((prefix) => retired(prefix, true)),
  ...retired("k8s.ns", false),
];
