// The main thread's JSON-RPC connection to one of the host's threads: sends requests on behalf of modules, and passes the thread's
// own requests and notifications on.

import type { MessagePort } from "node:worker_threads";
import {
  type CancellationToken,
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import type { HostNotifications, HostRequests, ShimRequests } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";
import { type CallError, cancelled } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import { connectionLog } from "../transport/connection-log.js";
import type { HostPeer } from "../transport/peer.js";
import { PortReader, PortWriter } from "../transport/port.js";

/** Passes a thread's requests and notifications on to the shim. */
export interface Relay {
  request<Method extends keyof HostRequests & string>(
    method: Method,
    params: HostRequests[Method]["params"],
    token: CancellationToken,
  ): Promise<HostRequests[Method]["result"]>;
  notify<Method extends keyof HostNotifications>(method: Method, params: HostNotifications[Method]): void;
}

interface PendingRequest {
  readonly module: string;
  fail(error: CallError): void;
}

export class ThreadConnection {
  readonly peer: HostPeer;
  /** It takes no more requests: the thread is ending, or has ended. */
  isClosed = false;
  /** How many requests were sent, without `set_up`. */
  served = 0;
  #connection: MessageConnection;
  #pending = new Set<PendingRequest>();

  constructor(
    private readonly port: MessagePort,
    log: Logger,
    relay: Relay,
  ) {
    this.#connection = createMessageConnection(
      new PortReader(port),
      new PortWriter(port),
      connectionLog(log),
    );
    this.peer = this.#connection;
    // A thread sends the same requests and notifications as a host.
    this.#connection.onRequest((method: string, params: unknown, token: CancellationToken) =>
      relay.request(method as keyof HostRequests & string, params as never, token),
    );
    this.#connection.onNotification((method: string, params: unknown) =>
      relay.notify(method as keyof HostNotifications, params as never),
    );
    this.#connection.onClose(() => {
      this.isClosed = true;
    });
    this.#connection.listen();
  }

  /** The modules with unanswered requests. */
  get running(): Set<string> {
    return new Set([...this.#pending].map(({ module }) => module));
  }

  /** Sends a request on behalf of a module. Rejects at once when the call is cancelled. */
  ask<Method extends keyof ShimRequests & string>(
    method: Method,
    params: ShimRequests[Method]["params"],
    module: string,
    cancellation: Cancellation,
  ): Promise<ShimRequests[Method]["result"]> {
    const { signal } = cancellation;
    const source = new CancellationTokenSource();
    if (method !== "set_up") this.served++;
    return new Promise((resolve, reject) => {
      const request = { module, fail: reject };
      const abort = () => {
        reject(cancelled());
        if (!this.isClosed) source.cancel();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#pending.add(request);
      this.peer
        .sendRequest(method, params, source.token)
        .then(resolve, reject)
        .finally(() => {
          // Removed only now: a cancelled request may still be what the thread works on.
          this.#pending.delete(request);
          signal.removeEventListener("abort", abort);
          source.dispose();
        });
      if (signal.aborted) abort();
    });
  }

  /** Closes the thread's end, too: the thread finishes its work and exits. */
  close(): void {
    this.port.close();
  }

  /** Fails all unanswered requests, since the thread has ended. `toError` makes the error for a module. */
  fail(toError: (module: string) => CallError): void {
    this.isClosed = true;
    for (const { module, fail } of this.#pending) fail(toError(module));
    this.#connection.dispose();
    this.port.close();
  }
}
