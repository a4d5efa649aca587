// SPDX-License-Identifier: Apache-2.0
// Fields of a process's ancestors, session and process group.
import { PF, PT } from "../schema/tables/enums.ts";
import type { Context, ThreadContext } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";
import { argField, argRule, duration, id64, text } from "./define.ts";
import type { Extractor, Field, FieldArg, Scalar, Value } from "./field.ts";
import { age, ofThread, ofThreadNow, plausibleId, startOf } from "./process.ts";
import { ancestor, argsOf, cmdlineOf, envOf, envValue, walkAncestors } from "./thread_text.ts";

/** What is asked of an ancestor. */
type Get = (t: ThreadInfo) => Scalar | undefined;

/** An extractor over the parent's main thread. */
function ofParent(get: (t: ThreadInfo, ctx: ThreadContext) => Value | undefined): Extractor {
  return ofThread((t, ctx) => {
    const parent = ancestor(ctx, t, 1);
    return parent === undefined ? undefined : get(parent, ctx);
  });
}

/**
 * The values of all ancestors, the parent first. The list is the same object every time: what it holds is good until
 * the next call.
 */
function allOf(get: Get): (ctx: Context) => readonly Scalar[] | undefined {
  const values: Scalar[] = [];
  const add = (a: ThreadInfo): boolean => {
    const v = get(a);
    if (v !== undefined) values.push(v);
    return true;
  };
  return (ctx) => {
    const t = ctx.thread;
    if (t === null) return undefined;
    values.length = 0;
    walkAncestors(ctx, t, add);
    return values.length === 0 ? undefined : values;
  };
}

/** The values of all ancestors with blanks between; missing without ancestors. */
function joinedOf(get: Get): Extractor {
  const all = allOf(get);
  return (ctx) => all(ctx)?.join(" ");
}

function nth(arg: FieldArg, get: Get): Extractor | undefined {
  if (arg === null || !("index" in arg)) return undefined;
  const n = arg.index;
  return ofThread((t, ctx) => {
    if (n < 0 || n > 0xffffffff) return undefined;
    const a = ancestor(ctx, t, n);
    return a === undefined ? undefined : get(a);
  });
}

const COMPARED = { noTransformer: true, noRhs: true };

/** proc.aNAME: [n] the n-th ancestor; bare: any ancestor in comparisons, all of them when printed. */
function ancestors(name: string, doc: string, get: Get): Field {
  return argField(
    name,
    PT.CHARBUF,
    argRule(false, "index"),
    doc,
    (arg) => nth(arg, get) ?? { extract: joinedOf(get), all: allOf(get) },
    { flags: COMPARED, multi: "ancestors" },
  );
}

const ofAncestor = "[1] is the parent's, [2] the grandparent's …, [0] the process's own; without number any ancestor's";

export const PROCESS_PEXE_FIELDS: readonly Field[] = [
  text(
    "proc.pexe",
    "proc.exe of the parent",
    ofParent((p) => p.exe),
  ),
  ancestors("proc.aexe", `proc.exe of an ancestor: ${ofAncestor}`, (t) => t.exe),
];

export const PROCESS_PEXEPATH_FIELDS: readonly Field[] = [
  text(
    "proc.pexepath",
    "proc.exepath of the parent",
    ofParent((p) => p.exepath),
  ),
  ancestors("proc.aexepath", `proc.exepath of an ancestor: ${ofAncestor}`, (t) => t.exepath),
];

export const PROCESS_PNAME_FIELDS: readonly Field[] = [
  text(
    "proc.pname",
    "proc.name of the parent",
    ofParent((p) => p.comm),
  ),
  ancestors("proc.aname", `proc.name of an ancestor: ${ofAncestor}`, (t) => t.comm),
];

export const PROCESS_AARGS_FIELDS: readonly Field[] = [
  argField(
    "proc.aargs",
    PT.CHARBUF,
    argRule(false, "index"),
    "proc.args of an ancestor: [1] the parent's …; without number those of all ancestors, one after the other",
    (arg) => nth(arg, argsOf) ?? joinedOf(argsOf),
  ),
];

export const PROCESS_PCMDLINE_FIELDS: readonly Field[] = [
  text("proc.pcmdline", "proc.cmdline of the parent", ofParent(cmdlineOf)),
  ancestors("proc.acmdline", `proc.cmdline of an ancestor: ${ofAncestor}`, cmdlineOf),
];

/** How far up proc.aenv[NAME] looks. */
const ENV_DEPTH = 20;

function inheritedEnv(name: string): Extractor {
  return ofThread((t, ctx) => {
    let value = "";
    let depth = 0;
    walkAncestors(ctx, t, (a) => {
      value = envValue(a, name);
      return value === "" && ++depth < ENV_DEPTH;
    });
    return value;
  });
}

export const PROCESS_AENV_FIELDS: readonly Field[] = [
  argField(
    "proc.aenv",
    PT.CHARBUF,
    argRule(false, "index", "key"),
    "Environment of an ancestor: [1] the parent's …; [NAME] the nearest value of a variable among the ancestors; without argument any ancestor's in comparisons, the process's own when printed",
    (arg, name) => {
      if (arg === null) return { extract: ofThread((t, ctx) => envOf(ctx.leaderOf(t))), all: allOf(envOf) };
      return nth(arg, envOf) ?? inheritedEnv(name);
    },
    { flags: COMPARED, multi: "ancestors" },
  ),
];

export const PROCESS_LOGIN_FIELDS: readonly Field[] = [
  id64(
    "proc.loginshellid",
    'Id of the outermost shell (a process whose name ends in "sh") that the process comes from; missing without one',
    ofThread((t, ctx) => {
      let shell: ThreadInfo | undefined = t.comm.endsWith("sh") ? ctx.leaderOf(t) : undefined;
      walkAncestors(ctx, t, (a) => {
        if (a.comm.endsWith("sh")) shell = a;
        return true;
      });
      return shell?.pid;
    }),
  ),
];

export const PROCESS_PPID_FIELDS: readonly Field[] = [
  id64(
    "proc.ppid",
    "Process id of the parent",
    ofParent((p) => plausibleId(p.pid)),
  ),
  argField(
    "proc.apid",
    PT.INT64,
    argRule(false, "index"),
    `proc.pid of an ancestor: ${ofAncestor} (the process's own when printed)`,
    (arg) =>
      nth(arg, (t) => plausibleId(t.pid)) ?? {
        extract: ofThread((t) => plausibleId(t.pid)),
        all: allOf((t) => t.pid),
      },
    { format: PF.ID, flags: COMPARED, multi: "ancestors" },
  ),
];

export const PROCESS_PVPID_FIELDS: readonly Field[] = [
  id64(
    "proc.pvpid",
    "proc.vpid of the parent",
    ofThread((t, ctx) => ctx.getThread(t.ptid)?.vpid),
  ),
];

type GroupKey = "sid" | "vpgid" | "pgid";

function inPidNamespace(t: ThreadInfo): boolean {
  return t.tid !== t.vtid || t.pid !== t.vpid;
}

/**
 * The leader of a session or process group: the process with that id, or where that is gone (or hidden behind a PID
 * namespace) the farthest of the ancestors that belong to it.
 */
function groupLeader(ctx: ThreadContext, t: ThreadInfo, key: GroupKey): ThreadInfo | undefined {
  const id = t[key];
  if (id === -1) return undefined;
  if (key === "pgid" || !inPidNamespace(t)) {
    const direct = ctx.getThread(id);
    if (direct !== undefined) return direct;
  }
  let leader: ThreadInfo | undefined;
  walkAncestors(ctx, t, (a) => {
    if (a[key] !== id) return false;
    leader = a;
    return true;
  });
  return leader;
}

function group(key: GroupKey, names: { comm: string; exe: string; exepath: string }, of: string): readonly Field[] {
  const get = (part: "comm" | "exe" | "exepath"): Extractor =>
    ofThread((t, ctx) => groupLeader(ctx, t, key)?.[part] ?? "");
  return [
    text(names.comm, `proc.name of the leader of the ${of}`, get("comm")),
    text(names.exe, `proc.exe of the leader of the ${of}`, get("exe")),
    text(names.exepath, `proc.exepath of the leader of the ${of}`, get("exepath")),
  ];
}

export const PROCESS_GROUP_FIELDS: readonly Field[] = [
  id64(
    "proc.sid",
    "Session id",
    ofThread((t) => t.sid),
  ),
  ...group("sid", { comm: "proc.sname", exe: "proc.sid.exe", exepath: "proc.sid.exepath" }, "session"),
  id64(
    "proc.vpgid",
    "Process group id inside the PID namespace",
    ofThread((t) => t.vpgid),
  ),
  ...group("vpgid", { comm: "proc.vpgid.name", exe: "proc.vpgid.exe", exepath: "proc.vpgid.exepath" }, "process group"),
  id64(
    "proc.pgid",
    "Process group id on the host",
    ofThread((t) => t.pgid),
  ),
  ...group("pgid", { comm: "proc.pgid.name", exe: "proc.pgid.exe", exepath: "proc.pgid.exepath" }, "process group"),
];

export const PROCESS_PARENT_AGE_FIELDS = {
  age: [
    duration(
      "proc.ppid.duration",
      "Nanoseconds since the parent started",
      ofThreadNow((t, ctx) => {
        const parent = ancestor(ctx, t, 1);
        return parent === undefined ? undefined : age(ctx, parent);
      }),
    ),
  ],
  start: [
    duration(
      "proc.ppid.ts",
      "Start of the parent, ns since the epoch; 0 when unknown",
      ofParent((p, ctx) => startOf(ctx, p) ?? 0),
    ),
  ],
} as const;
