// SPDX-License-Identifier: Apache-2.0
// Which failures of reading /proc mean that there is nothing to be had there, and which that we ourselves are in trouble.

/** Errors that are ours: without these, what is asked for could be read. */
const OURS: readonly string[] = ["EMFILE", "ENFILE", "ENOMEM"];

/**
 * The result of a call that reads something of another process; undefined when the kernel, or the file system that the process
 * uses, refuses it: the process has ended or is not ours to look at, a path is too long to be told, a server does not answer.
 * What other processes do must not keep a capture from starting.
 */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code;
    if (typeof code !== "string" || OURS.includes(code)) throw e;
    return undefined;
  }
}
