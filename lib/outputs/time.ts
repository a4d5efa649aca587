// SPDX-License-Identifier: Apache-2.0
// Alert times as text: ISO 8601 in UTC and clock time in the local zone, both to the nanosecond.

const BILLION = 1_000_000_000n;

/** Formats times; keeps the text of the last second, because neighbouring alerts mostly share it. */
class SecondCache {
  private second = -1n;
  private text = "";

  constructor(private readonly render: (seconds: number) => string) {}

  format(ns: bigint): string {
    const second = ns / BILLION;
    if (second !== this.second) {
      this.text = this.render(Number(second));
      this.second = second;
    }
    return `${this.text}.${String(ns % BILLION).padStart(9, "0")}`;
  }
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

/** Seconds a Date can hold; event times beyond (from a hostile file) are shown as a plain count of seconds. */
const MAX_SECONDS = 8_640_000_000_000;

const iso = new SecondCache((s) => (s > MAX_SECONDS ? `@${s}` : new Date(s * 1000).toISOString().slice(0, -5)));

const clock = new SecondCache((s) => {
  if (s > MAX_SECONDS) return `@${s}`;
  const d = new Date(s * 1000);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
});

/** `2026-11-22T07:26:31.730997013`, UTC without a zone mark; `ns` since the epoch, not negative. */
export function isoTime(ns: bigint): string {
  return iso.format(ns);
}

/** `07:26:31.730997013` in the local time zone; `ns` since the epoch, not negative. */
export function clockTime(ns: bigint): string {
  return clock.format(ns);
}
