// SPDX-License-Identifier: Apache-2.0
// What Bun's own typings leave out of "bun:jsc".
export {};

declare module "bun:jsc" {
  /** Keeps a function from being inlined into its callers. */
  export function noInline(fn: (...args: never[]) => unknown): void;
}
