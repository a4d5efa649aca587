// SPDX-License-Identifier: Apache-2.0
// Output to a program's standard input, run by the shell: once for all alerts (keep_alive) or once for each.
import { type ChildProcess, spawn } from "node:child_process";
import { type Message, type Output, OutputError, systemReason } from "./output.ts";
import { MessageEncoder } from "./write.ts";

export interface ProgramOutputOptions {
  /** Command line for `/bin/sh -c`. */
  program: string;
  /** One program for all alerts, started again when it ends; otherwise one program per alert. */
  keepAlive: boolean;
  /** Least ms between two starts of a keep_alive program that dies. Default 1000. */
  restartMs?: number;
}

/** How the program ended, as a sentence. */
function ending(code: number | null, signal: string | null): string {
  return signal === null ? `the program ended with status ${code}` : `the program was ended by ${signal}`;
}

/** A started program; `ended` resolves with the sentence about its end and never rejects. */
class Run {
  readonly ended: Promise<string>;
  /** Set once the program is no more. */
  end: string | null = null;
  status: number | null = null;
  private readonly child: ChildProcess;

  constructor(program: string) {
    // A session of its own: Ctrl-C on the terminal must not end the program before it got the last alerts.
    this.child = spawn("/bin/sh", ["-c", program], { stdio: ["pipe", "inherit", "inherit"], detached: true });
    // A broken pipe shows as the end of the program and in the callback of the write.
    this.child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve) => {
      const finish = (end: string): void => {
        this.end = end;
        resolve(end);
      };
      this.child.once("error", (error) => finish(`the program cannot be started: ${systemReason(error)}`));
      this.child.once("exit", (code, signal) => {
        this.status = code;
        finish(ending(code, signal));
      });
    });
  }

  /** Resolves true when the bytes are in the pipe or read, false when the program is gone. */
  write(bytes: Buffer): Promise<boolean> {
    const stdin = this.child.stdin;
    if (stdin === null || this.end !== null) return Promise.resolve(false);
    const written = new Promise<boolean>((resolve) => stdin.write(bytes, (error) => resolve(!error)));
    return Promise.race([written, this.ended.then(() => false)]);
  }

  finish(): Promise<string> {
    this.child.stdin?.end();
    return this.ended;
  }

  kill(): void {
    const pid = this.child.pid;
    if (pid === undefined || this.end !== null) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch (error) {
      // ESRCH: it ended by itself in the meantime.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

export class ProgramOutput implements Output {
  readonly name = "program";
  private readonly encoder = new MessageEncoder();
  private run: Run | null = null;
  private startedAt = Number.NEGATIVE_INFINITY;
  /** Why the last run ended, for as long as it may not be started again. */
  private lastEnd = "";
  private abandoned = false;

  constructor(private readonly options: ProgramOutputOptions) {}

  send(messages: readonly Message[]): Promise<string | null> {
    return this.options.keepAlive ? this.sendToOne(messages) : this.sendToMany(messages);
  }

  async reopen(): Promise<void> {
    const run = this.run;
    this.run = null;
    this.startedAt = Number.NEGATIVE_INFINITY;
    await run?.finish();
  }

  async close(): Promise<void> {
    await this.run?.finish();
    this.run = null;
  }

  abandon(): void {
    this.abandoned = true;
    this.run?.kill();
  }

  private async sendToOne(messages: readonly Message[]): Promise<string | null> {
    let note: string | null = null;
    if (this.run !== null && this.run.end !== null) {
      this.lastEnd = this.run.end;
      this.run = null;
      note = `${this.lastEnd} while alerts were still coming, it is started again`;
    }
    if (this.run === null) {
      const now = performance.now();
      const tooSoon = now - this.startedAt < (this.options.restartMs ?? 1000);
      if (tooSoon || this.abandoned) throw new OutputError(this.name, this.lastEnd);
      this.startedAt = now;
      this.run = new Run(this.options.program);
    }
    if (await this.run.write(this.encoder.bytes(messages))) return note;
    this.lastEnd = await this.run.ended;
    this.run = null;
    throw new OutputError(this.name, this.lastEnd);
  }

  private async sendToMany(messages: readonly Message[]): Promise<null> {
    let failed = 0;
    let why = "";
    for (const message of messages) {
      if (this.abandoned) break;
      const run = new Run(this.options.program);
      this.run = run;
      // A program that ends well without reading all of its input has done what it wanted.
      await run.write(this.encoder.bytes([message]));
      const end = await run.finish();
      if (run.status === 0) continue;
      failed++;
      why = end;
    }
    this.run = null;
    if (failed > 0) throw new OutputError(this.name, why, messages.length - failed);
    return null;
  }
}
