// SPDX-License-Identifier: Apache-2.0
// Signals of a run: INT and TERM stop, a second one ends at once, USR1 opens outputs anew, HUP reloads.

export interface SignalActions {
  /** First INT or TERM. */
  stop(): void;
  /** USR1. */
  reopen(): void;
  /** HUP; without it HUP keeps its usual effect. */
  reload?: () => void;
}

/** Exit status of a program that ended by a signal, as shells count. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Installs the actions; returns a function that takes them away. */
export function onSignals(actions: SignalActions): () => void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(STATUS[signal as keyof typeof STATUS]);
    stopping = true;
    actions.stop();
  };
  const handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ["SIGINT", stop],
    ["SIGTERM", stop],
    ["SIGUSR1", () => actions.reopen()],
  ];
  const { reload } = actions;
  if (reload !== undefined) handlers.push(["SIGHUP", () => reload()]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  };
}
