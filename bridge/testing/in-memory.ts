// Two ends of a JSON-RPC connection within this process. What one end writes as JSON, the other one reads.
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  Message,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";
import { bodyOf, sayTooLarge, type TooLarge } from "../transport/framing.js";

const HANDED_OVER = Promise.resolve();

export class MemoryReader extends AbstractMessageReader implements MessageReader {
  /** How many requests have come in so far. */
  requests = 0;
  #callback: DataCallback = () => {};

  listen(callback: DataCallback): Disposable {
    this.#callback = callback;
    return { dispose: () => {} };
  }

  take(body: string): void {
    const message: Message = JSON.parse(body);
    if (Message.isRequest(message)) this.requests++;
    this.#callback(message);
  }

  close(): void {
    this.fireClose();
  }
}

export class MemoryWriter extends AbstractMessageWriter implements MessageWriter {
  tooLarge: TooLarge = sayTooLarge;

  constructor(private readonly to: MemoryReader) {
    super();
  }

  async write(message: Message): Promise<void> {
    this.to.take(bodyOf(message, this.tooLarge));
  }

  drained(): Promise<void> {
    return HANDED_OVER;
  }

  end(): void {}
}
