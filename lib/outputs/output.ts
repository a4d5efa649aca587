// SPDX-License-Identifier: Apache-2.0
// The one interface of all outputs, and the error they fail with.

/** What outputs get of an alert. */
export interface Message {
  /** The line that stands for it: text or JSON, without line end; UTF-16. */
  readonly line: string;
  /** Number, see lib/rules/priority.ts. */
  readonly priority: number;
}

/**
 * Somewhere alerts go. An output is called by one lane (lib/outputs/lane.ts) that never has two `send` calls at once.
 * It keeps nothing back: when `send` resolves, the messages are with the receiver. It may be called again after it
 * failed, and then tries again (a program is restarted, a file opened anew).
 */
export interface Output {
  /** Name as in the configuration: stdout, file, program … */
  readonly name: string;
  /**
   * Delivers all messages in order. Rejects with OutputError when that fails;
   * `delivered` of the error says how many certainly went out before the fault. Resolves with null, or with a sentence
   * about a fault that cost none of these messages (a program that had ended was started again).
   */
  send(messages: readonly Message[]): Promise<string | null>;
  /** Lets go of files and opens them again (SIGUSR1, after log rotation). Rejects with OutputError. */
  reopen(): Promise<void>;
  /** Ends the output; what a program still reads gets time to be read. Never rejects, and is called once. */
  close(): Promise<void>;
  /** Gives up at once on whatever is under way: a hanging program is killed. Used when `close` takes too long. */
  abandon(): void;
}

/** An output could not deliver. */
export class OutputError extends Error {
  override name = "OutputError";
  constructor(
    /** Name of the output. */
    readonly output: string,
    /** What happened, in one sentence without the output's name. */
    readonly reason: string,
    /** Messages of the failed call that were delivered nevertheless. */
    readonly delivered = 0,
    /** True when trying again is pointless: the receiver is gone for good (closed stdout). */
    readonly final = false,
  ) {
    super(`output '${output}': ${reason}`);
  }
}

/** One line for a system error: "No space left on device (ENOSPC)" without the name of the call. */
export function systemReason(error: unknown): string {
  if (error instanceof Error) {
    const code = (error as NodeJS.ErrnoException).code;
    const text = error.message.replace(/^[A-Z0-9_]+: /, "").replace(/, \w+( '.*')?$/, "");
    return code === undefined ? text : `${text} (${code})`;
  }
  return String(error);
}
