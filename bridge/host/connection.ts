// The host's end of its JSON-RPC connection: takes requests and notifications, sends its own, and answers what is under way
// before it closes.

import timers from "node:timers/promises";
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  type MessageReader,
  type MessageWriter,
  ResponseError,
} from "vscode-jsonrpc/node";
import { kindOf, tooLargeAsFault, toWire } from "../calls/wire-errors.js";
import type {
  HostNotifications,
  HostRequests,
  ShimNotifications,
  ShimRequests,
} from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";
import { WireError } from "../module-api/api-errors.js";
import type { Relay } from "../threads/thread-connection.js";
import { Cancellation } from "../transport/cancellation.js";
import { connectionLog } from "../transport/connection-log.js";
import { type TooLarge, UNREADABLE } from "../transport/framing.js";
import { batchMessages } from "../transport/message-batching.js";

// As it is at start: a test's fake timers would keep the connection open.
const { setImmediate } = timers;

// More iterations than waiting messages can need. Without a limit, a request with an unknown method would never be counted as
// begun.
const MAX_QUEUE = 10_000;

/** A reader that counts the requests that have come in so far. */
export type Reader = MessageReader & { readonly requests: number };
/** A writer whose `drained` resolves when everything written so far has left, or cannot leave. */
export type Writer = MessageWriter & { drained(): Promise<void>; tooLarge: TooLarge };

export class HostConnection {
  #connection: MessageConnection;
  #begun = 0;
  #underWay = 0;
  #whenIdle: (() => void) | undefined;

  constructor(
    private readonly reader: Reader,
    private readonly writer: Writer,
    private readonly log: Logger,
  ) {
    writer.tooLarge = tooLargeAsFault(log);
    batchMessages();
    this.#connection = createMessageConnection(reader, writer, connectionLog(log), {
      // vscode-jsonrpc would wait with five more promises for what this returned.
      messageStrategy: {
        handleMessage: (message, next) =>
          void Promise.resolve(next(message)).catch((error) =>
            log.error({ err: error }, "a message was not handled"),
          ),
      },
    });
    this.#serve(UNREADABLE, async () => {
      throw new ResponseError(ErrorCodes.InvalidParams, "the parameters are not JSON");
    });
  }

  /** Answers requests with what the handler returns. Whatever it throws becomes an error of the protocol. */
  onRequest<Method extends keyof ShimRequests & string>(
    method: Method,
    handler: (
      params: ShimRequests[Method]["params"],
      cancellation: Cancellation,
    ) => Promise<ShimRequests[Method]["result"]>,
  ): void {
    this.#serve(method, handler);
  }

  onNotification<Method extends keyof ShimNotifications & string>(
    method: Method,
    handler: (params: ShimNotifications[Method]) => void,
  ): void {
    this.#connection.onNotification(method, handler);
  }

  onError(handler: (error: Error) => void): void {
    this.#connection.onError(([error]) => handler(error));
  }

  onClose(handler: (closed?: undefined) => unknown): void {
    this.#connection.onClose(() => handler());
  }

  listen(): void {
    this.#connection.listen();
  }

  /** Sends a request. Rejects with a WireError if the shim answers with an error. */
  async request<Method extends keyof HostRequests & string>(
    method: Method,
    params: HostRequests[Method]["params"],
  ): Promise<HostRequests[Method]["result"]> {
    try {
      return await this.#connection.sendRequest(method, params);
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
      throw new WireError(kindOf(error.code), error.message, (error.data ?? {}) as Record<string, unknown>);
    }
  }

  /** Sends a notification. Does nothing if the connection is closed: nobody is there to be notified. */
  async notify<Method extends keyof HostNotifications>(
    method: Method,
    params: HostNotifications[Method],
  ): Promise<void> {
    try {
      await this.#connection.sendNotification(method, params);
    } catch {
      // The connection is closed.
    }
  }

  /** Passes on the requests and notifications of threads. */
  get relay(): Relay {
    return {
      request: (method, params, token) => this.#connection.sendRequest(method, params, token),
      notify: (method, params) => void this.notify(method, params),
    };
  }

  /** Resolves when everything written so far has left, or cannot leave. */
  drained(): Promise<void> {
    return this.writer.drained();
  }

  /** After the end of the input: resolves when all requests that came before are answered. */
  async finish(): Promise<void> {
    // The connection may begin only one message in each iteration of the event loop.
    for (let waited = 0; waited < MAX_QUEUE && this.#begun < this.reader.requests; waited++)
      await setImmediate();
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    // vscode-jsonrpc hands the answers to the writer after that.
    await setImmediate();
    await this.drained();
  }

  dispose(): void {
    this.#connection.dispose();
  }

  #serve<Params>(
    method: string,
    handler: (params: Params, cancellation: Cancellation) => Promise<object>,
  ): void {
    this.#connection.onRequest(method, async (params: unknown, token: CancellationToken) => {
      this.#begun++;
      this.#underWay++;
      try {
        return await handler(params as Params, new Cancellation(token));
      } catch (error) {
        throw toWire(error, this.log);
      } finally {
        this.#underWay--;
        if (this.#underWay === 0) this.#whenIdle?.();
      }
    });
  }
}
