// SPDX-License-Identifier: Apache-2.0
// Fields of the user and group of a thread.
import type { UserEntry } from "../scap/source.ts";
import { PF, PT } from "../schema/tables/enums.ts";
import type { ThreadContext } from "../sinsp/inspector.ts";
import { field, id64, text } from "./define.ts";
import type { Extractor, Field } from "./field.ts";
import { ofThread } from "./process.ts";
import { threadOnly } from "./thread_only.ts";

const NONE = 0xffffffff;
const UNKNOWN = "<NA>";

function userOf(get: (u: UserEntry) => string, root: string): Extractor {
  return ofThread((t, ctx) => {
    const u = ctx.user(t.uid, t.containerId);
    return u !== undefined ? get(u) : t.uid === 0 ? root : UNKNOWN;
  });
}

function loginName(ctx: ThreadContext): string | undefined {
  const t = ctx.thread;
  if (t === null) return undefined;
  if (t.loginuid === NONE) return UNKNOWN;
  return ctx.user(t.loginuid, t.containerId)?.name ?? (t.loginuid === 0 ? "root" : UNKNOWN);
}

export const USER_FIELDS: readonly Field[] = [
  field(
    "user.uid",
    PT.UINT32,
    "User id",
    ofThread((t) => t.uid),
    { format: PF.ID },
  ),
  text(
    "user.name",
    "User name; <NA> for an unknown user",
    userOf((u) => u.name, "root"),
  ),
  text(
    "user.homedir",
    "Home directory of the user; <NA> for an unknown user",
    userOf((u) => u.home, "/root"),
  ),
  text(
    "user.shell",
    "Login shell of the user; <NA> for an unknown user",
    userOf((u) => u.shell, UNKNOWN),
  ),
  id64(
    "user.loginuid",
    "User id at login, which sudo and su do not change; -1 when there was no login",
    ofThread((t) => (t.loginuid === NONE ? -1 : t.loginuid)),
  ),
  text(
    "user.loginname",
    "User name at login; <NA> when there was no login or the user is unknown",
    threadOnly(loginName),
  ),
];

export const GROUP_FIELDS: readonly Field[] = [
  field(
    "group.gid",
    PT.UINT32,
    "Group id",
    ofThread((t) => t.gid),
    { format: PF.ID },
  ),
  text(
    "group.name",
    "Group name; <NA> for an unknown group",
    ofThread((t, ctx) => ctx.group(t.gid, t.containerId)?.name ?? (t.gid === 0 ? "root" : UNKNOWN)),
  ),
];
