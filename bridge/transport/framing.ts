// Reads and writes JSON-RPC messages in frames: `Content-Length: N\r\n\r\n` and N bytes of JSON. Frames are limited in size.
// After an invalid frame nothing more is read, since the start of the next one cannot be found.
import type { Readable, Writable } from "node:stream";
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  ErrorCodes,
  Message,
  type MessageReader,
  type MessageWriter,
  type ResponseMessage,
} from "vscode-jsonrpc/node";
import { messageJson } from "../base/exact-json.js";
import { LIMITS } from "../catalogue/protocol.js";

// Larger than any request that Synapse accepts, and small enough to recognise a broken stream.
export const MAX_FRAME = LIMITS.frame_bytes;
const MAX_HEADER = LIMITS.header_bytes;
/** The method that stands for a request whose body is not JSON. */
export const UNREADABLE = "unreadable";
// The stream has taken the message. onError reports a failure to send it.
const HANDED_OVER = Promise.resolve();
const HEADER_END = Buffer.from("\r\n\r\n");

interface ErrorBody {
  code: number;
  message: string;
  data?: unknown;
}

export class FrameReader extends AbstractMessageReader implements MessageReader {
  // What has come in of frames that are not complete yet, and how many bytes that is.
  #chunks: Buffer[] = [];
  #size = 0;
  // The length of the frame whose body comes next; undefined before its header is complete.
  #length: number | undefined;
  #broken = false;
  /** How many requests have come in so far. */
  requests = 0;

  constructor(private readonly input: Readable) {
    super();
  }

  /** Reads until the stream ends. onError reports an invalid frame, after which nothing more is read. */
  listen(callback: DataCallback): Disposable {
    this.input.on("data", (chunk: Buffer) => this.#take(chunk, callback));
    this.input.on("error", (error) => this.fireError(error));
    this.input.on("close", () => this.fireClose());
    return { dispose: () => this.input.destroy() };
  }

  #take(chunk: Buffer, callback: DataCallback): void {
    if (this.#broken) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#length !== undefined && this.#size < this.#length) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#size);
    let at = 0;
    try {
      for (;;) {
        const start: number = this.#length === undefined ? this.#readHeader(bytes, at) : at;
        if (this.#length === undefined || bytes.length - start < this.#length) {
          at = start;
          break;
        }
        at = start + this.#length;
        this.#length = undefined;
        callback(this.#message(bytes.toString("utf8", start, at)));
      }
    } catch (error) {
      this.#broken = true;
      this.fireError(error);
    }
    this.#size = bytes.length - at;
    this.#chunks = this.#size > 0 ? [bytes.subarray(at)] : [];
  }

  #message(body: string): Message {
    const message = parse(body);
    if (typeof message !== "object" || message === null || Array.isArray(message)) {
      throw new Error("the stream holds a frame that is not a JSON-RPC message");
    }
    if (Message.isRequest(message as Message)) this.requests++;
    return message as Message;
  }

  /** Reads the length from the header at `start`. Returns where the body begins, or `start` for a header without an end. */
  #readHeader(bytes: Buffer, start: number): number {
    const end = bytes.indexOf(HEADER_END, start);
    if (end === -1 && bytes.length - start <= MAX_HEADER) return start;
    const header = bytes.toString("latin1", start, end === -1 ? start + MAX_HEADER : end);
    const lengths = header.match(/^content-length: *(\d{1,15})$/gim) ?? [];
    if (end === -1 || end - start > MAX_HEADER || lengths.length !== 1) {
      throw new Error(
        `the stream does not hold a Content-Length header: ${JSON.stringify(header.slice(0, 80))}`,
      );
    }
    const length = Number(lengths[0]?.replace(/\D/g, ""));
    if (length > MAX_FRAME) throw new Error(`a frame of ${length} bytes is over the limit of ${MAX_FRAME}`);
    this.#length = length;
    return end + HEADER_END.length;
  }
}

/** A message that is not JSON (the shim writes NaN as it is) fails alone: as a request, or as the answer to one. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const [, id, kind] = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"(method|result|error)":/.exec(body) ?? [];
    if (kind === undefined) throw error;
    const message = { jsonrpc: "2.0", id: Number(id) };
    if (kind === "method") return { ...message, method: UNREADABLE, params: {} };
    return { ...message, error: { code: ErrorCodes.ParseError, message: "the answer is not JSON" } };
  }
}

export class FrameWriter extends AbstractMessageWriter implements MessageWriter {
  tooLarge: TooLarge = sayTooLarge;

  constructor(private readonly output: Writable) {
    super();
    output.on("error", (error) => this.fireError(error));
    output.on("close", () => this.fireClose());
  }

  write(message: Message): Promise<void> {
    let body: string;
    try {
      body = bodyOf(message, this.tooLarge);
    } catch (error) {
      return Promise.reject(error);
    }
    // Written at once: if the next module blocks, an answer that waited for a batch would be late, or lost.
    this.output.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return HANDED_OVER;
  }

  /** Resolves when everything written so far has left the process, or cannot leave it. */
  async drained(): Promise<void> {
    await new Promise<unknown>((resolve) => this.output.write("", resolve));
  }

  end(): void {
    this.output.end();
  }
}

/** Returns the error to send instead of a response that is too large. `text` describes the problem. */
export type TooLarge = (response: ResponseMessage, text: string) => ErrorBody;

export const sayTooLarge: TooLarge = (_, text) => ({ code: ErrorCodes.InternalError, message: text });

/** Returns the JSON of a message. A response that is too large becomes an error; any other message that is throws an Error. */
export function bodyOf(message: Message, tooLarge: TooLarge): string {
  const body = messageJson(message) ?? "";
  const size = Buffer.byteLength(body);
  if (size <= MAX_FRAME && body !== "") return body;
  const text = `a message of ${size || "too many"} bytes is over the limit of ${MAX_FRAME}`;
  if (!Message.isResponse(message)) throw new Error(text);
  return JSON.stringify({ jsonrpc: "2.0", id: message.id, error: tooLarge(message, text) });
}
