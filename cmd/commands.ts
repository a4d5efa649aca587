// SPDX-License-Identifier: Apache-2.0
// All subcommands, in the order in which help shows them.

import { capture } from "./capture.ts";
import type { Command } from "./cli/flags.ts";
import { completion } from "./completion.ts";
import { describe } from "./describe.ts";
import { list } from "./list.ts";
import { replay } from "./replay.ts";
import { run } from "./run.ts";
import { validate } from "./validate.ts";
import { version } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  run,
  replay,
  capture,
  list,
  validate,
  describe,
  completion(() => COMMANDS),
  version,
];
