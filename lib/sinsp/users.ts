// SPDX-License-Identifier: Apache-2.0
// Users and groups of the host and of containers.
import type { GroupEntry, UserEntry } from "../scap/source.ts";

/** Most users (and as many groups) kept, all containers together; further ones are refused and counted. */
const MAX_ENTRIES = 65536;

interface Accounts {
  users: Map<number, UserEntry>;
  groups: Map<number, GroupEntry>;
}

/** Tables by container id; "" and "host" both mean the host. */
export class UserTable {
  private readonly byContainer = new Map<string, Accounts>();
  private entries = 0;
  /** Entries refused because the tables were full. */
  refused = 0;

  private accounts(containerId: string): Accounts | undefined {
    return this.byContainer.get(containerId === "host" ? "" : containerId);
  }

  private make(containerId: string): Accounts {
    const id = containerId === "host" ? "" : containerId;
    let a = this.byContainer.get(id);
    if (a === undefined) {
      a = { users: new Map(), groups: new Map() };
      this.byContainer.set(id, a);
    }
    return a;
  }

  /** True when something is known of the container's accounts. */
  has(containerId: string): boolean {
    return this.accounts(containerId) !== undefined;
  }

  user(uid: number, containerId: string): UserEntry | undefined {
    return this.accounts(containerId)?.users.get(uid);
  }

  group(gid: number, containerId: string): GroupEntry | undefined {
    return this.accounts(containerId)?.groups.get(gid);
  }

  private admit<T>(containerId: string, pick: (a: Accounts) => Map<number, T>, id: number, entry: T): void {
    if (this.entries >= MAX_ENTRIES) {
      this.refused++;
      return;
    }
    const map = pick(this.make(containerId));
    if (!map.has(id)) this.entries++;
    map.set(id, entry);
  }

  addUser(entry: UserEntry, containerId: string): void {
    this.admit(containerId, (a) => a.users, entry.uid, entry);
  }

  addGroup(entry: GroupEntry, containerId: string): void {
    this.admit(containerId, (a) => a.groups, entry.gid, entry);
  }

  removeUser(uid: number, containerId: string): void {
    if (this.accounts(containerId)?.users.delete(uid)) this.entries--;
  }

  removeGroup(gid: number, containerId: string): void {
    if (this.accounts(containerId)?.groups.delete(gid)) this.entries--;
  }

  clear(): void {
    this.byContainer.clear();
    this.entries = 0;
  }

  /** The host's users. */
  hostUsers(): UserEntry[] {
    return [...(this.byContainer.get("")?.users.values() ?? [])];
  }

  hostGroups(): GroupEntry[] {
    return [...(this.byContainer.get("")?.groups.values() ?? [])];
  }
}
