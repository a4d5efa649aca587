// SPDX-License-Identifier: Apache-2.0
// The shape of the tables: per rule what must fire it and what must not.
import type { Scenario } from "./scenario.ts";

export type Cases = Readonly<Record<string, { fires: readonly Scenario[]; quiet: readonly Scenario[] }>>;
