// SPDX-License-Identifier: Apache-2.0
// Tells when configuration or rule files change, appear or go away.
import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname, resolve } from "node:path";

/** ms of quiet after a change before it is told: editors and package managers touch files several times. */
const QUIET_MS = 300;

/** Directories to look at and, in each, the names that count; null when every name does. */
function placesOf(paths: readonly string[]): Map<string, Set<string> | null> {
  const places = new Map<string, Set<string> | null>();
  for (const path of paths) {
    const full = resolve(path);
    if (statSync(full, { throwIfNoEntry: false })?.isDirectory()) {
      places.set(full, null);
      continue;
    }
    const dir = dirname(full);
    const names = places.get(dir);
    if (names === undefined) places.set(dir, new Set([basename(full)]));
    else names?.add(basename(full));
  }
  return places;
}

/** Watches files and directories (of rules); `changed` is called once per burst of changes. */
export class FileWatch {
  private readonly watchers: FSWatcher[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    paths: readonly string[],
    private readonly changed: () => void,
    /** Where it is said what cannot be watched. */
    private readonly report: (text: string) => void,
  ) {
    for (const [dir, names] of placesOf(paths)) this.watchDirectory(dir, names);
  }

  private watchDirectory(dir: string, names: Set<string> | null): void {
    const complain = (error: Error): void => this.report(`${dir} cannot be watched for changes: ${error.message}`);
    try {
      const watcher = watch(dir, { persistent: false }, (_, name) => {
        const counts = names === null ? /\.ya?ml$/i.test(name ?? "") : names.has(name ?? "");
        if (counts) this.touch();
      });
      watcher.on("error", complain);
      this.watchers.push(watcher);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      complain(error);
    }
  }

  private touch(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.changed();
    }, QUIET_MS);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    for (const watcher of this.watchers) watcher.close();
  }
}
