// Makes records of what modules print by `console` and `process.stdout`, with the module and the request where they are
// known. What is written to the descriptors themselves, and by processes of a module's own, goes to standard error.
import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { isMainThread } from "node:worker_threads";
import type { CurrentModule } from "./current-module.js";
import type { Records } from "./records.js";

// A line without end is broken up: it must not be held for ever.
const LONGEST = 1024 * 1024;

/** `whoPrints` is asked at each write. Gives the function that records what has no line end yet. */
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

/** Node calls a thread's own stream by symbols of its own, and takes the one that is there now for it (since Node 22). */
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

  /** Ends the line. */
  endLine(): void {
    if (this.#line !== "") this.#record();
    this.#line = "";
  }

  /** As standard output, it stays open. */
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
