// SPDX-License-Identifier: Apache-2.0
// A guest: a kernel with a file system in memory that makes its runs one after the other and tells how each ended.
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { CACHE, Unavailable } from "./kernels.ts";

const HERE = import.meta.dir;
const TOOLS = ["qemu-system-x86_64", "busybox", "dash", "setpriv", "gcc", "ldd"];
const PACKAGES = "qemu-system-x86 busybox-static dash util-linux gcc libc6-dev";

/** What became of one run in a guest. */
export interface Outcome {
  /** Exit status of its script; null when it did not come to its end. */
  status: number | null;
  lines: readonly string[];
  seconds: number;
}

export interface Boot {
  kernel: string;
  /** Further parameters of the kernel. */
  parameters: string;
  /** Scripts by the name of the run, in order. */
  scripts: ReadonlyMap<string, string>;
  /** Seconds that a run may take, and all of them with the boot. */
  runSeconds: number;
  seconds: number;
}

export interface Booted {
  /** Version of the kernel, "" when it never said so. */
  release: string;
  outcomes: Map<string, Outcome>;
  /** What the kernel complained of, and why the guest ended too early. */
  trouble: string[];
  seconds: number;
}

/** Says what is missing to boot guests here; null when nothing is. */
export function reasonForNoGuests(): string | null {
  if (process.arch !== "x64") return "guests are x86_64 machines";
  const missing = TOOLS.filter((tool) => Bun.which(tool) === null);
  return missing.length === 0 ? null : `${missing.join(", ")} missing: apt-get install ${PACKAGES}`;
}

function must(command: string, args: string[], cwd: string, input?: string): string {
  const run = spawnSync(command, args, { cwd, encoding: "utf8", ...(input === undefined ? {} : { input }) });
  if (run.status !== 0) throw new Unavailable(`${command} ${args.join(" ")}: ${run.error?.message ?? run.stderr}`);
  return run.stdout;
}

/** Puts a program, and the libraries it is linked with, into the file system at `root`. */
function install(root: string, program: string, to: string): void {
  const target = join(root, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(program, target, { dereference: true });
  chmodSync(target, 0o755);
  const ldd = spawnSync("ldd", [program], { encoding: "utf8" });
  for (const [, library] of (ldd.stdout ?? "").matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)) {
    if (library === undefined || existsSync(root + library)) continue;
    mkdirSync(dirname(root + library), { recursive: true });
    cpSync(library, root + library, { dereference: true });
  }
}

function compile(root: string, to: string, sources: string[]): void {
  const flags = ["-static", "-O1", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-result", "-pthread"];
  must("gcc", [...flags, "-o", join(root, to), ...sources], HERE);
}

/** A directory as an archive for the kernel. */
function pack(root: string, archive: string): void {
  must("sh", ["-c", `find . | busybox cpio -o -H newc -R 0:0 >"$0" 2>/dev/null`, archive], root);
}

export interface Programs {
  falco: string;
  /** Files by the place they get in the guest. */
  files: ReadonlyMap<string, string>;
  /** C programs by the place they get, compiled for the guest. */
  compiled: ReadonlyMap<string, readonly string[]>;
}

/** What all guests have in common; made once. */
export class GuestImage {
  private readonly dir: string;

  constructor(programs: Programs) {
    mkdirSync(CACHE, { recursive: true });
    this.dir = mkdtempSync(join(CACHE, "guest-"));
    const root = join(this.dir, "root");
    for (const sub of ["bin", "etc", "runs"]) mkdirSync(join(root, sub), { recursive: true });
    install(root, Bun.which("busybox") ?? "", "bin/busybox");
    // A shell that is not busybox starts the applets as programs of their own.
    install(root, Bun.which("dash") ?? "", "bin/sh");
    // And one that does not mind what it is called, for the driver cases.
    install(root, Bun.which("true") ?? "", "bin/true");
    install(root, Bun.which("setpriv") ?? "", "bin/setpriv");
    install(root, programs.falco, "bin/falco");
    for (const [to, from] of programs.files) install(root, from, to);
    for (const [to, sources] of programs.compiled) compile(root, to, [...sources]);
    cpSync(join(HERE, "init.sh"), join(root, "init"));
    chmodSync(join(root, "init"), 0o755);
    cpSync(join(HERE, "lib.sh"), join(root, "lib.sh"));
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
    writeFileSync(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
    if (!existsSync(join(root, "lib64"))) symlinkSync("lib", join(root, "lib64"));
    pack(root, join(this.dir, "base.cpio"));
    rmSync(root, { recursive: true });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Boots a kernel, has it make its runs, and tells what came of them. */
  async boot(image: string, boot: Boot): Promise<Booted> {
    const began = Date.now();
    const work = mkdtempSync(join(this.dir, "boot-"));
    const runs = join(work, "root/runs");
    mkdirSync(runs, { recursive: true });
    let n = 0;
    for (const [name, script] of boot.scripts)
      writeFileSync(join(runs, `${String(n++).padStart(2, "0")}-${name}`), script);
    pack(join(work, "root"), join(work, "runs.cpio"));
    must("sh", ["-c", "cat ../base.cpio runs.cpio >initrd"], work);
    const serial = (name: string): string[] => ["-serial", `file:${join(work, name)}`];
    const machine = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "2048", "-smp", "2"];
    // Emulation works everywhere; Bun needs the newer instructions of "-cpu max".
    const processor = ["-accel", "tcg,thread=multi", "-cpu", "max"];
    const base = `console=ttyS0 panic=-1 quiet oops=panic run_seconds=${boot.runSeconds}`;
    const kernel = ["-kernel", image, "-initrd", join(work, "initrd"), "-append", `${base} ${boot.parameters}`];
    const args = [...machine, ...processor, ...kernel, ...serial("console"), ...serial("result")];
    // It ends with us.
    const qemu = spawn("setpriv", ["--pdeathsig", "KILL", "qemu-system-x86_64", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: Buffer[] = [];
    qemu.stderr.on("data", (bytes: Buffer) => said.push(bytes));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      qemu.kill("SIGKILL");
    }, boot.seconds * 1000);
    const status = await new Promise<number | null>((resolve) => qemu.once("close", resolve));
    clearTimeout(timer);
    const read = (name: string): string => {
      const path = join(work, name);
      return existsSync(path) ? readFileSync(path, "latin1").replaceAll("\r", "") : "";
    };
    const booted = understand(read("result"));
    if (late) booted.trouble.push(`no end after ${boot.seconds} s`);
    else if (status !== 0)
      booted.trouble.push(`qemu ended with ${status}: ${Buffer.concat(said).toString("utf8").trim()}`);
    else if (!booted.ended)
      booted.trouble.push("the guest ended before its runs did", ...read("console").split("\n").slice(-8));
    rmSync(work, { recursive: true });
    return { ...booted, seconds: (Date.now() - began) / 1000 };
  }
}

/** Takes apart what the guest's first process wrote; see init.sh. */
function understand(text: string): Omit<Booted, "seconds"> & { ended: boolean } {
  const outcomes = new Map<string, Outcome>();
  const trouble: string[] = [];
  let release = "";
  let ended = false;
  let lines: string[] = [];
  let began = 0;
  for (const line of text.split("\n")) {
    const [mark, first = "", second = "", third = ""] = line.split(" ");
    if (mark === "@@kernel") release = first;
    else if (mark === "@@run") {
      lines = [];
      began = Number(second);
      outcomes.set(first, { status: null, lines, seconds: Number.NaN });
    } else if (mark === "@@status")
      outcomes.set(first, { status: Number(second), lines, seconds: Number(third) - began });
    else if (mark === "@@trouble") trouble.push(line.slice(mark.length + 1));
    else if (mark === "@@end") ended = true;
    else lines.push(line);
  }
  return { release, outcomes, trouble, ended };
}
