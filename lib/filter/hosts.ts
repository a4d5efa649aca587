// SPDX-License-Identifier: Apache-2.0
// Addresses of host names that filters compare with (fd.sip.name = example.org).
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import type { Scalar } from "../fields/field.ts";
import type { Checked, CheckedFilter } from "./checker.ts";
import { parseAddress } from "./constants.ts";

/** A name is asked for again when its answer is older; ms. */
const REFRESH_MS = 300_000;
const HOSTS_FILE = "/etc/hosts";

/** A host name and the addresses it is known by. */
export class Host {
  private addresses: ReadonlySet<Scalar>;
  /** Addresses that never change: the name is an address itself, or stands in the hosts file. */
  private readonly fixed: boolean;
  private asked = Number.NEGATIVE_INFINITY;
  private pending: Promise<void> | null = null;

  /** `name` is a byte string. */
  constructor(readonly name: string) {
    const literal = parseAddress(name);
    this.addresses = literal === undefined ? fromHostsFile(name) : new Set([literal]);
    this.fixed = this.addresses.size > 0;
  }

  /** True when the address is one of the host's. A name not looked up yet is looked up, and matches from then on. */
  has(address: Scalar): boolean {
    if (!this.fixed && performance.now() - this.asked > REFRESH_MS) void this.resolve();
    return this.addresses.has(address);
  }

  /** Looks the name up; a name that cannot be found keeps the addresses it had. */
  resolve(): Promise<void> {
    if (this.fixed) return Promise.resolve();
    this.asked = performance.now();
    this.pending ??= this.ask().finally(() => {
      this.pending = null;
    });
    return this.pending;
  }

  private async ask(): Promise<void> {
    let found: { address: string }[];
    try {
      found = await lookup(this.name, { all: true });
    } catch (e) {
      // Unknown names are no mistake of the filter: they match nothing.
      if (e instanceof Error && "code" in e) return;
      throw e;
    }
    const addresses = new Set<Scalar>();
    for (const { address } of found) {
      const a = parseAddress(address);
      if (a !== undefined) addresses.add(a);
    }
    this.addresses = addresses;
  }
}

/** Looks up every host name of a filter; worth waiting for before the first event. */
export async function resolveHosts(filter: CheckedFilter): Promise<void> {
  const hosts = new Set<Host>();
  const visit = (node: Checked): void => {
    if (node.kind === "not") visit(node.child);
    else if (node.kind !== "check") node.children.forEach(visit);
    else for (const c of node.constants) if (c.kind === "host") hosts.add(c.host);
  };
  visit(filter.root);
  await Promise.all([...hosts].map((h) => h.resolve()));
}

let hostsFile: Map<string, Set<Scalar>> | undefined;

function fromHostsFile(name: string): ReadonlySet<Scalar> {
  hostsFile ??= readHostsFile();
  return hostsFile.get(name) ?? new Set();
}

function readHostsFile(): Map<string, Set<Scalar>> {
  const known = new Map<string, Set<Scalar>>();
  let text = "";
  try {
    text = readFileSync(HOSTS_FILE, "latin1");
  } catch {
    // Without the file only the resolver knows names.
  }
  for (const line of text.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const a = address === undefined ? undefined : parseAddress(address);
    if (a === undefined) continue;
    for (const n of names) {
      const set = known.get(n);
      if (set === undefined) known.set(n, new Set([a]));
      else set.add(a);
    }
  }
  return known;
}
