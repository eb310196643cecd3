// Cancellation of a call. It makes the AbortSignal only when somebody reads it: most handlers never do, and a signal costs
// more than many handlers.
import type { CancellationToken } from "vscode-jsonrpc/node";
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
      else this.#token.onCancellationRequested(() => controller.abort());
    }
    return this.#signal;
  }
}

/** Awaits a handler's result, but no longer than until the call is cancelled. */
export function untilAborted(value: unknown, cancellation: Cancellation): unknown {
  if (typeof value !== "object" || value === null || !("then" in value)) return value;
  const { signal } = cancellation;
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled());
    signal.addEventListener("abort", abort, { once: true });
    Promise.resolve(value)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  });
}
