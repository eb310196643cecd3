// JSON-RPC messages between two threads of the host, as the JSON that they would be on the wire.
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

// Of a thread's requests that have no answer yet. More wait in its own memory, and not in that of the others.
const MOST_REQUESTS = 1_000;
const HANDED_OVER = Promise.resolve();

export class PortReader extends AbstractMessageReader implements MessageReader {
  /** How many requests have come in so far. */
  requests = 0;
  /** Told of each answer before it is passed on. */
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

/** The end in the main thread. */
export class PortWriter extends AbstractMessageWriter implements MessageWriter {
  constructor(private readonly port: MessagePort) {
    super();
  }

  write(message: Message): Promise<void> {
    // What was read from the wire may hold rare numbers, and has any depth.
    this.port.postMessage(exactJson(message));
    return HANDED_OVER;
  }

  end(): void {}
}

/** The end in a thread. */
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

  /** What was written has left. */
  drained(): Promise<void> {
    return HANDED_OVER;
  }

  end(): void {}
}
