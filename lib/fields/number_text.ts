// SPDX-License-Identifier: Apache-2.0
// Numbers as text, with the common ones remembered.

const SMALL: readonly string[] = Array.from({ length: 65536 }, (_, i) => String(i));
const HEX_BYTE: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).toUpperCase());
const HEX_BYTE2: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).toUpperCase().padStart(2, "0"),
);
const THREE: readonly string[] = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, "0"));

/** Decimal. */
export function decimal(n: number): string {
  return n >= 0 && n < 65536 ? (SMALL[n] as string) : String(n);
}

/** Upper-case hexadecimal of an unsigned 32-bit number, without leading zeros. */
export function hex32(n: number): string {
  if (n < 256) return HEX_BYTE[n] as string;
  if (n < 65536) return (HEX_BYTE[n >>> 8] as string) + HEX_BYTE2[n & 255];
  if (n < 0x1000000) return (HEX_BYTE[n >>> 16] as string) + HEX_BYTE2[(n >>> 8) & 255] + HEX_BYTE2[n & 255];
  return (HEX_BYTE[n >>> 24] as string) + HEX_BYTE2[(n >>> 16) & 255] + HEX_BYTE2[(n >>> 8) & 255] + HEX_BYTE2[n & 255];
}

/** Upper-case hexadecimal of a 64-bit number given as two unsigned halves. */
export function hex64(hi: number, lo: number): string {
  if (hi === 0) return hex32(lo);
  return (
    hex32(hi) + HEX_BYTE2[lo >>> 24] + HEX_BYTE2[(lo >>> 16) & 255] + HEX_BYTE2[(lo >>> 8) & 255] + HEX_BYTE2[lo & 255]
  );
}

/** Octal with a leading 0, as C's %#o. */
export function octal(n: number | bigint): string {
  return n === 0 ? "0" : `0${n.toString(8)}`;
}

/** Nine digits, for nanoseconds: 0 … 999999999. */
export function nineDigits(ns: number): string {
  const micro = Math.floor(ns / 1000);
  const milli = Math.floor(micro / 1000);
  return (THREE[milli] as string) + THREE[micro - milli * 1000] + THREE[ns - micro * 1000];
}

/** Six significant digits, as C's %g. */
export function general(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const exponent = Number(x.toExponential(5).split("e")[1]);
  if (exponent < -4 || exponent >= 6) {
    const [mantissa = "0", power = "0"] = x.toExponential(5).split("e");
    const sign = power.startsWith("-") ? "-" : "+";
    return `${trimZeros(mantissa)}e${sign}${power.replace(/^[+-]/, "").padStart(2, "0")}`;
  }
  return trimZeros(x.toFixed(Math.max(0, 5 - exponent)));
}

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/0+$/, "").replace(/\.$/, "") : digits;
}
