// SPDX-License-Identifier: Apache-2.0
// Byte strings: strings of one char (0–255) per byte. All text taken from events has this form, so that nothing is
// lost when a path is not valid UTF-8, comparisons are byte order, and lengths are bytes.

/** Text as written in rules, flags and source (UTF-16) → byte string of its UTF-8 form. */
export function toBytes(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return Buffer.from(text, "utf8").latin1Slice();
  }
  return text;
}

/** Byte string → text; bytes that are not valid UTF-8 become U+FFFD. */
export function toText(bytes: string): string {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes.charCodeAt(i) > 127) return Buffer.from(bytes, "latin1").utf8Slice();
  }
  return bytes;
}
