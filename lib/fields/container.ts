// SPDX-License-Identifier: Apache-2.0
// Fields about the container of the event's thread: its id from the control groups, the rest from what a runtime told.
import { PF, PT } from "../schema/tables/enums.ts";
import type { ContainerInfo, ContainerMount } from "../sinsp/container_info.ts";
import type { Context } from "../sinsp/inspector.ts";
import { argField, argRule, bool, duration, field, text } from "./define.ts";
import type { Extractor, Field, FieldArg, FieldClass, Value } from "./field.ts";

/** Id of a thread that is in no container. */
const HOST = "host";

/** A field's value from the container's description; missing outside of containers and when nothing is known. */
function known(get: (info: ContainerInfo) => Value | undefined): Extractor {
  return (ctx) => {
    const id = ctx.thread?.containerId;
    if (id === undefined || id === HOST) return undefined;
    const info = ctx.container(id);
    return info === undefined ? undefined : get(info);
  };
}

/** Like `known`, with a value of its own outside of containers. */
function orHost(get: (info: ContainerInfo) => Value | undefined): Extractor {
  const inside = known(get);
  return (ctx) => (ctx.thread?.containerId === HOST ? HOST : inside(ctx));
}

function mountText(m: ContainerMount): string {
  return [m.source, m.destination, m.mode, String(m.writable), m.propagation].join(":");
}

/** The mount that an argument names: by position, or by its source (`bySource`) or destination; `*` ends a beginning. */
function findMount(info: ContainerInfo, arg: FieldArg, bySource: boolean): ContainerMount | undefined {
  if (arg === null) return undefined;
  if ("index" in arg) return info.mounts?.[arg.index];
  const { key } = arg;
  const prefix = key.endsWith("*") ? key.slice(0, -1) : undefined;
  return info.mounts?.find((m) => {
    const path = bySource ? m.source : m.destination;
    return prefix === undefined ? path === key : path.startsWith(prefix);
  });
}

const MOUNT_ARG = argRule(true, "index", "key");
const LABEL_ARG = argRule(true, "key", "dotted");

function mountField(name: string, doc: string, get: (m: ContainerMount) => string, bySource = false): Field {
  return argField(name, PT.CHARBUF, MOUNT_ARG, doc, (arg) =>
    known((info) => {
      const mount = findMount(info, arg, bySource);
      return mount && get(mount);
    }),
  );
}

function labelField(name: string, doc: string, labels: (info: ContainerInfo) => ContainerInfo["labels"]): Field {
  return argField(name, PT.CHARBUF, LABEL_ARG, doc, (arg) =>
    known((info) => (arg !== null && "key" in arg ? labels(info)?.get(arg.key) : undefined)),
  );
}

function labelsText(labels: ContainerInfo["labels"]): string | undefined {
  return labels && [...labels].map(([key, value]) => `${key}:${value}`).join(", ");
}

const SUGGESTED = { flags: { suggested: true } };
const GONE = { deprecated: true };
const never: Extractor = () => undefined;

function age(ctx: Context): number | undefined {
  const created = known((info) => info.created)(ctx) as bigint | undefined;
  return created === undefined ? undefined : Number(ctx.baseTime - created) + ctx.ev.ts;
}

const CONTAINER_FIELDS: readonly Field[] = [
  text(
    "container.id",
    "Short id of the container (12 digits), or `host`.",
    (ctx) => ctx.thread?.containerId,
    SUGGESTED,
  ),
  text("container.full_id", "Whole id of the container.", (ctx) => {
    const thread = ctx.thread;
    if (thread === null || thread.containerId === HOST) return undefined;
    return ctx.container(thread.containerId)?.fullId ?? (thread.containerFullId || undefined);
  }),
  text(
    "container.name",
    "Name of the container, or `host`.",
    orHost((c) => c.name),
    SUGGESTED,
  ),
  text(
    "container.image",
    "Name of the image, as the container was started with it.",
    known((c) => c.image),
  ),
  text(
    "container.image.id",
    "Id of the image.",
    known((c) => c.imageId),
  ),
  text(
    "container.type",
    "Kind of the container's runtime, or `host`.",
    orHost((c) => c.type),
  ),
  bool(
    "container.privileged",
    "True when the container runs with all privileges.",
    known((c) => c.privileged),
  ),
  text(
    "container.mounts",
    "All mounts, each as source:destination:mode:writable:propagation, with commas between.",
    known((c) => c.mounts?.map(mountText).join(",")),
  ),
  mountField(
    "container.mount",
    "One mount, by number or by its source, as source:destination:mode:writable:propagation.",
    mountText,
    true,
  ),
  mountField("container.mount.source", "Source of a mount, by number or by its destination.", (m) => m.source),
  mountField("container.mount.dest", "Destination of a mount, by number or by its source.", (m) => m.destination, true),
  mountField("container.mount.mode", "Mode of a mount, by number or by its source.", (m) => m.mode, true),
  mountField(
    "container.mount.rdwr",
    "`true` when a mount is writable, by number or by its source.",
    (m) => String(m.writable),
    true,
  ),
  mountField(
    "container.mount.propagation",
    "Propagation of a mount, by number or by its source.",
    (m) => m.propagation,
    true,
  ),
  text(
    "container.image.repository",
    "Repository of the image.",
    known((c) => c.imageRepository),
    SUGGESTED,
  ),
  text(
    "container.image.tag",
    "Tag of the image.",
    known((c) => c.imageTag),
    SUGGESTED,
  ),
  text(
    "container.image.digest",
    "Digest of the image.",
    known((c) => c.imageDigest),
  ),
  text("container.healthcheck", "Formerly the health check; has no value.", never, { flags: GONE }),
  text("container.liveness_probe", "Formerly the liveness probe; has no value.", never, { flags: GONE }),
  text("container.readiness_probe", "Formerly the readiness probe; has no value.", never, { flags: GONE }),
  field(
    "container.start_ts",
    PT.ABSTIME,
    "Time at which the container was made.",
    known((c) => c.created),
    { format: PF.DEC },
  ),
  duration("container.duration", "Time since the container was made.", age),
  text(
    "container.ip",
    "Address of the container.",
    known((c) => c.ip),
  ),
  text(
    "container.cni.json",
    "Result of the network plugin for the container, as JSON.",
    known((c) => c.cniJson),
  ),
  bool(
    "container.host_pid",
    "True when the container sees the processes of the machine.",
    known((c) => c.hostPid),
  ),
  bool(
    "container.host_network",
    "True when the container uses the network of the machine.",
    known((c) => c.hostNetwork),
  ),
  bool(
    "container.host_ipc",
    "True when the container shares memory with the machine.",
    known((c) => c.hostIpc),
  ),
  labelField("container.label", "Value of one label.", (c) => c.labels),
  text(
    "container.labels",
    "All labels as key:value, with commas between.",
    known((c) => labelsText(c.labels)),
  ),
];

const PROBE_FIELDS: readonly Field[] = [
  bool("proc.is_container_healthcheck", "Formerly true for health checks; has no value.", never, { flags: GONE }),
  bool("proc.is_container_liveness_probe", "Formerly true for liveness probes; has no value.", never, { flags: GONE }),
  bool("proc.is_container_readiness_probe", "Formerly true for readiness probes; has no value.", never, {
    flags: GONE,
  }),
];

/** Objects of Kubernetes that the container's description does not tell any more. */
const GONE_OBJECTS = ["rc", "svc", "ns", "rs", "deployment"] as const;

const KUBERNETES_FIELDS: readonly Field[] = [
  text(
    "k8s.pod.name",
    "Name of the pod.",
    known((c) => c.podName),
    SUGGESTED,
  ),
  text(
    "k8s.ns.name",
    "Namespace of the pod.",
    known((c) => c.podNamespace),
    SUGGESTED,
  ),
  text(
    "k8s.pod.id",
    "Unique id of the pod.",
    known((c) => c.podUid),
    { flags: GONE },
  ),
  text(
    "k8s.pod.uid",
    "Unique id of the pod.",
    known((c) => c.podUid),
  ),
  text(
    "k8s.pod.sandbox_id",
    "Short id of the pod's first container.",
    known((c) => c.podSandboxId?.slice(0, 12)),
  ),
  text(
    "k8s.pod.full_sandbox_id",
    "Whole id of the pod's first container.",
    known((c) => c.podSandboxId),
  ),
  labelField("k8s.pod.label", "Value of one label of the pod.", (c) => c.podLabels),
  text(
    "k8s.pod.labels",
    "All labels of the pod as key:value, with commas between.",
    known((c) => labelsText(c.podLabels)),
  ),
  text(
    "k8s.pod.ip",
    "Address of the pod.",
    known((c) => c.podIp),
  ),
  text(
    "k8s.pod.cni.json",
    "Result of the network plugin for the pod, as JSON.",
    known((c) => c.podCniJson),
  ),
  ...GONE_OBJECTS.flatMap((kind): Field[] => {
    const doc = `Formerly about the object (${kind}) that the pod belongs to; has no value.`;
    return [
      ...(kind === "ns" ? [] : [text(`k8s.${kind}.name`, doc, never, { flags: GONE })]),
      text(`k8s.${kind}.id`, doc, never, { flags: GONE }),
      argField(`k8s.${kind}.label`, PT.CHARBUF, LABEL_ARG, doc, () => never, { flags: GONE }),
      text(`k8s.${kind}.labels`, doc, never, { flags: GONE }),
    ];
  }),
];

/** The class of container fields. Its names are those of the reference's container plugin. */
export const CONTAINER_CLASS: FieldClass = {
  name: "container",
  shortDoc: "Container information",
  doc: "The container a thread runs in, and its pod.",
  sources: ["syscall"],
  hidden: false,
  fields: [...CONTAINER_FIELDS, ...PROBE_FIELDS, ...KUBERNETES_FIELDS],
};
