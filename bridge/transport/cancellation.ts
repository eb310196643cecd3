// Whether a call is still waited for, and its AbortSignal: that one is made when somebody asks for it, since it costs more
// than many a handler.
import type { CancellationToken } from "vscode-jsonrpc/node";

export class Cancellation {
  #token: CancellationToken;
  #signal: AbortSignal | undefined;

  constructor(token: CancellationToken) {
    this.#token = token;
  }

  /** Nobody waits for the call's answer any more. */
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
