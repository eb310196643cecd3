// Cancellation of a call. It makes the AbortSignal only when somebody reads it: most handlers never do, and a signal costs
// more than many handlers.
import type { CancellationToken, Disposable } from "vscode-jsonrpc/node";
import { cancelled } from "./call-error.js";

export class Cancellation {
  #token: CancellationToken;
  #signal: AbortSignal | undefined;

  constructor(token: CancellationToken) {
    this.#token = token;
  }

  /** Whether the shim has cancelled the call: nobody waits for its answer. */
  get requested(): boolean {
    return this.#token.isCancellationRequested;
  }

  get signal(): AbortSignal {
    if (!this.#signal) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      if (this.requested) controller.abort();
      else this.onRequested(() => controller.abort());
    }
    return this.#signal;
  }

  /** Calls `listener` when the call is cancelled, if it is not yet. Returns what ends that. */
  onRequested(listener: () => void): Disposable {
    return this.#token.onCancellationRequested(listener);
  }
}

/** Awaits a handler's result, but no longer than until the call is cancelled. */
export function untilAborted(value: unknown, cancellation: Cancellation): unknown {
  if (typeof value !== "object" || value === null || !("then" in value)) return value;
  return new Promise((resolve, reject) => {
    const listening = cancellation.onRequested(() => reject(cancelled()));
    const settle =
      <T>(how: (outcome: T) => void) =>
      (outcome: T) => {
        listening.dispose();
        how(outcome);
      };
    Promise.resolve(value).then(settle(resolve), settle(reject));
    if (cancellation.requested) reject(cancelled());
  });
}
