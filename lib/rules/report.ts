// SPDX-License-Identifier: Apache-2.0
// Shows what loading found: as text with the offending lines, and as JSON.
import { describeCode, type FileReport, type Issue, type Place } from "./messages.ts";

/** Text styles of a report; without colours they return the text as it is. */
export interface ReportStyle {
  good(text: string): string;
  bad(text: string): string;
  doubtful(text: string): string;
}

const PLAIN: ReportStyle = { good: (t) => t, bad: (t) => t, doubtful: (t) => t };

/** `rule 'X'`, `value for 'enabled'`, `rule condition`. */
function placeName({ type, name }: Place): string {
  return name === "" ? type : `${type} '${name}'`;
}

/** Where an issue is, line and column from 1, with the lines in question. */
function issueText(issue: Issue): string {
  const { place } = issue;
  const { line, column } = place.position();
  // A part of a condition already counts from 1 in the line; the column of its text counts from 1 as well.
  const at = place.inCondition?.line ? `${line}:${column}` : `${line + 1}:${column + 1}`;
  const chain = place.chain().filter((p, i) => i > 0 && (p.type !== "value for" || p.name !== ""));
  const where = (chain.length > 0 ? chain : [place]).map(placeName).join(", ");
  const snippet = place.snippet().trimEnd();
  return [
    `In ${where}: (${place.file.name}:${at})`,
    "------",
    snippet,
    "------",
    `${issue.code} (${describeCode(issue.code).short}): ${issue.message}`,
  ].join("\n");
}

/** Identity of an issue, to say it once although it holds for every later file too. */
function issueKey(issue: Issue): string {
  const { place } = issue;
  const { line, column } = place.position();
  return [issue.code, place.file.name, line, column, issue.message].join("\0");
}

/** Most errors, and most warnings, that are shown of one file. */
const MAX_SHOWN = 100;

function section(title: string, issues: readonly Issue[], seen: Set<string>): string[] {
  const fresh = issues.filter((issue) => !seen.has(issueKey(issue)));
  for (const issue of fresh) seen.add(issueKey(issue));
  if (issues.length === 0) return [];
  const shown = fresh.slice(0, MAX_SHOWN);
  const lines = [`${issues.length} ${title}${issues.length === 1 ? "" : "s"}:`, ...shown.map(issueText)];
  if (shown.length < fresh.length) lines.push(`(${fresh.length - shown.length} more are not shown)`);
  if (fresh.length < issues.length) lines.push(`(${issues.length - fresh.length} shown above with an earlier file)`);
  return lines;
}

export interface ReportOptions {
  style?: ReportStyle;
  /** Also lists the warnings. */
  warnings?: boolean;
}

/** One block of text per file: verdict, errors with their place, and warnings when asked for. */
export function reportText(files: readonly FileReport[], options: ReportOptions = {}): string {
  const { style = PLAIN, warnings = false } = options;
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const file of files) {
    const allWarnings = [...file.warnings, ...file.moreWarnings];
    let verdict = style.good("Ok");
    if (!file.successful) verdict = style.bad("Invalid");
    else if (allWarnings.length > 0) verdict = style.doubtful("Ok, with warnings");
    lines.push(`${file.name}: ${verdict}`);
    lines.push(...section("Error", [...file.errors, ...file.moreErrors], seen));
    if (warnings) lines.push(...section("Warning", allWarnings, seen));
    if (file.dropped > 0) lines.push(`(${file.dropped} more errors and warnings are not kept)`);
  }
  return lines.join("\n");
}

function issueJson(issue: Issue): Record<string, unknown> {
  const { place } = issue;
  return {
    code: issue.code,
    codedesc: describeCode(issue.code).long,
    context: {
      locations: place.chain().map((p) => {
        const { line, column, offset } = p.position();
        return {
          item_name: p.name,
          item_type: p.type,
          position: { column, line, name: p.positionName(), offset },
        };
      }),
      snippet: place.snippet(),
    },
    ...(issue.deprecatedField === undefined ? {} : { deprecated_field: issue.deprecatedField }),
    message: issue.message,
  };
}

/**
 * Report of one file in the reference's shape. `errors` holds the first error, as there; what was found by going on
 * stands in `more_errors` and `more_warnings`, which are left out when empty.
 */
function fileJson(file: FileReport): Record<string, unknown> {
  const more: Record<string, unknown> = {};
  if (file.moreErrors.length > 0) more["more_errors"] = file.moreErrors.map(issueJson);
  if (file.moreWarnings.length > 0) more["more_warnings"] = file.moreWarnings.map(issueJson);
  return {
    errors: file.errors.map(issueJson),
    ...more,
    name: file.name,
    schema_valid: file.schemaValid,
    schema_warnings: file.schemaWarnings,
    successful: file.successful,
    warnings: file.warnings.map(issueJson),
  };
}

/** `{falco_load_results: [...]}`, one entry per file. */
export function reportJson(files: readonly FileReport[]): { falco_load_results: Record<string, unknown>[] } {
  return { falco_load_results: files.map(fileJson) };
}
