// SPDX-License-Identifier: Apache-2.0
// Kernels to boot: the newest that each Debian suite gives out, fetched and unpacked, never installed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../support/shared.ts";

/** A kernel by the name it has here, and the suites it comes from. */
export interface Kernel {
  name: string;
  suites: readonly string[];
}

/** Oldest first. Within a suite the version is not pinned: the archive forgets old ones. */
export const KERNELS: readonly Kernel[] = [
  { name: "5.10", suites: ["bullseye", "bullseye-security"] },
  { name: "6.1", suites: ["bookworm", "bookworm-security"] },
  { name: "6.12", suites: ["trixie", "trixie-security"] },
  { name: "newest", suites: ["trixie-backports"] },
];

const PACKAGE = "linux-image-cloud-amd64";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** A kernel fetched longer ago is looked for anew. */
const FRESH_MS = 24 * 3600_000;
export const CACHE = join(ROOT, ".cache/qemu");

/** What is asked of this machine is not there; the message says what to install. */
export class Unavailable extends Error {}

function apt(config: string, command: string, args: string[], cwd: string): string {
  const env = { ...process.env, APT_CONFIG: config, LC_ALL: "C" };
  const run = spawnSync(command, args, { encoding: "utf8", env, cwd });
  if (run.error !== undefined) throw new Unavailable(`${command} is missing: kernels come from Debian's archive`);
  if (run.status !== 0) throw new Unavailable(`${command} ${args.join(" ")}: ${run.stderr.trim()}`);
  return run.stdout;
}

/** The mirrors this machine uses, of the archive and of its security updates. */
function mirrors(): { main: string; security: string } {
  const dir = "/etc/apt/sources.list.d";
  const files = ["/etc/apt/sources.list", ...(existsSync(dir) ? readdirSync(dir).map((f) => join(dir, f)) : [])];
  const text = files.map((f) => (existsSync(f) ? readFileSync(f, "utf8") : "")).join("\n");
  const find = (end: string): string | undefined =>
    new RegExp(`^[^#\\n]*?([a-z+]+://\\S+/${end})/?(?=\\s|$)`, "m").exec(text)?.[1];
  const main = find("debian") ?? "http://deb.debian.org/debian";
  return { main, security: find("debian-security") ?? `${main}-security` };
}

/** An apt configuration that knows these suites only and touches nothing of the machine's own. */
function configure(dir: string, suites: readonly string[]): string {
  for (const sub of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(dir, sub), { recursive: true });
  const { main, security } = mirrors();
  const lines = suites.map((suite) => {
    const mirror = suite.endsWith("-security") ? security : main;
    return `deb [arch=amd64 signed-by=${KEYRING}] ${mirror} ${suite} main\n`;
  });
  writeFileSync(join(dir, "sources.list"), lines.join(""));
  const settings = {
    "Dir::Etc::sourcelist": join(dir, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(dir, "lists"),
    "Dir::State::status": "/dev/null",
    "Dir::Cache": join(dir, "cache"),
    "APT::Architecture": "amd64",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
  };
  const config = join(dir, "apt.conf");
  const text = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  writeFileSync(config, text.join(""));
  return config;
}

/** Names of the packages that `name` depends on and that `wanted` takes. */
function dependencies(config: string, name: string, wanted: RegExp, dir: string): string[] {
  const text = apt(config, "apt-cache", ["depends", name], dir);
  return [...text.matchAll(/^\s*\|?Depends: (\S+)$/gm)].map((m) => m[1] ?? "").filter((p) => wanted.test(p));
}

/** Path of the kernel image in an unpacked package: Debian moved it with Linux 7. */
function imageIn(root: string): string {
  const boot = join(root, "boot");
  const found = existsSync(boot) ? readdirSync(boot).find((f) => f.startsWith("vmlinuz-")) : undefined;
  if (found !== undefined) return join(boot, found);
  const modules = join(root, "usr/lib/modules");
  const version = readdirSync(modules)[0] ?? "";
  return join(modules, version, "vmlinuz");
}

/** Fetches the newest kernel of these suites, unless a fresh one is there; returns the path of its image. */
export function fetchKernel(kernel: Kernel): string {
  const dir = join(CACHE, kernel.name);
  const image = join(dir, "vmlinuz");
  if (existsSync(image) && Date.now() - statSync(image).mtimeMs < FRESH_MS) return image;
  mkdirSync(dir, { recursive: true });
  const config = configure(join(dir, "apt"), kernel.suites);
  apt(config, "apt-get", ["update", "-qq"], dir);
  const name = dependencies(config, PACKAGE, /^linux-image-\d/, dir)[0];
  if (name === undefined) throw new Unavailable(`${kernel.suites.join(", ")}: no ${PACKAGE}`);
  const parts = [name, ...dependencies(config, name, /^linux-(binary|modules)-\d/, dir)];
  const root = join(dir, "root");
  rmSync(root, { recursive: true, force: true });
  apt(config, "apt-get", ["download", "-qq", ...parts], dir);
  for (const deb of readdirSync(dir).filter((f) => f.endsWith(".deb"))) {
    apt(config, "dpkg-deb", ["-x", deb, root], dir);
    rmSync(join(dir, deb));
  }
  writeFileSync(image, readFileSync(imageIn(root)));
  rmSync(root, { recursive: true });
  rmSync(join(dir, "apt"), { recursive: true });
  return image;
}
