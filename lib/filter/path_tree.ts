// SPDX-License-Identifier: Apache-2.0
// The set of path prefixes behind `pmatch`: a tree by path component, whose components may be shell patterns.
import { compileGlob, hasWildcards } from "./glob.ts";

interface Node {
  /** A searched path ends here. */
  end: boolean;
  /** Plain components. */
  plain: Map<string, Node> | null;
  /** Components with wildcards. */
  globs: { pattern: string; match: (text: string) => boolean; next: Node }[];
}

function newNode(): Node {
  return { end: false, plain: null, globs: [] };
}

/** Components of a path; repeated and trailing slashes do not count. */
function components(path: string): string[] {
  return path.split("/").filter((c) => c !== "");
}

/** Paths that are looked for at the front of others, component by component. */
export class PathTree {
  private readonly absolute = newNode();
  private readonly relative = newNode();

  constructor(paths: Iterable<string>) {
    for (const p of paths) this.add(p);
  }

  private add(path: string): void {
    if (path === "") return;
    let node = this.rootOf(path);
    for (const c of components(path)) {
      if (hasWildcards(c)) {
        let glob = node.globs.find((g) => g.pattern === c);
        if (glob === undefined) {
          glob = { pattern: c, match: compileGlob(c), next: newNode() };
          node.globs.push(glob);
        }
        node = glob.next;
      } else {
        node.plain ??= new Map();
        let next = node.plain.get(c);
        if (next === undefined) {
          next = newNode();
          node.plain.set(c, next);
        }
        node = next;
      }
    }
    node.end = true;
  }

  /** True when one of the paths is a prefix of `path`, or all of it. */
  matches(path: string): boolean {
    return this.walk(this.rootOf(path), path, 0);
  }

  private rootOf(path: string): Node {
    return path.charCodeAt(0) === 0x2f ? this.absolute : this.relative;
  }

  private walk(from: Node, path: string, start: number): boolean {
    let node = from;
    let at = start;
    for (;;) {
      if (node.end) return true;
      while (path.charCodeAt(at) === 0x2f) at++;
      if (at >= path.length) return false;
      let stop = path.indexOf("/", at);
      if (stop < 0) stop = path.length;
      const c = path.slice(at, stop);
      for (const g of node.globs) if (g.match(c) && this.walk(g.next, path, stop)) return true;
      const next = node.plain?.get(c);
      if (next === undefined) return false;
      node = next;
      at = stop;
    }
  }
}
