// SPDX-License-Identifier: Apache-2.0
// Control characters made visible: what comes from outside must not drive the terminal of whoever reads it.

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A control character as \n, \r, \t, \x1b or \u009b. */
function visible(c: string): string {
  const code = c.charCodeAt(0);
  return (
    SHORT[c] ?? (code < 128 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
  );
}

/** Text (UTF-16) as one line without control characters. */
export function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, visible);
}

/** The same for text of several lines: line feeds and tabs stay. */
export function escapeControlsInLines(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/g, visible);
}

/**
 * The same for UTF-8 in a byte string; escape sequences of `allowed` stay too. A byte of 0x80–0x9f is only touched where
 * it and the 0xc2 before it are such a character.
 */
export function escapeControlsInBytes(bytes: string, allowed: ReadonlySet<string>): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return bytes.replace(/\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/g, (found) => {
    if (allowed.has(found)) return found;
    return found[0] === "\xc2" ? visible(found.slice(1)) : visible(found[0] as string) + found.slice(1);
  });
}

/** Escape sequences in a text that set colours and the like. */
export function colourSequences(text: string): Set<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return new Set(text.match(/\x1b\[[0-9;]*m/g) ?? []);
}
