// SPDX-License-Identifier: Apache-2.0
// Errors of trace files: where the damage is, what was found there and what was wanted.

import { escapeControls } from "./printable.ts";

/** Name of a trace file in messages: "-" reads standard input. */
export function inputName(path: string): string {
  return path === "-" ? "standard input" : escapeControls(path);
}

/** Name of an output in messages: "-" is standard output. */
export function outputName(path: string): string {
  return path === "-" ? "standard output" : escapeControls(path);
}

/** A trace file that is not what it should be. The message is one line. */
export class ScapFormatError extends Error {
  override readonly name = "ScapFormatError";
  /** Name of the file, or "standard input". */
  readonly file: string;
  /** Offset in bytes of the damage, counted in the uncompressed data (in the file itself when decompression failed). */
  readonly offset: number;
  readonly wanted: string;
  readonly got: string;

  constructor(file: string, offset: number, wanted: string, got: string) {
    super(`${file}: at byte ${offset}: found ${got}, wanted ${wanted}`);
    this.file = file;
    this.offset = offset;
    this.wanted = wanted;
    this.got = got;
  }
}

/** A file that cannot be opened, read or written. The message is one line. */
export class ScapIoError extends Error {
  override readonly name = "ScapIoError";
  readonly file: string;
  /** System error name such as ENOENT; "" when there is none. */
  readonly code: string;

  constructor(file: string, action: string, reason: string, code = "") {
    super(`${file}: cannot ${action}: ${reason}`);
    this.file = file;
    this.code = code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space left on the device",
  EDQUOT: "disk quota exceeded",
  EFBIG: "the file would be too large",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  EPIPE: "the reader closed the pipe",
  EIO: "input/output error",
};

/** System error name of a thrown value, "" when it has none. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** Turns what a system call threw into a ScapIoError. */
export function ioError(file: string, action: string, error: unknown): ScapIoError {
  const code = errorCode(error);
  const text = error instanceof Error ? error.message : String(error);
  const reason = REASONS[code] ?? (text.replace(/\s+/g, " ") || code);
  return new ScapIoError(file, action, reason, code);
}
