// SPDX-License-Identifier: Apache-2.0
// Functions of texts that remember what they gave; bounded.

/** Results remembered per function. */
const MAX_REMEMBERED = 4096;
/** Longer texts are hardly seen twice. */
const MAX_LENGTH = 256;

/**
 * `make`, which must depend on its text alone, with a memory. It pays where the same strings come again, as they do from
 * internedText() and from functions like this: a string that was looked up before knows its hash.
 */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  let known = new Map<string, T>();
  return (text) => {
    if (text.length > MAX_LENGTH) return make(text);
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    if (known.size >= MAX_REMEMBERED) known = new Map();
    known.set(text, made);
    return made;
  };
}

/** The same for two texts, of which there are few as the first. */
export function rememberedPairs<T>(make: (first: string, second: string) => T): (first: string, second: string) => T {
  const known = new Map<string, Map<string, T>>();
  let count = 0;
  return (first, second) => {
    if (first.length + second.length > MAX_LENGTH) return make(first, second);
    const before = known.get(first)?.get(second);
    if (before !== undefined) return before;
    const made = make(first, second);
    if (count >= MAX_REMEMBERED) {
      known.clear();
      count = 0;
    }
    const seconds = known.get(first);
    if (seconds === undefined) known.set(first, new Map([[second, made]]));
    else seconds.set(second, made);
    count++;
    return made;
  };
}
