// SPDX-License-Identifier: Apache-2.0
// Colours: only on a terminal, and never when NO_COLOR is set.
import { Chalk, type ChalkInstance } from "chalk";
import { obeysEscapes } from "./terminal.ts";

/** Whether a stream shows colours. */
export function showsColours(stream: { isTTY?: boolean }): boolean {
  return obeysEscapes(stream) && (process.env["NO_COLOR"] ?? "") === "";
}

/** Styles for a stream; without colours they give back the text as it is. */
export function coloursFor(stream: { isTTY?: boolean }): ChalkInstance {
  return new Chalk({ level: showsColours(stream) ? 1 : 0 });
}
