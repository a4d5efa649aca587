// SPDX-License-Identifier: Apache-2.0
// `falco capture -r` as a user runs it: lines, filters, formats, written files, and everything that can be wrong.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { falco, shell } from "../support/falco.ts";
import { ROOT } from "../support/shared.ts";

const TRACE = join(ROOT, "captures/attack.scap.gz");
const DIR = mkdtempSync(join(tmpdir(), "falco-e2e-"));
afterAll(() => rmSync(DIR, { recursive: true }));

const plain = gunzipSync(readFileSync(TRACE));
const made = (name: string, bytes: Uint8Array | string): string => {
  const path = join(DIR, name);
  writeFileSync(path, bytes);
  return path;
};
const PLAIN = made("plain.scap", plain);

function lines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/**
 * Lines without what a written capture does not keep: the number at their beginning, that a server's "any" address was
 * given in IPv6 form, and which end of a connection was the server's once nobody listens on its port any more.
 */
function unnumbered(text: string): string[] {
  return lines(text).map((l) =>
    l
      .replace(/^\d+ /, "")
      .replace("<4t>:::", "<4t>0.0.0.0:")
      .replace(/<4t>([^<>]+)->([^<>]+?)\)/g, (_, a: string, b: string) => `<4t>${[a, b].sort().join(" and ")})`),
  );
}

describe("falco capture -r shows", () => {
  test("every event as a line of the known shape", () => {
    const got = falco(["capture", "-r", TRACE]);
    expect(got.stderr).toBe("");
    expect(got.status).toBe(0);
    const all = lines(got.stdout);
    expect(all.length).toBeGreaterThan(3000);
    for (const line of all.slice(0, 500)) {
      expect(line).toMatch(/^\d+ \d\d:\d\d:\d\d\.\d{9} \d+ \S+ \(-?\d+\) [<>] \w+/);
    }
  });

  test("the same from a plain file, from standard input and from zstd", () => {
    const want = falco(["capture", "-r", TRACE]).stdout;
    expect(falco(["capture", "-r", PLAIN]).stdout).toBe(want);
    expect(falco(["capture", "-r", "-"], { input: readFileSync(TRACE) }).stdout).toBe(want);
    const packed = made("trace.scap.zst", Bun.zstdCompressSync(plain));
    expect(falco(["capture", "-r", packed]).stdout).toBe(want);
  });

  test("what a filter picks", () => {
    const got = falco(["capture", "-r", TRACE, "evt.type=execve", "and", "proc.name=backup", "-p", "%proc.cmdline"]);
    expect(lines(got.stdout)).toContain("backup sh -c cat /etc/shadow");
    for (const line of lines(got.stdout)) expect(line).toStartWith("backup ");
  });

  test("-n ends after so many events", () => {
    expect(lines(falco(["capture", "-r", TRACE, "-n", "5"]).stdout)).toHaveLength(5);
  });

  test("-p: a missing value takes the line away, or is <NA> behind a '*'", () => {
    const all = lines(falco(["capture", "-r", TRACE, "-p", "*%fd.name"]).stdout);
    const some = lines(falco(["capture", "-r", TRACE, "-p", "%fd.name"]).stdout);
    expect(all).toContain("<NA>");
    expect(some).toEqual(all.filter((l) => l !== "<NA>"));
  });

  test("-j: one object per event with typed values", () => {
    const rows = lines(falco(["capture", "-r", TRACE, "-j", "-n", "50"]).stdout).map(
      (l) => JSON.parse(l) as Record<string, unknown>,
    );
    expect(rows).toHaveLength(50);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual([
        "evt.cpu",
        "evt.dir",
        "evt.info",
        "evt.num",
        "evt.outputtime",
        "evt.type",
        "proc.name",
        "thread.tid",
      ]);
      expect(row["evt.num"]).toBeNumber();
      expect(row["evt.type"]).toBeString();
    }
  });

  const times: [string, RegExp][] = [
    ["h", /^\d\d:\d\d:\d\d\.\d{9}$/],
    ["a", /^\d{10}\.\d{1,9}$/],
    ["r", /^\d{1,3}\.\d{9}$/],
    ["d", /^0\.\d{9}$/],
    ["D", /^\d{1,3}\.\d{9}$/],
  ];
  for (const [kind, shape] of times) {
    test(`-t ${kind}: time`, () => {
      for (const t of lines(falco(["capture", "-r", TRACE, "-n", "20", "-t", kind, "-p", "%evt.outputtime"]).stdout)) {
        expect(t).toMatch(shape);
      }
    });
  }

  const buffers: [string, string][] = [
    ["-A", "HTTP/1.0 200 OK"],
    ["-x", "\t0x0000: 4854 5450 2f31 2e30"],
    ["-X", "HTTP/1.0 200 OK"],
    ["-b", "SFRUUC8xLjAg"],
  ];
  for (const [flag, text] of buffers) {
    test(`${flag}: contents of buffers`, () => {
      const got = falco(["capture", "-r", TRACE, flag, "evt.type=write and evt.buffer startswith HTTP"]);
      expect(got.stdout).toContain(text);
    });
  }

  test("-s and -v: how much of a buffer", () => {
    const long = "evt.type=read and evt.buflen > 200";
    const width = (...flags: string[]) =>
      Math.max(
        ...lines(falco(["capture", "-r", TRACE, "-p", "%evt.arg.data", ...flags, long]).stdout).map((l) => l.length),
      );
    expect(width("-s", "10")).toBe(10);
    expect(width()).toBe(80);
  });

  test("-S: the summary, on stderr, with all events counted", () => {
    const got = falco(["capture", "-r", TRACE, "-q", "-S"]);
    expect(got.stdout).toBe("");
    const rows = lines(got.stderr).slice(3);
    expect(got.stderr).toMatch(/^-+\nEvent +#Calls\n-+\n[<>] \S+ +\d+\n/);
    const sum = rows.reduce((n, row) => n + Number(row.split(/ +/).at(-1)), 0);
    expect(sum).toBe(lines(falco(["capture", "-r", TRACE]).stdout).length);
    const json = JSON.parse(falco(["capture", "-r", TRACE, "-q", "-S", "-j"]).stderr) as { summary: unknown[] };
    expect(json.summary).toHaveLength(rows.length);
  });

  test("--raw and --info without keeping state", () => {
    expect(lines(falco(["capture", "-r", TRACE, "--raw", "-n", "3"]).stdout)).toHaveLength(3);
    const info = JSON.parse(falco(["capture", "-r", TRACE, "--info", "--json"]).stdout) as {
      sections: { events: number; hostname: string }[];
    };
    expect(info.sections).toHaveLength(1);
    expect(info.sections[0]?.hostname).toBe("shop");
  });
});

describe("falco capture -w writes", () => {
  const shown = unnumbered(falco(["capture", "-r", TRACE]).stdout);
  const of = (...names: string[]) => names.flatMap((n) => unnumbered(falco(["capture", "-r", join(DIR, n)]).stdout));

  test("the whole capture, plain and compressed", () => {
    expect(falco(["capture", "-r", TRACE, "-w", join(DIR, "copy")])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(of("copy")).toEqual(shown);
    falco(["capture", "-r", join(DIR, "copy"), "-z", "-w", join(DIR, "copy.gz")]);
    expect(readFileSync(join(DIR, "copy.gz")).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    expect(of("copy.gz")).toEqual(shown);
  });

  test("what a filter picks; with -F everything that its lines need", () => {
    const filter = "evt.type=openat and fd.name startswith /etc";
    const want = unnumbered(falco(["capture", "-r", TRACE, filter]).stdout);
    falco(["capture", "-r", TRACE, "-w", join(DIR, "few"), filter]);
    expect(of("few")).toHaveLength(want.length);
    falco(["capture", "-r", TRACE, "-F", "-w", join(DIR, "fat"), filter]);
    expect(of("fat")).toEqual(want);
    expect(statSync(join(DIR, "fat")).size).toBeGreaterThan(statSync(join(DIR, "few")).size);
  });

  test("to standard output", () => {
    const got = shell(`falco capture -r '${TRACE}' -w - | falco capture -r - | tail -n 1`);
    expect(got.stdout.replace(/^\d+ /, "")).toBe(`${shown.at(-1)}\n`);
  });

  test("several files, each complete in itself", () => {
    falco(["capture", "-r", TRACE, "-w", join(DIR, "part."), "-e", "1000"]);
    const names = readdirSync(DIR).filter((n) => n.startsWith("part."));
    expect(names).toHaveLength(Math.ceil(shown.length / 1000));
    expect(of(...names.map((_, i) => `part.${i}`))).toEqual(shown);
  });

  test("a ring of files with -W", () => {
    falco(["capture", "-r", TRACE, "-w", join(DIR, "ring."), "-e", "1000", "-W", "2"]);
    expect(readdirSync(DIR).filter((n) => n.startsWith("ring."))).toEqual(["ring.0", "ring.1"]);
    const last = Math.floor((shown.length - 1) / 1000);
    expect(of(`ring.${last % 2}`)).toEqual(shown.slice(last * 1000));
  });

  test("files by time, and ends after -W of them", () => {
    const got = falco(["capture", "-r", TRACE, "-w", join(DIR, "time-%H%M%S."), "-G", "2", "-W", "2"]);
    expect(got).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readdirSync(DIR).filter((n) => /^time-\d{6}\.$/.test(n))).toHaveLength(2);
  });

  test("buffers cut to -s bytes", () => {
    falco(["capture", "-r", TRACE, "-w", join(DIR, "short"), "-s", "4"]);
    const got = falco(["capture", "-r", join(DIR, "short"), "-p", "%evt.arg.data", "evt.type in (read, write)"]);
    expect(lines(got.stdout).length).toBeGreaterThan(100);
    expect(Math.max(...lines(got.stdout).map((l) => l.length))).toBe(4);
  });
});

describe("falco capture says in one line what is wrong", () => {
  const cut = made("cut.scap", plain.subarray(0, plain.length - 7));
  const rows: [string, string[], number, RegExp][] = [
    [
      "a missing file",
      ["-r", "/nonexistent/x.scap"],
      1,
      /^falco: \/nonexistent\/x\.scap: cannot open: no such file or directory\n$/,
    ],
    ["a directory", ["-r", DIR], 1, /^falco: .*: cannot (open|read): it is a directory\n$/],
    ["an empty file", ["-r", made("empty", "")], 1, /^falco: .*empty: at byte 0: found .*, wanted .*\n$/],
    [
      "something else",
      ["-r", made("other", "hello, world, this is no trace")],
      1,
      /^falco: .*other: at byte 0: found .*\n$/,
    ],
    ["a cut file", ["-r", cut], 1, /^falco: .*cut\.scap: at byte \d+: found .*, wanted .*\n$/],
    [
      "a wrong field",
      ["-r", TRACE, "proc.nam=x"],
      1,
      /^falco: filter:1:1: .*'proc\.name'.*\n {2}proc\.nam=x\n {2}\^\n$/,
    ],
    ["a wrong filter", ["-r", TRACE, "proc.name ="], 1, /^falco: filter:1:\d+: .*\n {2}proc\.name =\n {2,}\^\n$/],
    [
      "a wrong format",
      ["-r", TRACE, "-p", "%proc.name %prc.pid"],
      1,
      /^falco: format: 'prc\.pid' is no field at position 13; did you mean '%proc\.pid'\?\n.*\n {2,}\^\n$/,
    ],
    [
      "a place that cannot be written",
      ["-r", TRACE, "-w", "/nonexistent/out"],
      1,
      /^falco: \/nonexistent\/out: cannot create the file: no such file or directory\n$/,
    ],
    [
      "a full disk",
      ["-r", TRACE, "-w", "/dev/full"],
      1,
      /^falco: \/dev\/full: cannot write: no space left on the device\n$/,
    ],
    ["the same file twice", ["-r", PLAIN, "-w", PLAIN], 2, /^falco: .*: is the file that is read\n/],
    ["-z without -w", ["-r", TRACE, "-z"], 2, /^falco: --compress wants -w\/--write FILE\n/],
    ["-W alone", ["-r", TRACE, "-w", "x", "-W", "2"], 2, /^falco: -W\/--file-limit wants -C, -e or -G\n/],
    ["rotation into a pipe", ["-r", TRACE, "-w", "-", "-e", "2"], 2, /^falco: standard output is one file/],
    [
      "two ways to show buffers",
      ["-r", TRACE, "-x", "-b"],
      2,
      /^falco: --print-\S+ and --print-\S+ cannot be given together\n/,
    ],
    ["--raw with a filter", ["-r", TRACE, "--raw", "evt.num=1"], 2, /^falco: --raw looks at the whole file/],
    ["--info without a file", ["--info"], 2, /^falco: --info wants -r\/--read FILE\n/],
    ["a command with -r", ["-r", TRACE, "--", "ls"], 2, /^falco: -r\/--read reads a file/],
    ["a time that is none", ["-r", TRACE, "-t", "x"], 2, /^falco: --time cannot be x; it is one of h, a, r, d, D\n/],
  ];
  for (const [name, args, status, message] of rows) {
    test(name, () => {
      const got = falco(["capture", ...args]);
      expect(got.stderr).toMatch(message);
      expect(got.status).toBe(status);
    });
  }

  test("whole events before the damage are shown first", () => {
    const whole = lines(falco(["capture", "-r", PLAIN]).stdout);
    const got = lines(falco(["capture", "-r", cut]).stdout);
    expect(got.length).toBe(whole.length - 1);
    expect(got).toEqual(whole.slice(0, got.length));
  });

  test("nothing is read before a wrong filter or format is found", () => {
    expect(falco(["capture", "-r", "/nonexistent/x", "evt.typ=open"]).stderr).toContain("evt.typ");
    expect(falco(["capture", "-r", "/nonexistent/x", "-p", "%nope"]).stderr).toContain("nope");
  });

  test("nothing is created before a wrong filter is found", () => {
    falco(["capture", "-r", TRACE, "-w", join(DIR, "never"), "evt.typ=open"]);
    expect(existsSync(join(DIR, "never"))).toBe(false);
  });

  test("a reader that goes away is no error", () => {
    expect(shell(`falco capture -r '${TRACE}' | head -n 1 >/dev/null; echo $` + "{PIPESTATUS[0]}")).toEqual({
      status: 0,
      stdout: "0\n",
      stderr: "",
    });
    expect(shell(`falco capture -r '${TRACE}' -w - | true; echo $` + "{PIPESTATUS[0]}").stdout).toBe("0\n");
  });

  test("a full disk under the lines", () => {
    const got = shell(`falco capture -r '${TRACE}' >/dev/full`);
    expect(got).toEqual({ status: 1, stdout: "", stderr: "falco: no space left on device (write)\n" });
  });
});

test("Ctrl-C ends a capture that waits for input: what was read is shown, then the summary", async () => {
  const child = Bun.spawn([process.execPath, join(ROOT, "cmd/main.ts"), "capture", "-r", "-", "-U", "-S"], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  child.stdin.write(plain);
  await child.stdin.flush();
  // The first line shows that the program is at work; the pipe stays open, so it will wait for more.
  const reader = child.stdout.getReader();
  const first = await reader.read();
  child.kill("SIGINT");
  let text = Buffer.from(first.value ?? []).toString("latin1");
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += Buffer.from(part.value).toString("latin1");
  }
  expect(await child.exited).toBe(0);
  expect(lines(text).length).toBeGreaterThan(0);
  expect(text).toEndWith("\n");
  expect(await new Response(child.stderr).text()).toContain("#Calls");
  child.stdin.end();
});
