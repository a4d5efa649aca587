// SPDX-License-Identifier: Apache-2.0
// The checks of the house find what they are there to find.
import { describe, expect, test } from "bun:test";
import { checkLayers, readRooms } from "../../scripts/check-layers.ts";
import { checkHead } from "../../scripts/check-spdx.ts";

describe("checkLayers()", () => {
  const rows: [string, Record<string, string>, string[]][] = [
    [
      "accepts an import downwards",
      { "lib/scap/a.ts": 'import { x } from "../schema/b.ts";', "lib/schema/b.ts": "" },
      [],
    ],
    [
      "names an import upwards",
      { "lib/scap/a.ts": '\nimport type { X } from "../rules/b.ts";', "lib/rules/b.ts": "" },
      ["lib/scap/a.ts:2: lib/scap imports lib/rules/b.ts, which is on a floor above it"],
    ],
    [
      "names an import loaded at run time",
      { "lib/engine/a.ts": 'await import("../../cmd/b.ts");', "cmd/b.ts": "" },
      ["lib/engine/a.ts:1: lib/engine imports cmd/b.ts, which is on a floor above it"],
    ],
    [
      "names an import of a neighbour",
      { "lib/filter/a.ts": 'export * from "../format/b.ts";', "lib/format/b.ts": "" },
      ["lib/filter/a.ts:1: lib/filter imports lib/format/b.ts, which is beside it on the same floor"],
    ],
    [
      "names a circle once",
      { "lib/scap/a.ts": 'import "./b.ts";', "lib/scap/b.ts": 'import "./a.ts";' },
      ["circle: lib/scap/a.ts → lib/scap/b.ts → lib/scap/a.ts"],
    ],
    [
      "leaves circles of types alone, which are gone at run time",
      { "lib/scap/a.ts": 'import "./b.ts";', "lib/scap/b.ts": 'import type { A } from "./a.ts";' },
      [],
    ],
    [
      "names an unknown room",
      { "lib/attic/a.ts": "" },
      ["lib/attic/a.ts: the room lib/attic is on no floor; add it to scripts/check-layers.ts"],
    ],
  ];
  for (const [name, files, breaches] of rows) {
    test(name, () => expect(checkLayers(new Map(Object.entries(files)))).toEqual(breaches));
  }

  test("reads the rooms of this repository", () => {
    expect(readRooms().has("cmd/main.ts")).toBe(true);
  });
});

describe("checkHead()", () => {
  const rows: [string, string, string | null][] = [
    ["lib/a.ts", "// SPDX-License-Identifier: Apache-2.0\n// Subject.\n", null],
    [
      "lib/a.ts",
      "// SPDX-License-Identifier: Apache-2.0\nimport x;\n",
      "no comment line that names the file's subject",
    ],
    ["lib/a.ts", "// Subject.\n", "no SPDX-License-Identifier in the first line"],
    ["lib/a.ts", "// SPDX-License-Identifier: MIT\n// S\n", "licence is 'MIT', wanted 'Apache-2.0'"],
    ["scripts/a.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n", null],
    ["driver/a.c", "/* SPDX-License-Identifier: MIT OR GPL-2.0-only */\n", null],
    ["driver/a.h", "/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */\n", null],
    ["driver/a.c", "// SPDX-License-Identifier: Apache-2.0\n", "licence is 'Apache-2.0', wanted 'MIT OR GPL-2.0-only'"],
  ];
  for (const [path, text, problem] of rows) {
    test(`${path}: ${problem ?? "fine"}`, () => expect(checkHead(path, text)).toBe(problem));
  }
});
