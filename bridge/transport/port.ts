// Sends JSON-RPC messages between two threads of the host, with the same JSON as on the wire.
import type { MessagePort } from "node:worker_threads";
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  Message,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";
import { exactJson } from "../base/exact-json.js";
import { bodyOf, sayTooLarge, type TooLarge } from "./framing.js";

// How many requests of a thread may be unanswered. Further ones wait in the thread's own memory.
const MOST_REQUESTS = 1_000;
const HANDED_OVER = Promise.resolve();

export class PortReader extends AbstractMessageReader implements MessageReader {
  /** How many requests have come in so far. */
  requests = 0;
  /** Called for each response, before it is passed on. */
  onAnswer = () => {};

  constructor(private readonly port: MessagePort) {
    super();
  }

  listen(callback: DataCallback): Disposable {
    this.port.on("message", (body: string) => {
      const message: Message = JSON.parse(body);
      if (Message.isRequest(message)) this.requests++;
      if (Message.isResponse(message)) this.onAnswer();
      callback(message);
    });
    this.port.on("messageerror", (error) => this.fireError(error));
    this.port.on("close", () => this.fireClose());
    return { dispose: () => this.port.close() };
  }
}

/** The main thread's end. */
export class PortWriter extends AbstractMessageWriter implements MessageWriter {
  constructor(private readonly port: MessagePort) {
    super();
  }

  write(message: Message): Promise<void> {
    // Messages that come from the wire may have rare numbers and any depth.
    this.port.postMessage(exactJson(message));
    return HANDED_OVER;
  }

  end(): void {}
}

/** The thread's end. */
export class ThreadWriter extends AbstractMessageWriter implements MessageWriter {
  tooLarge: TooLarge = sayTooLarge;
  #unanswered = 0;
  #held: string[] = [];

  constructor(
    private readonly port: MessagePort,
    reader: PortReader,
  ) {
    super();
    reader.onAnswer = () => this.#answered();
  }

  async write(message: Message): Promise<void> {
    const body = bodyOf(message, this.tooLarge);
    if (!Message.isRequest(message)) this.port.postMessage(body);
    else if (this.#unanswered >= MOST_REQUESTS) this.#held.push(body);
    else this.#ask(body);
  }

  #ask(body: string): void {
    this.#unanswered++;
    this.port.postMessage(body);
  }

  #answered(): void {
    this.#unanswered--;
    const next = this.#held.shift();
    if (next !== undefined) this.#ask(next);
  }

  /** Resolves at once: a posted message has left. */
  drained(): Promise<void> {
    return HANDED_OVER;
  }

  end(): void {}
}
