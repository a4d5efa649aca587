// SPDX-License-Identifier: Apache-2.0
// Buffer methods that Bun and Node have and the published types leave out.
export {};

declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
    utf8Write(text: string, offset?: number, length?: number): number;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}
