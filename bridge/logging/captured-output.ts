// Turns what modules print with `console`, `process.stdout` and `process.stderr` into records, with the module and the
// request if they are known. What is written to file descriptors 1 and 2 themselves goes to standard error.
import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { isMainThread } from "node:worker_threads";
import type { CurrentModule } from "./current-module.js";
import type { Records } from "./records.js";

// In characters. A longer line is recorded in parts, so that it does not fill the memory.
const LONGEST = 1024 * 1024;

/** `whoPrints` is called at each write. Returns a function that records what has no line end yet. */
export function captureOutput(records: Records, whoPrints: () => CurrentModule | undefined): () => void {
  const streams = (["stdout", "stderr"] as const).map((name, index) => {
    const stream = new CapturedStream(index + 1, records, whoPrints);
    if (!isMainThread) bindNodeMethods(stream, process[name]);
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
    return stream;
  });
  return () => {
    for (const stream of streams) stream.endLine();
  };
}

/** Since Node 22, Node calls internal symbol methods of a thread's own stream on the stream that is in its place. */
function bindNodeMethods(stream: Writable, own: Writable): void {
  for (
    let kind = Object.getPrototypeOf(own);
    kind !== Writable.prototype;
    kind = Object.getPrototypeOf(kind)
  ) {
    for (const key of Object.getOwnPropertySymbols(kind)) {
      const method = kind[key];
      if (typeof method === "function") Object.defineProperty(stream, key, { value: method.bind(own) });
    }
  }
}

class CapturedStream extends Writable {
  #decoder = new StringDecoder("utf8");
  #line = "";
  #by: CurrentModule | undefined;

  constructor(
    readonly fd: number,
    private readonly records: Records,
    private readonly whoPrints: () => CurrentModule | undefined,
  ) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, done: () => void): void {
    const by = this.whoPrints();
    if (by?.module !== this.#by?.module) this.endLine();
    this.#by = by;
    const [first = "", ...others] = this.#text(chunk, encoding).split("\n");
    this.#line += first;
    for (const next of others) {
      this.#record();
      this.#line = next;
    }
    if (this.#line.length > LONGEST) this.endLine();
    done();
  }

  /** Records the current line, even without a line end. */
  endLine(): void {
    if (this.#line !== "") this.#record();
    this.#line = "";
  }

  /** Like standard output, this stream stays open. */
  override end(...last: unknown[]): this {
    const [chunk, encoding] = last.filter((part) => typeof part !== "function");
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding as BufferEncoding);
    const done = last.find((part) => typeof part === "function");
    if (done) process.nextTick(done as () => void);
    return this;
  }

  override destroy(): this {
    return this;
  }

  #text(chunk: string | Buffer, encoding: BufferEncoding): string {
    if (typeof chunk !== "string") return this.#decoder.write(chunk);
    return encoding.startsWith("utf") ? chunk : Buffer.from(chunk, encoding).toString();
  }

  #record(): void {
    if (this.#line.trim() === "") return;
    this.records.printed(this.#line, this.#by?.module ?? null, this.#by?.request ?? null);
  }
}
