// SPDX-License-Identifier: Apache-2.0
// Checks that imports go only down the floors of the house and never in circles; exits 1 and names each that does not.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** Rooms by floor, lowest first. Rooms on one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["lib/schema"],
  ["lib/scap"],
  ["lib/sinsp"],
  ["lib/fields"],
  ["lib/filter", "lib/format"],
  ["lib/rules"],
  ["lib/outputs", "lib/config", "lib/metrics", "lib/plugins"],
  ["lib/engine"],
  ["cmd"],
];

const floorOf = new Map(FLOORS.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)));

/** The room a file of the repository is in: two path parts under lib/, one elsewhere. */
function roomOf(file: string): string {
  const parts = file.split("/");
  return parts[0] === "lib" ? parts.slice(0, 2).join("/") : (parts[0] as string);
}

export interface Import {
  line: number;
  module: string;
  /** Only types are imported: nothing remains of it when the program runs. */
  typeOnly: boolean;
}

/** Relative modules that a source text imports, re-exports or loads at run time. */
export function importsOf(text: string): Import[] {
  const pattern =
    /\b(?:(import|export)(\s+type)?\s[^;"]*?\bfrom\s+|import\s+|import\(\s*|require\(\s*)"(\.{1,2}\/[^"]+)"/g;
  return Array.from(text.matchAll(pattern), (match) => ({
    line: text.slice(0, match.index + match[0].lastIndexOf('"', match[0].length - 2)).split("\n").length,
    module: match[3] as string,
    typeOnly: match[2] !== undefined,
  }));
}

/** Breaches among the given files (path → source text), as lines ready to print. */
export function checkLayers(files: ReadonlyMap<string, string>): string[] {
  const breaches: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const edges: string[] = [];
    graph.set(file, edges);
    const room = roomOf(file);
    const floor = floorOf.get(room);
    if (floor === undefined) {
      breaches.push(`${file}: the room ${room} is on no floor; add it to scripts/check-layers.ts`);
      continue;
    }
    for (const { line, module, typeOnly } of importsOf(text)) {
      const target = relative(ROOT, resolve(ROOT, dirname(file), module));
      if (!typeOnly) edges.push(target);
      const targetRoom = roomOf(target);
      const targetFloor = floorOf.get(targetRoom);
      if (targetRoom === room || targetFloor === undefined || targetFloor < floor) continue;
      const where = targetFloor === floor ? "beside it on the same floor" : "on a floor above it";
      breaches.push(`${file}:${line}: ${room} imports ${target}, which is ${where}`);
    }
  }
  for (const circle of circles(graph)) breaches.push(`circle: ${circle.join(" → ")}`);
  return breaches;
}

/** Import circles, each once, as paths that end where they began. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next, path);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** All TypeScript sources of the rooms, path → text. */
export function readRooms(): Map<string, string> {
  const files = new Map<string, string>();
  for (const top of ["lib", "cmd"]) {
    for (const entry of readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const path = relative(ROOT, join(entry.parentPath, entry.name));
      files.set(path, readFileSync(join(ROOT, path), "utf8"));
    }
  }
  return files;
}

if (import.meta.main) {
  const files = readRooms();
  const breaches = checkLayers(files);
  for (const breach of breaches) console.error(breach);
  console.error(`layers: ${files.size} files, ${breaches.length} breaches`);
  process.exit(breaches.length > 0 ? 1 : 0);
}
