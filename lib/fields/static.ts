// SPDX-License-Identifier: Apache-2.0
// Fields that the user gives a fixed value: static.NAME.
import { toBytes } from "../scap/bytes.ts";
import { text } from "./define.ts";
import type { FieldClass } from "./field.ts";

/** Names that conditions and outputs can refer to. */
const NAME = /^[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)*$/;

/** True when `static.NAME` can be a field. */
export function isStaticName(name: string): boolean {
  return NAME.test(name);
}

/** The fields static.NAME for texts by name. */
export function staticFields(values: ReadonlyMap<string, string>): FieldClass {
  const fields = [...values].map(([name, value]) => {
    const bytes = toBytes(value);
    return text(`static.${name}`, "Fixed value from the configuration", () => bytes, { flags: { suggested: true } });
  });
  return {
    name: "static",
    shortDoc: "",
    doc: "Fixed values from the configuration",
    sources: [],
    hidden: false,
    fields,
  };
}
