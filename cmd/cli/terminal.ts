// SPDX-License-Identifier: Apache-2.0
// Whether a person's terminal is on the other side.

/** Whether a stream is a terminal that obeys escape sequences. */
export function obeysEscapes(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && process.env["TERM"] !== "dumb";
}
