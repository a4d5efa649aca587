// SPDX-License-Identifier: Apache-2.0
// What scripts/build.ts puts into the executable; empty when the program runs from its sources.

export const embedded = {
  /** Path of the capture library inside the executable; "" = look for it in build/. */
  shim: "",
};
