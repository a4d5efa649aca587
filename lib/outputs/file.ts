// SPDX-License-Identifier: Apache-2.0
// Output to a file that grows: opened once (keep_alive) or for every delivery.
import { close, open } from "node:fs";
import { type Message, type Output, OutputError, systemReason } from "./output.ts";
import { MessageEncoder, ShortWriteError, wholeMessages, writeAll } from "./write.ts";

export interface FileOutputOptions {
  filename: string;
  /** Keep the file open between deliveries; otherwise it is opened for each, so a moved file is never written on. */
  keepAlive: boolean;
}

export class FileOutput implements Output {
  readonly name = "file";
  private readonly encoder = new MessageEncoder();
  private fd = -1;
  /** The file ends in the middle of a line, because a write fell short. */
  private brokenLine = false;

  constructor(private readonly options: FileOutputOptions) {}

  async send(messages: readonly Message[]): Promise<null> {
    if (this.fd < 0) await this.open();
    const bytes = this.encoder.bytes(messages);
    try {
      if (this.brokenLine) {
        await writeAll(this.fd, Buffer.from("\n"));
        this.brokenLine = false;
      }
      await writeAll(this.fd, bytes);
      return null;
    } catch (error) {
      if (!(error instanceof ShortWriteError)) throw error;
      const whole = wholeMessages(bytes, error.written);
      if (error.written > 0) this.brokenLine = bytes[error.written - 1] !== 10;
      throw this.error(`${this.options.filename} cannot be written: ${systemReason(error.cause)}`, whole);
    } finally {
      if (!this.options.keepAlive) await this.shut();
    }
  }

  async reopen(): Promise<void> {
    await this.shut();
    this.brokenLine = false;
    if (this.options.keepAlive) await this.open();
  }

  async close(): Promise<void> {
    await this.shut();
  }

  abandon(): void {}

  private open(): Promise<void> {
    return new Promise((resolve, reject) => {
      open(this.options.filename, "a", 0o644, (error, fd) => {
        if (error !== null) {
          reject(this.error(`${this.options.filename} cannot be opened: ${systemReason(error)}`));
          return;
        }
        this.fd = fd;
        resolve();
      });
    });
  }

  /** Closes the file; an error there (a late ENOSPC of a network file system) concerns nothing that can be sent again. */
  private shut(): Promise<void> {
    const fd = this.fd;
    this.fd = -1;
    return fd < 0 ? Promise.resolve() : new Promise((resolve) => close(fd, () => resolve()));
  }

  private error(reason: string, delivered = 0): OutputError {
    return new OutputError(this.name, reason, delivered);
  }
}
