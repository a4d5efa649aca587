// SPDX-License-Identifier: Apache-2.0
// How values are displayed. One process has one display, so these are set once by the command line.

/** Ways to show the bytes of an I/O buffer. */
export type BufferMode = "dots" | "hex" | "hexascii" | "ascii" | "base64";
/** What evt.outputtime shows: hour, absolute, relative, delta enter–exit, delta from the previous event. */
export type TimeMode = "h" | "a" | "r" | "d" | "D";

export const display = {
  buffer: "dots" as BufferMode,
  /** Most bytes of an I/O buffer shown; 0 = all. Applies to the "dots" mode only. */
  bufferLimit: 0,
  time: "h" as TimeMode,
};
