// SPDX-License-Identifier: Apache-2.0
// All subcommands, in the order in which help shows them.

import { capture } from "./capture.ts";
import type { Command } from "./cli/flags.ts";
import { completion } from "./completion.ts";
import { list } from "./list.ts";
import { version } from "./version.ts";

export const COMMANDS: readonly Command[] = [capture, list, completion(() => COMMANDS), version];
