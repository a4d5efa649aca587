// SPDX-License-Identifier: Apache-2.0
// A thread's command line, environment and ancestors.
import type { ThreadContext } from "../sinsp/inspector.ts";
import type { ThreadInfo } from "../sinsp/thread_info.ts";

/** Most joined texts remembered; there are as many as distinct command lines and environments. */
const MAX_CACHED = 2048;
const joinedTexts = new Map<string, string>();

/** NUL-separated strings with blanks between them, remembered. */
function joined(raw: string): string {
  if (raw === "") return "";
  let text = joinedTexts.get(raw);
  if (text === undefined) {
    text = (raw.charCodeAt(raw.length - 1) === 0 ? raw.slice(0, -1) : raw).replaceAll("\0", " ");
    if (joinedTexts.size >= MAX_CACHED) joinedTexts.clear();
    joinedTexts.set(raw, text);
  }
  return text;
}

/** Arguments with blanks between them. */
export function argsOf(t: ThreadInfo): string {
  return joined(t.argsRaw);
}

/** Environment with blanks between the strings. */
export function envOf(t: ThreadInfo): string {
  return joined(t.envRaw);
}

/** Name and arguments. */
export function cmdlineOf(t: ThreadInfo): string {
  const args = argsOf(t);
  return args === "" ? t.comm : `${t.comm} ${args}`;
}

/** argv[0], a blank and the arguments; the blank is there without arguments too. */
export function exelineOf(t: ThreadInfo): string {
  return `${t.exe} ${argsOf(t)}`;
}

/** Without the blanks at both ends; other white space stays. */
function trimBlanks(s: string): string {
  let start = 0;
  let end = s.length;
  while (start < end && s[start] === " ") start++;
  while (end > start && s[end - 1] === " ") end--;
  return s.slice(start, end);
}

/** Value of an environment variable without blanks around it; "" when it is not set. */
export function envValue(t: ThreadInfo, name: string): string {
  for (const s of t.env) {
    // An empty value does not end the search: a later one of the same name may have more to say.
    if (s.length > name.length + 1 && s[name.length] === "=" && s.startsWith(name)) {
      return trimBlanks(s.slice(name.length + 1));
    }
  }
  return "";
}

/** Main thread of the process `n` generations up; 0 is the thread's own process. */
export function ancestor(ctx: ThreadContext, t: ThreadInfo, n: number): ThreadInfo | undefined {
  let at: ThreadInfo = ctx.leaderOf(t);
  for (let i = 0; i < n; i++) {
    const parent = ctx.getThread(at.ptid);
    if (parent === undefined) return undefined;
    const leader = ctx.leaderOf(parent);
    // Nobody is their own ancestor: damaged captures may say so.
    if (leader === at) return undefined;
    at = leader;
  }
  return at;
}

/**
 * Calls `visit` for the parent, its parent and so on, until it returns false, an ancestor is unknown or the chain
 * runs in a circle.
 */
export function walkAncestors(ctx: ThreadContext, t: ThreadInfo, visit: (a: ThreadInfo) => boolean): void {
  let slow: ThreadInfo = t;
  let fast: ThreadInfo | undefined = ctx.getThread(t.ptid);
  for (let step = 0; fast !== undefined && fast !== slow; step++) {
    if (!visit(fast)) return;
    fast = fast.ptid === fast.tid ? undefined : ctx.getThread(fast.ptid);
    if (step % 2 === 1) slow = ctx.getThread(slow.ptid) ?? slow;
  }
}
