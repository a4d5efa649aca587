// SPDX-License-Identifier: Apache-2.0
// Which own address a socket without one uses.
import type { InterfaceEntry } from "../scap/source.ts";
import { isLoopback } from "./address.ts";

/** True when both addresses, of one family, are in the network of `mask`. */
function sameNetwork(a: number | string, b: number | string, mask: number | string): boolean {
  if (typeof a === "number") {
    return typeof b === "number" && typeof mask === "number" && mask !== 0 && ((a ^ b) & mask) === 0;
  }
  if (typeof b === "number" || typeof mask === "number") return false;
  let any = 0;
  for (let i = 0; i < 16; i++) {
    const m = mask.charCodeAt(i);
    any |= m;
    if (((a.charCodeAt(i) ^ b.charCodeAt(i)) & m) !== 0) return false;
  }
  return any !== 0;
}

/**
 * Own address that talks to `peer`: the peer itself when it is ours, else the interface in the same network, else for
 * IPv4 the first that is not the loopback; undefined when there is none.
 */
export function localAddressFor(
  interfaces: readonly InterfaceEntry[],
  peer: number | string,
): number | string | undefined {
  const family = typeof peer === "number" ? 4 : 6;
  const own = interfaces.filter((i) => i.family === family);
  if (own.some((i) => i.address === peer)) return peer;
  const near = own.find((i) => sameNetwork(i.address, peer, i.netmask));
  if (near !== undefined || family === 6) return near?.address;
  return own.find((i) => !isLoopback(i.address))?.address;
}
