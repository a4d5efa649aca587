// SPDX-License-Identifier: Apache-2.0
// Flags that `falco replay` and `falco run` share, and what they mean for the engine.
import type { RunSettings } from "../lib/engine/session.ts";
import type { Message } from "../lib/outputs/output.ts";
import type { Selection } from "../lib/rules/selection.ts";
import type { Args } from "./cli/args.ts";
import { UsageError } from "./cli/errors.ts";
import type { Flag } from "./cli/flags.ts";
import { obeysEscapes } from "./cli/terminal.ts";

const RULES = "Rules";
const CONFIG = "Configuration";
const ALERTS = "Alerts";
const SOURCES = "Input";
export const END = "When to end";

export const RUN_FLAGS: readonly Flag[] = [
  {
    name: "rules",
    short: "r",
    type: "strings",
    value: "PATH",
    category: RULES,
    help: "Rule file, or directory or pattern of rule files; several are read in order.",
    long: "Without it the files in rules_files of the configuration are read, and without those the rules inside the program.",
  },
  {
    name: "only-tag",
    short: "t",
    type: "strings",
    value: "TAG",
    category: RULES,
    help: "Run only rules that have this tag.",
  },
  {
    name: "without-tag",
    short: "T",
    type: "strings",
    value: "TAG",
    category: RULES,
    help: "Leave out rules that have this tag.",
  },
  {
    name: "without-rule",
    short: "D",
    type: "strings",
    value: "TEXT",
    category: RULES,
    help: "Leave out rules whose name has this text in it; * stands for any text.",
  },
  {
    name: "config",
    short: "c",
    type: "string",
    value: "FILE",
    category: CONFIG,
    help: "Configuration file (falco.yaml).",
  },
  {
    name: "option",
    short: "o",
    type: "strings",
    value: "KEY=VALUE",
    category: CONFIG,
    help: "Set a key of the configuration; wins over the file.",
    long: "Parts of a key are separated by dots, [0] is an entry of a list, [] a new one behind the last; a backslash takes the next character as it is. A value that begins with { or [ is a map or list.",
  },
  {
    name: "print",
    short: "p",
    type: "string",
    value: "FORMAT",
    category: ALERTS,
    help: "Put this behind the output of every rule; 'c' stands for the container, 'k' for the Kubernetes pod.",
  },
  {
    name: "unbuffered",
    short: "U",
    type: "boolean",
    category: ALERTS,
    help: "Write every alert at once, whatever buffered_outputs says.",
  },
  {
    name: "enable-source",
    type: "strings",
    value: "SOURCE",
    category: SOURCES,
    help: "Take events of this source only; there is syscall.",
  },
  {
    name: "disable-source",
    type: "strings",
    value: "SOURCE",
    category: SOURCES,
    help: "Take no events of this source.",
  },
  {
    name: "dry-run",
    type: "boolean",
    category: CONFIG,
    help: "Check configuration and rules, then end without reading events.",
  },
  {
    name: "seconds",
    short: "M",
    type: "number",
    value: "SECONDS",
    min: 0,
    category: END,
    help: "End after so many seconds of events.",
  },
  {
    name: "max-events",
    short: "n",
    type: "number",
    value: "N",
    min: 1,
    integer: true,
    category: END,
    help: "End after so many events.",
  },
];

/** Flags of older Falco versions: they work where they have a meaning, and always name what they are called now. */
export const LEGACY_FLAGS: readonly (Flag & { now: string; option?: string })[] = [
  {
    name: "userspace",
    short: "u",
    type: "boolean",
    category: "Older",
    help: "Watch system calls without a probe in the kernel.",
    now: "--engine ptrace",
    option: "engine.kind=ptrace",
  },
  {
    name: "modern-bpf",
    type: "boolean",
    category: "Older",
    help: "Use the modern eBPF probe.",
    now: "--engine modern_ebpf",
    option: "engine.kind=modern_ebpf",
  },
  {
    name: "all-events",
    short: "A",
    type: "boolean",
    category: "Older",
    help: "Watch all system calls.",
    now: "-o base_syscalls.all=true",
    option: "base_syscalls.all=true",
  },
  {
    name: "print-base64",
    short: "b",
    type: "boolean",
    category: "Older",
    help: "Print buffers in base64.",
    now: "-o buffer_format_base64=true",
    option: "buffer_format_base64=true",
  },
  {
    name: "daemon",
    short: "d",
    type: "boolean",
    category: "Older",
    help: "Run in the background.",
    now: "a service manager; the program stays in the foreground",
  },
  {
    name: "k8s-api",
    short: "k",
    type: "string",
    value: "URL",
    category: "Older",
    help: "Address of the Kubernetes API.",
    now: "a plugin for Kubernetes metadata; it has no effect",
  },
  {
    name: "k8s-api-cert",
    short: "K",
    type: "string",
    value: "FILE",
    category: "Older",
    help: "Certificate for the Kubernetes API.",
    now: "a plugin for Kubernetes metadata; it has no effect",
  },
  {
    name: "k8s-node",
    type: "string",
    value: "NAME",
    category: "Older",
    help: "Name of this Kubernetes node.",
    now: "a plugin for Kubernetes metadata; it has no effect",
  },
  {
    name: "cri",
    type: "strings",
    value: "SOCKET",
    category: "Older",
    help: "Socket of the container runtime.",
    now: "a plugin for containers; it has no effect",
  },
  {
    name: "disable-cri-async",
    type: "boolean",
    category: "Older",
    help: "Wait for the container runtime.",
    now: "a plugin for containers; it has no effect",
  },
  {
    name: "snaplen",
    short: "S",
    type: "number",
    value: "BYTES",
    min: 0,
    integer: true,
    category: "Older",
    help: "Bytes kept of buffers.",
    now: "-o falco_libs.snaplen=BYTES",
  },
  {
    name: "stats-file",
    short: "s",
    type: "string",
    value: "FILE",
    category: "Older",
    help: "Write figures to a file.",
    now: "the keys below metrics; it has no effect",
  },
  {
    name: "stats-interval",
    type: "number",
    value: "MS",
    category: "Older",
    help: "Interval of the figures.",
    now: "the key metrics.interval; it has no effect",
  },
];

/** Colours of alerts by priority, as terminal codes. */
const COLOURS = ["97;41", "97;41", "1;31", "31", "33", "36", "32", "90"];

/** Gives a line on a terminal the colour of its priority. */
function paintLine(message: Message, json: boolean): string {
  return json ? message.line : `\x1b[${COLOURS[message.priority] ?? "0"}m${message.line}\x1b[0m`;
}

/** Writes to the terminal on stderr; null when there is none. */
export function terminal(): ((text: string) => void) | null {
  return obeysEscapes(process.stderr) ? (text) => void process.stderr.write(text) : null;
}

/** Settings that older flags stand for; says for each what it is called now. */
function legacyOptions(args: Args, say: (text: string) => void): string[] {
  return LEGACY_FLAGS.flatMap((flag) => {
    if (!args.has(flag.name) || (flag.type === "boolean" && !args.bool(flag.name))) return [];
    const label = flag.short === undefined ? `--${flag.name}` : `-${flag.short}`;
    say(`${label} is an older flag; now there is ${flag.now}`);
    if (flag.name === "snaplen") return [`falco_libs.snaplen=${args.number("snaplen")}`];
    return flag.option === undefined ? [] : [flag.option];
  });
}

/** -t, -T and -D as switches, in that order. */
function selectionOf(args: Args): Selection[] {
  const only = args.strings("only-tag");
  return [
    ...(only.length > 0 ? [{ enable: false, rule: "*" }, ...only.map((tag) => ({ enable: true, tag }))] : []),
    ...args.strings("without-tag").map((tag) => ({ enable: false, tag })),
    ...args.strings("without-rule").map((text) => ({ enable: false, rule: `*${text}*` })),
  ];
}

/** Refuses names of sources that do not exist, and a choice that leaves none. */
function checkSources(args: Args): void {
  const known = ["syscall"];
  for (const flag of ["enable-source", "disable-source"])
    for (const name of args.strings(flag))
      if (!known.includes(name))
        throw new UsageError(`--${flag}: there is no event source '${name}'; there is ${known.join(", ")}`);
  if (args.has("disable-source")) throw new UsageError("--disable-source leaves no event source");
}

/** The rules inside the program. */
export async function builtinRules(): Promise<{ name: string; content: string }> {
  const { default: content } = await import("../rules/falco_rules.yaml", { with: { type: "text" } });
  return { name: "falco_rules.yaml", content };
}

/** What the command line says about a run with rules. */
export async function runSettings(args: Args): Promise<RunSettings> {
  checkSources(args);
  const { Log } = await import("../lib/engine/log.ts");
  const log = new Log((text) => void process.stderr.write(text));
  const config = args.string("config");
  const print = args.string("print");
  const { showsColours } = await import("./cli/colour.ts");
  const colour = showsColours(process.stdout);
  return {
    ...(config === undefined ? {} : { configFile: config }),
    ...(print === undefined ? {} : { print }),
    options: [...legacyOptions(args, (text) => log.warning(text)), ...args.strings("option")],
    rules: args.strings("rules"),
    selection: selectionOf(args),
    unbuffered: args.bool("unbuffered"),
    builtinRules: await builtinRules(),
    paint: colour ? paintLine : null,
    env: process.env,
    log,
  };
}
