// SPDX-License-Identifier: Apache-2.0
// From names on the command line and in falco.yaml to files: directories, patterns, and reading with a limit.
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import fastGlob from "fast-glob";

/** Largest configuration or rule file that is read, in bytes. */
export const MAX_FILE_SIZE = 64 * 1024 * 1024;

/** Files that a name stands for; `missing` when there is nothing of that name. */
export type Expansion = { files: string[] } | { missing: string };

const YAML_NAME = /\.ya?ml$/i;

/**
 * A file is itself, a directory its *.yaml and *.yml files in order of name (no directories, pipes or devices), a pattern
 * the files it fits in order of name.
 */
export function expandPath(path: string): Expansion {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info?.isDirectory()) {
    const paths = readdirSync(path)
      .filter((name) => YAML_NAME.test(name))
      .sort()
      .map((name) => join(path, name));
    return { files: paths.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() !== false) };
  }
  if (info !== undefined) return { files: [path] };
  if (!fastGlob.isDynamicPattern(path)) return { missing: `${path}: no such file or directory` };
  const files = fastGlob.sync(path, { onlyFiles: true, dot: false }).sort();
  return files.length === 0 ? { missing: `${path}: no file fits this pattern` } : { files };
}

/** A file could not be read; the message names it. */
export class FileError extends Error {
  override name = "FileError";
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
};

/** All bytes of a file (or pipe), at most MAX_FILE_SIZE. Throws FileError. */
export function readWhole(path: string): Buffer {
  let fd = -1;
  try {
    fd = openSync(path, "r");
    if (fstatSync(fd).isDirectory()) throw new FileError(`${path}: is a directory`);
    const pieces: Buffer[] = [];
    let total = 0;
    for (;;) {
      const piece = Buffer.allocUnsafe(256 * 1024);
      const n = readSync(fd, piece);
      if (n === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, n));
      total += n;
      if (total > MAX_FILE_SIZE) throw new FileError(`${path}: is larger than ${MAX_FILE_SIZE >> 20} MiB`);
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw new FileError(`${path}: ${REASONS[code] ?? (error as Error).message}`);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
