// Writes the host's records (its log, what modules print, why it ends) to a pipe that only the host can write to. Each
// record is one line of JSON, whose one key names its kind. No printed text can pose as a record.
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers";
import { LIMITS, type RecordKinds } from "../catalogue/protocol.js";
import { truncateRecord, truncateText } from "./truncate.js";

/** Where the host's records go. */
export interface Records {
  /** Writes a line of pino's. */
  write(line: string): void;
  /** Writes a line that a module has printed. `module` is null if it is not known. */
  printed(text: string, module: string | null, request: string | null): void;
  /** Tells why this process is about to end. `code` is the exit code, or the negative number of a signal. */
  ends(cause: string, module: string | null, code: number): void;
  /** Writes what waits, as far as the shim reads it. */
  flush(): void;
}

// In characters: how much of one module's records may wait until the shim reads it.
const MOST_WAITING = 2 * 1024 * 1024;
const BATCH = 64 * 1024;
const RETRY_MS = 10;
const FLUSH_MS = 500;
// How soon dropped lines are reported, if nothing else is written before.
const TELL_MS = 1_000;
// How a line of pino's begins. The host sets the module before a module can add fields.
const OF_MODULE = /^\{"level":\d+,"time":\d+,"module":"((?:[^"\\]|\\.)*)"/;
const LOG = beginningOf("log");
const DROPPED = beginningOf("dropped");

/** `fd` must be non-blocking. */
export function openRecords(fd: number): PipedRecords {
  return new PipedRecords((bytes) => writeSync(fd, bytes));
}

interface Taken {
  since: number;
  lines: number;
}

interface Waiting {
  module: string;
  line: string;
}

export class PipedRecords implements Records {
  #waiting: Waiting[] = [];
  #sizes = new Map<string, number>();
  #taken = new Map<string, Taken>();
  #dropped = new Map<string, number>();
  #tell: NodeJS.Timeout | undefined;
  #batch: Buffer = Buffer.alloc(0);
  #retry: NodeJS.Timeout | undefined;
  #nobodyReads = false;

  /** `put` returns how many bytes were written, and throws EAGAIN if the pipe is full. */
  constructor(private readonly put: (bytes: Uint8Array) => number) {}

  write(line: string): void {
    const module = OF_MODULE.exec(line)?.[1] ?? "";
    if (this.#takes(module)) this.#add(module, `${LOG}${truncateRecord(line.trimEnd())}}`);
  }

  printed(text: string, module: string | null, request: string | null): void {
    const name = quoted(module);
    if (this.#takes(name)) this.#add(name, lineOf("printed", { module, request, text: truncateText(text) }));
  }

  ends(cause: string, module: string | null, code: number): void {
    // First of all that waits: there may be no time for the rest.
    this.#waiting.unshift({ module: "", line: lineOf("ends", { cause, module, code }) });
    this.#drain();
  }

  /** Passes on a record that a thread has written. */
  pass(line: string): void {
    if (line.startsWith(DROPPED)) {
      const { dropped } = JSON.parse(line) as Pick<RecordKinds, "dropped">;
      this.#drop(quoted(dropped.module), dropped.lines);
      return;
    }
    const module = OF_MODULE.exec(line.slice(LOG.length))?.[1] ?? "";
    if (this.#takes(module)) this.#add(module, line);
  }

  /** Each module has its own limit, so that a flood of one costs the others nothing. `module` is as escaped in JSON. */
  #add(module: string, line: string): void {
    if (this.#nobodyReads) return;
    const size = (this.#sizes.get(module) ?? 0) + line.length;
    if (size > MOST_WAITING) {
      this.#drop(module, 1);
      return;
    }
    this.#sizes.set(module, size);
    this.#waiting.push({ module, line });
    // Written at once: the module's next statement may end the process.
    if (this.#retry === undefined) this.#drain();
  }

  /** Drops what exceeds the rate that the shim accepts: otherwise Synapse would spend time on reading it, only to drop it. */
  #takes(module: string): boolean {
    const now = performance.now();
    let taken = this.#taken.get(module);
    if (taken === undefined || now - taken.since >= LIMITS.log_window_ms) {
      taken = { since: now, lines: 0 };
      this.#taken.set(module, taken);
    }
    taken.lines++;
    if (taken.lines <= LIMITS.log_lines) return true;
    this.#drop(module, 1);
    return false;
  }

  #drop(module: string, lines: number): void {
    this.#dropped.set(module, (this.#dropped.get(module) ?? 0) + lines);
    this.#tell ??= setTimeout(() => {
      this.#tell = undefined;
      if (this.#retry === undefined) this.#drain();
    }, TELL_MS).unref();
  }

  flush(patience = FLUSH_MS): void {
    const until = performance.now() + patience;
    while (!this.#drain() && performance.now() < until) pause();
  }

  /** Writes what the pipe takes. Returns whether nothing is left. */
  #drain(): boolean {
    try {
      while (!this.#nobodyReads) {
        if (this.#batch.length === 0) this.#batch = this.#next();
        if (this.#batch.length === 0) break;
        this.#batch = this.#batch.subarray(this.put(this.#batch));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
        this.#retry ??= setTimeout(() => this.#again(), RETRY_MS).unref();
        return false;
      }
      // Synapse has gone. The host ends when it sees the end of its input.
      this.#nobodyReads = true;
    }
    return true;
  }

  #again(): void {
    this.#retry = undefined;
    this.#drain();
  }

  #next(): Buffer {
    const lines: string[] = [];
    let length = 0;
    let taken = 0;
    for (const { module, line } of this.#waiting) {
      if (length >= BATCH) break;
      taken++;
      length += line.length;
      lines.push(line);
      this.#sizes.set(module, (this.#sizes.get(module) ?? 0) - line.length);
    }
    if (taken > 0) this.#waiting.splice(0, taken);
    for (const [module, count] of this.#dropped) {
      if ((this.#sizes.get(module) ?? 0) > MOST_WAITING / 2) continue;
      this.#dropped.delete(module);
      lines.push(`${DROPPED}{"module":${module === "" ? "null" : `"${module}"`},"lines":${count}}}`);
    }
    return Buffer.from(lines.length === 0 ? "" : `${lines.join("\n")}\n`);
  }
}

function lineOf<Kind extends keyof RecordKinds>(kind: Kind, record: RecordKinds[Kind]): string {
  return JSON.stringify({ [kind]: record });
}

function beginningOf(kind: keyof RecordKinds): string {
  return `{"${kind}":`;
}

function quoted(module: string | null): string {
  return module === null ? "" : JSON.stringify(module).slice(1, -1);
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}
