// SPDX-License-Identifier: Apache-2.0
// Wrong usage, and how any error becomes one line for the user.

/** The command line itself is wrong: exit status 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Texts of the system errors that users meet most. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space left on device",
  EMFILE: "too many open files",
  EEXIST: "exists already",
  EROFS: "read-only file system",
  EIO: "input/output error",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
};

interface SystemError extends Error {
  code: string;
  syscall?: string;
  path?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "string" && "errno" in error;
}

/** True when the reader of our output went away, which is no error. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === "EPIPE";
}

/** One line (several only for messages that show a place with a caret) that says what went wrong. */
export function describeError(error: unknown): string {
  if (isSystemError(error)) {
    const what = SYSTEM[error.code] ?? error.message;
    return error.path === undefined ? `${what} (${error.syscall ?? error.code})` : `${error.path}: ${what}`;
  }
  // A mistake of the program itself: where it happened is what a report of it needs.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) {
    const place = /^\s+at .*$/m.exec(error.stack ?? "")?.[0].trim() ?? "unknown place";
    return `internal error: ${error.message} (${place})`;
  }
  return error instanceof Error ? error.message : String(error);
}
