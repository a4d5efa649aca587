// SPDX-License-Identifier: Apache-2.0
// The outputs stdout, file and program: conformance, and the faults each must survive.
import { describe, expect, test } from "bun:test";
import { closeSync, constants, existsSync, openSync, readFileSync, renameSync } from "node:fs";
import { FileOutput } from "../../lib/outputs/file.ts";
import { type Output, OutputError } from "../../lib/outputs/output.ts";
import { ProgramOutput } from "../../lib/outputs/program.ts";
import { StdoutOutput } from "../../lib/outputs/stdout.ts";
import { outputConformance } from "./conformance.ts";
import { messages, withDir } from "./helpers.ts";

const readBack = async (path: string): Promise<string> => readFileSync(path, "utf8");

outputConformance("stdout", { make: (path) => new StdoutOutput(openSync(path, "a")), read: readBack });
outputConformance("file with keep_alive", {
  make: (filename) => new FileOutput({ filename, keepAlive: true }),
  read: readBack,
});
outputConformance("file without keep_alive", {
  make: (filename) => new FileOutput({ filename, keepAlive: false }),
  read: readBack,
});
outputConformance("program with keep_alive", {
  make: (path) => new ProgramOutput({ program: `cat >> '${path}'`, keepAlive: true }),
  read: readBack,
});
outputConformance("program without keep_alive", {
  make: (path) => new ProgramOutput({ program: `cat >> '${path}'`, keepAlive: false }),
  read: readBack,
});

/** The error that a delivery ends with. */
async function failure(output: Output, n = 1): Promise<OutputError> {
  try {
    await output.send(messages(n));
  } catch (error) {
    if (error instanceof OutputError) return error;
    throw error;
  }
  throw new Error("the delivery succeeded");
}

/** Both ends of a named pipe: [reader, writer]. */
function fifo(path: string): [number, number] {
  const made = Bun.spawnSync(["mkfifo", path]);
  if (!made.success) throw new Error("mkfifo failed");
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return [reader, openSync(path, constants.O_WRONLY)];
}

describe("stdout", () => {
  test("closed by its reader is gone for good", () =>
    withDir(async (dir) => {
      const [reader, writer] = fifo(`${dir}/pipe`);
      closeSync(reader);
      const error = await failure(new StdoutOutput(writer));
      closeSync(writer);
      expect(error.final).toBe(true);
      expect(error.message).toBe("output 'stdout': is closed, nobody reads it any more");
    }));

  test("on a full disk says so and may be tried again", async () => {
    const fd = openSync("/dev/full", "w");
    const error = await failure(new StdoutOutput(fd), 3);
    closeSync(fd);
    expect(error.final).toBe(false);
    expect(error.delivered).toBe(0);
    expect(error.reason).toContain("(ENOSPC)");
  });

  test("paints lines on their way out", () =>
    withDir(async (dir) => {
      const fd = openSync(`${dir}/out`, "w");
      await new StdoutOutput(fd, (m) => `<${m.line}>`).send(messages(2));
      closeSync(fd);
      expect(readFileSync(`${dir}/out`, "utf8")).toBe("<line 0>\n<line 1>\n");
    }));
});

describe("file", () => {
  test("that cannot be opened is named with the reason", async () => {
    const error = await failure(new FileOutput({ filename: "/nonexistent/dir/alerts", keepAlive: true }));
    expect(error.message).toMatch(/^output 'file': \/nonexistent\/dir\/alerts cannot be opened: .*\(ENOENT\)$/);
  });

  test("on a full disk is named with the reason", async () => {
    const output = new FileOutput({ filename: "/dev/full", keepAlive: true });
    expect((await failure(output)).reason).toMatch(/^\/dev\/full cannot be written: .*\(ENOSPC\)$/);
    await output.close();
  });

  test("with keep_alive keeps the moved file until it is opened anew", () =>
    withDir(async (dir) => {
      const output = new FileOutput({ filename: `${dir}/log`, keepAlive: true });
      await output.send(messages(1));
      renameSync(`${dir}/log`, `${dir}/log.1`);
      await output.send(messages(1, "line", 1));
      expect(existsSync(`${dir}/log`)).toBe(false);
      await output.reopen();
      await output.send(messages(1, "line", 2));
      await output.close();
      expect(readFileSync(`${dir}/log.1`, "utf8")).toBe("line 0\nline 1\n");
      expect(readFileSync(`${dir}/log`, "utf8")).toBe("line 2\n");
    }));

  test("without keep_alive never writes on a moved file", () =>
    withDir(async (dir) => {
      const output = new FileOutput({ filename: `${dir}/log`, keepAlive: false });
      await output.send(messages(1));
      renameSync(`${dir}/log`, `${dir}/log.1`);
      await output.send(messages(1, "line", 1));
      expect(readFileSync(`${dir}/log`, "utf8")).toBe("line 1\n");
    }));
});

describe("program", () => {
  test("with keep_alive that ended is started again, and the fault told", () =>
    withDir(async (dir) => {
      const program = `head -n 1 >> '${dir}/out'`;
      const output = new ProgramOutput({ program, keepAlive: true, restartMs: 0 });
      expect(await output.send(messages(1))).toBeNull();
      let note: string | null = null;
      // The end of the program is noticed some time after its output is there.
      for (let i = 1; note === null && i < 500; i++) {
        await Bun.sleep(10);
        note = await output.send(messages(1, "again", i)).catch((e: OutputError) => e.reason);
      }
      await output.close();
      expect(note).toContain("the program ended with status 0");
      expect(readFileSync(`${dir}/out`, "utf8")).toMatch(/^line 0\nagain \d+\n/);
    }));

  test("with keep_alive that dies at once is not started again and again", () =>
    withDir(async (dir) => {
      const program = `echo started >> '${dir}/count'; exit 7`;
      const output = new ProgramOutput({ program, keepAlive: true, restartMs: 60_000 });
      const big = "x".repeat(300_000);
      for (let i = 0; i < 3; i++) {
        const error = await output.send(messages(1, big)).then(
          () => null,
          (e: OutputError) => e,
        );
        expect(error?.reason).toBe("the program ended with status 7");
      }
      await output.close();
      expect(readFileSync(`${dir}/count`, "utf8")).toBe("started\n");
    }));

  test("without keep_alive that fails is counted per alert, the others arrive", () =>
    withDir(async (dir) => {
      const program = `read -r l; case "$l" in *1) exit 4;; esac; echo "$l" >> '${dir}/out'`;
      const error = await failure(new ProgramOutput({ program, keepAlive: false }), 3);
      expect(error.delivered).toBe(2);
      expect(error.reason).toBe("the program ended with status 4");
      expect(readFileSync(`${dir}/out`, "utf8")).toBe("line 0\nline 2\n");
    }));

  test("that need not read its input is no fault", () =>
    withDir(async (dir) => {
      const output = new ProgramOutput({ program: `echo seen >> '${dir}/out'`, keepAlive: false });
      expect(await output.send(messages(2, "y".repeat(200_000)))).toBeNull();
      expect(readFileSync(`${dir}/out`, "utf8")).toBe("seen\nseen\n");
    }));

  test("that is ended by a signal says which", async () => {
    const error = await failure(new ProgramOutput({ program: "kill -TERM $$", keepAlive: false }));
    expect(error.reason).toBe("the program was ended by SIGTERM");
  });

  test("that hangs is killed with its children when abandoned", () =>
    withDir(async (dir) => {
      const program = `sleep 1000 & echo $! > '${dir}/pid'; wait`;
      const output = new ProgramOutput({ program, keepAlive: false });
      const sending = output.send(messages(1));
      while (!existsSync(`${dir}/pid`) || readFileSync(`${dir}/pid`, "utf8") === "") await Bun.sleep(5);
      output.abandon();
      const error = await sending.then(
        () => null,
        (e: OutputError) => e,
      );
      expect(error?.reason).toBe("the program was ended by SIGKILL");
      const pid = Number(readFileSync(`${dir}/pid`, "utf8"));
      while (existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(" Z "))
        await Bun.sleep(5);
    }));
});
