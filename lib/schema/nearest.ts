// SPDX-License-Identifier: Apache-2.0
// The known name closest to a misspelt one, for messages.

/** Number of insertions, deletions, replacements and swaps of neighbours between two words, given up above `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d = Math.min(d, (before[j - 2] as number) + 1);
      row.push(d);
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}

/** The nearest candidate, or undefined when none is near (more than a third of the word differs). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    const d = distance(word, candidate, limit);
    if (d > limit) continue;
    best = candidate;
    limit = d - 1;
    if (limit < 0) break;
  }
  return best;
}
