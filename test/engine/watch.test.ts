// SPDX-License-Identifier: Apache-2.0
// Watching configuration and rule files for changes.
import { expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { FileWatch } from "../../lib/engine/watch.ts";
import { withDir } from "../outputs/helpers.ts";

/** Waits until `done`, at most some seconds. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !done(); i++) await Bun.sleep(25);
  expect(done()).toBe(true);
}

test("FileWatch tells of a burst of changes once, of replaced files, and of new ones in a directory", () =>
  withDir(async (dir) => {
    writeFileSync(`${dir}/falco.yaml`, "a");
    mkdirSync(`${dir}/rules.d`);
    let changes = 0;
    const complaints: string[] = [];
    const watch = new FileWatch(
      [`${dir}/falco.yaml`, `${dir}/rules.d`, `${dir}/none/x.yaml`],
      () => void changes++,
      (text) => void complaints.push(text),
    );
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain(`${dir}/none cannot be watched`);

    for (let i = 0; i < 5; i++) writeFileSync(`${dir}/falco.yaml`, String(i));
    await until(() => changes === 1);
    writeFileSync(`${dir}/tmp`, "x");
    renameSync(`${dir}/tmp`, `${dir}/falco.yaml`);
    await until(() => changes === 2);
    writeFileSync(`${dir}/rules.d/readme.txt`, "x");
    writeFileSync(`${dir}/other.yaml`, "x");
    writeFileSync(`${dir}/rules.d/new.yaml`, "x");
    await until(() => changes === 3);
    watch.close();
    writeFileSync(`${dir}/falco.yaml`, "late");
    await Bun.sleep(400);
    expect(changes).toBe(3);
  }));
