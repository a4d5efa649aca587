// SPDX-License-Identifier: Apache-2.0
// Paths as the state keeps them: joined, normalised, bounded.
import { rememberedPairs } from "../scap/memo.ts";

/** Longest path the state keeps; a longer one becomes TOO_LONG. */
export const MAX_PATH = 1024;
/** Stands for a path that would be longer than MAX_PATH. */
export const TOO_LONG = "/DIR_TOO_LONG/FILENAME_TOO_LONG";
/** Stands for the directory behind an unknown descriptor. */
export const UNKNOWN_DIR = "<UNKNOWN>";

const SLASH = 47;
const DOT = 46;

/** True when the path certainly has nothing to resolve; a name that begins with a dot makes it look closer. */
function isNormal(path: string): boolean {
  if (path.includes("/.") || path.includes("//")) return false;
  const n = path.length;
  return n <= 1
    ? n === 1 && path.charCodeAt(0) !== DOT
    : path.charCodeAt(n - 1) !== SLASH && path.charCodeAt(0) !== DOT;
}

/**
 * Normalises a path as the kernel would walk it without links: "//", "." and ".." are resolved (never above the
 * beginning), no trailing slash.
 */
export function normalizePath(path: string): string {
  if (isNormal(path)) return path.length > MAX_PATH ? TOO_LONG : path;
  const absolute = path.charCodeAt(0) === SLASH;
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
  }
  const joined = absolute ? `/${out.join("/")}` : out.join("/");
  return joined.length > MAX_PATH ? TOO_LONG : joined;
}

/**
 * Absolute path of `path` as seen from directory `base` (with or without trailing slash). An absolute `path` ignores
 * the base; an empty one gives the base itself; one under UNKNOWN_DIR is marked so and normalised. What base and path
 * have together, before anything is resolved, must not be longer than MAX_PATH.
 */
export const joinPath = rememberedPairs((base, path) => {
  if (path.charCodeAt(0) === SLASH) return path.length < MAX_PATH - 1 ? normalizePath(path) : TOO_LONG;
  if (path.length === 0 && base !== UNKNOWN_DIR) return normalizePath(base);
  const glued = base.length === 0 || base === UNKNOWN_DIR || base.charCodeAt(base.length - 1) === SLASH;
  const joined = glued ? base + path : `${base}/${path}`;
  return joined.length < MAX_PATH ? normalizePath(joined) : TOO_LONG;
});
