// SPDX-License-Identifier: Apache-2.0
// Reads the collection of judged filters that lies beside the repository.
import { readFileSync } from "node:fs";
import { toBytes } from "../../lib/scap/bytes.ts";
import { sharedPath } from "../support/shared.ts";

type Part = string | { unit: string; n: number; sep?: string };

/** One judged filter; see verdicts/README.md of the reference data. */
export interface Verdict {
  id: string;
  cat: string;
  filter?: string;
  filter_b64?: string;
  filter_gen?: { parts: Part[] };
  valid: boolean;
  stage?: "parse" | "compile";
  line?: number;
  col?: number;
  evttypes?: number | "all" | null;
  evtcodes?: number | "all" | null;
  events?: string[];
  warnings?: { line: number; col: number }[];
  canon?: string;
  canon_lossy?: boolean;
  valid_at_1000?: boolean;
  line_at_1000?: number;
  col_at_1000?: number;
  needs?: string;
  quirk?: string;
}

/** The text of a generator: its parts one after the other, repeated ones with `{i}` replaced by the index. */
export function generate(parts: readonly Part[]): string {
  return parts
    .map((p) =>
      typeof p === "string"
        ? p
        : Array.from({ length: p.n }, (_, i) => p.unit.replaceAll("{i}", String(i))).join(p.sep ?? ""),
    )
    .join("");
}

/** The judged expression as a byte string. */
export function verdictBytes(v: Verdict): string {
  if (v.filter !== undefined) return toBytes(v.filter);
  if (v.filter_b64 !== undefined) return Buffer.from(v.filter_b64, "base64").latin1Slice();
  return toBytes(generate(v.filter_gen?.parts ?? []));
}

export function loadVerdicts(): Verdict[] {
  const lines = readFileSync(sharedPath("verdicts/filters.jsonl"), "utf8").split("\n");
  return lines.filter((l) => l !== "").map((l) => JSON.parse(l) as Verdict);
}
