// SPDX-License-Identifier: Apache-2.0
// A field that counts, for measuring.
import { PF, PT } from "../schema/tables/enums.ts";
import type { Field } from "./field.ts";

export const UTIL_FIELDS: readonly Field[] = [
  {
    name: "util.cnt",
    type: PT.UINT64,
    format: PF.ID,
    list: false,
    arg: null,
    flags: { hidden: true },
    doc: "Number of times this very use of the field was looked at",
    bind() {
      let count = 0;
      return { extract: () => ++count, type: PT.UINT64, format: PF.ID, list: false };
    },
  },
];
