// SPDX-License-Identifier: Apache-2.0
// Output to standard output, one line per alert.
import { type Message, type Output, OutputError, systemReason } from "./output.ts";
import { MessageEncoder, ShortWriteError, wholeMessages, writeAll } from "./write.ts";

export class StdoutOutput implements Output {
  readonly name = "stdout";
  private readonly encoder = new MessageEncoder();

  constructor(
    /** Descriptor to write to. */
    private readonly fd = 1,
    /** Last touch to a line before it is written, e.g. colour on a terminal. */
    private readonly paint: ((message: Message) => string) | null = null,
  ) {}

  async send(messages: readonly Message[]): Promise<null> {
    const paint = this.paint;
    const bytes = this.encoder.bytes(paint === null ? messages : messages.map((m) => ({ ...m, line: paint(m) })));
    try {
      await writeAll(this.fd, bytes);
      return null;
    } catch (error) {
      if (!(error instanceof ShortWriteError)) throw error;
      const gone = (error.cause as NodeJS.ErrnoException).code === "EPIPE";
      const reason = gone ? "is closed, nobody reads it any more" : `cannot be written: ${systemReason(error.cause)}`;
      throw new OutputError(this.name, reason, wholeMessages(bytes, error.written), gone);
    }
  }

  async reopen(): Promise<void> {}

  async close(): Promise<void> {}

  abandon(): void {}
}
