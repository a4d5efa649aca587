// SPDX-License-Identifier: Apache-2.0
// Network addresses as text. An address is a number (IPv4) or a 16-char byte string (IPv6).

/** First 12 bytes of an IPv4 address mapped into IPv6. */
const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xff\xff";

/** Dotted decimal. */
export function formatIpv4(ip: number): string {
  return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
}

/** The IPv4 address inside an IPv4-mapped IPv6 address (::ffff:a.b.c.d), else undefined. */
export function mappedIpv4(ip: string): number | undefined {
  if (!ip.startsWith(MAPPED)) return undefined;
  const b = (i: number) => ip.charCodeAt(12 + i);
  return ((b(0) << 24) | (b(1) << 16) | (b(2) << 8) | b(3)) >>> 0;
}

/** RFC 5952 form: lower case, no leading zeros, the longest run of two or more zero groups as "::". */
export function formatIpv6(ip: string): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((ip.charCodeAt(i) << 8) | ip.charCodeAt(i + 1));
  let best = -1;
  let bestLen = 1;
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLen) {
      best = i;
      bestLen = j - i;
    }
    i = j > i ? j : i + 1;
  }
  const mapped = mappedIpv4(ip);
  if (mapped !== undefined) return `::ffff:${formatIpv4(mapped)}`;
  // IPv4-compatible addresses are written with a dotted tail too, as inet_ntop does.
  if (best === 0 && bestLen === 6) return `::${formatIpv4(((groups[6] ?? 0) * 65536 + (groups[7] ?? 0)) >>> 0)}`;
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(":");
  if (best < 0) return hex(0, 8);
  return `${hex(0, best)}::${hex(best + bestLen, 8)}`;
}

/** Either family. */
export function formatIp(ip: number | string): string {
  return typeof ip === "number" ? formatIpv4(ip) : formatIpv6(ip);
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(ip: number | string): boolean {
  return typeof ip === "number" ? ip >>> 24 === 127 : ip === "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";
}
