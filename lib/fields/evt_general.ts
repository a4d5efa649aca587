// SPDX-License-Identifier: Apache-2.0
// Where an event comes from: its number, CPU, source, host and plugin.
import { EV, PF, PT } from "../schema/tables/enums.ts";
import type { Context } from "../sinsp/inspector.ts";
import { argField, argRule, field, text, u64 } from "./define.ts";
import { type Field, FieldArgError } from "./field.ts";

/** What a plugin says of an event of its own. */
export interface PluginEventInfo {
  /** Name of the plugin. */
  readonly plugin: string;
  /** Event source, e.g. "k8s_audit". */
  readonly source: string;
  /** The event as the plugin prints it (byte string). */
  text(): string;
}

let describePlugin: ((ctx: Context) => PluginEventInfo | undefined) | null = null;

/** Lets the plugin host answer for plugin events; null when no plugin is loaded. */
export function setPluginDescriber(describe: ((ctx: Context) => PluginEventInfo | undefined) | null): void {
  describePlugin = describe;
}

function pluginOf(ctx: Context): PluginEventInfo | undefined {
  return describePlugin !== null && ctx.ev.type === EV.PLUGINEVENT_E ? describePlugin(ctx) : undefined;
}

export const EVT_GENERAL_FIELDS: readonly Field[] = [
  u64("evt.num", "Ordinal of the event, the first being 1", (ctx) => ctx.ev.num, { format: PF.ID }),
];

export const EVT_SOURCE_FIELDS: readonly Field[] = [
  text(
    "evt.pluginname",
    "Name of the plugin that made the event; missing for other events",
    (ctx) => pluginOf(ctx)?.plugin,
  ),
  text("evt.plugininfo", "The event as its plugin prints it; missing for other events", (ctx) => pluginOf(ctx)?.text()),
  text("evt.source", "Event source: syscall, or what the plugin calls its own", (ctx) =>
    ctx.ev.type === EV.PLUGINEVENT_E ? pluginOf(ctx)?.source : "syscall",
  ),
];

export const EVT_HOST_FIELDS: readonly Field[] = [
  text("evt.hostname", "Name of the machine that is watched; empty for events of trace files", (ctx) =>
    ctx.source.kind === "live" ? ctx.machine.hostname : "",
  ),
];

export const EVT_CPU_FIELDS: readonly Field[] = [
  field("evt.cpu", PT.INT16, "Number of the CPU the event happened on", (ctx) => ctx.ev.cpu, { format: PF.ID }),
];

/** Milliseconds, with fraction, from `at` (ns since the epoch) to the event. */
function distanceMs(ctx: Context, at: bigint): number {
  const ns = ctx.ev.timeExact() - at;
  return Number(ns < 0n ? -ns : ns) / 1e6;
}

export const EVT_AROUND_FIELDS: readonly Field[] = [
  argField(
    "evt.around",
    PT.UINT64,
    argRule(true, "index"),
    "evt.around[T]=MS accepts events at most MS milliseconds from T (nanoseconds since the epoch)",
    (_, raw) => {
      if (!/^[0-9]{1,20}$/.test(raw))
        throw new FieldArgError(`'evt.around' needs nanoseconds since the epoch, found '[${raw}]'`);
      const at = BigInt(raw);
      return {
        extract: (ctx) => distanceMs(ctx, at),
        text: (ctx) => String(Math.floor(distanceMs(ctx, at))),
        json: (ctx) => Math.floor(distanceMs(ctx, at)),
      };
    },
    { format: PF.DEC, flags: { filterOnly: true, noTransformer: true, noRhs: true } },
  ),
];

/** One value of the `key:value;key:value` description of an infrastructure event. */
function infra(key: string): (ctx: Context) => string | undefined {
  return (ctx) => {
    if (ctx.ev.type !== EV.INFRASTRUCTURE_EVENT_E) return undefined;
    for (const part of ctx.ev.str(2).split(";")) {
      const colon = part.indexOf(":");
      if (colon > 0 && part.slice(0, colon).trim() === key) return part.slice(colon + 1).trim();
    }
    return undefined;
  };
}

const name = infra("Event");
const id = infra("ID");
const image = infra("Image");
const hidden = { flags: { hidden: true } };

export const EVT_INFRA_FIELDS: readonly Field[] = [
  text("evt.infra.docker.name", "Name of an event of the Docker daemon", name, hidden),
  text(
    "evt.infra.docker.container.id",
    "Container id of an event of the Docker daemon",
    (ctx) => id(ctx)?.slice(0, 12),
    hidden,
  ),
  text("evt.infra.docker.container.name", "Container name of an event of the Docker daemon", infra("name"), hidden),
  text(
    "evt.infra.docker.container.image",
    "Image of an event of the Docker daemon",
    (ctx) => image(ctx)?.split("@")[0],
    hidden,
  ),
];
