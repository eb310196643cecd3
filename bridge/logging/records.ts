// The host's records: what it logs, what its modules print, how it ends. They go to the shim by a pipe of their own, one
// line of JSON each, whose one key names its kind: no text that comes by another way can pose as a record.

import { writeSync } from "node:fs";
import { setTimeout } from "node:timers";
import { LIMITS, type RecordKinds } from "../catalogue/protocol.js";
import { truncateRecord, truncateText } from "./truncate.js";

/** Where the host's records go. */
export interface Records {
  /** A line of pino's. */
  write(line: string): void;
  /** A line that a module has printed; null where it is not known which. */
  printed(text: string, module: string | null, request: string | null): void;
  /** Why this process is about to end, with this exit code (or the number of a signal, negative). */
  ends(cause: string, module: string | null, code: number): void;
  /** Hands over what waits, as far as somebody takes it. */
  flush(): void;
}

// Of one module's records so much may wait for the shim to read it.
const MOST_WAITING = 2 * 1024 * 1024;
const BATCH = 64 * 1024;
const RETRY_MS = 10;
const FLUSH_MS = 500;
// How many lines were dropped is told that often, while nothing else is written.
const TELL_MS = 1_000;
// pino begins a line so, and the host names the module before anybody adds a field.
const OF_MODULE = /^\{"level":\d+,"time":\d+,"module":"((?:[^"\\]|\\.)*)"/;
const LOG = beginningOf("log");
const DROPPED = beginningOf("dropped");

/** `fd` must not block. */
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

  /** `put` gives how many bytes were taken; it throws EAGAIN where that is none. */
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
    // Before all that waits: there may be no time left for that.
    this.#waiting.unshift({ module: "", line: lineOf("ends", { cause, module, code }) });
    this.#drain();
  }

  /** Takes a record that another has written. */
  pass(line: string): void {
    if (line.startsWith(DROPPED)) {
      const { dropped } = JSON.parse(line) as Pick<RecordKinds, "dropped">;
      this.#drop(quoted(dropped.module), dropped.lines);
      return;
    }
    const module = OF_MODULE.exec(line.slice(LOG.length))?.[1] ?? "";
    if (this.#takes(module)) this.#add(module, line);
  }

  /** One module's flood takes nothing from another. The module's name is as JSON has it. */
  #add(module: string, line: string): void {
    if (this.#nobodyReads) return;
    const size = (this.#sizes.get(module) ?? 0) + line.length;
    if (size > MOST_WAITING) {
      this.#drop(module, 1);
      return;
    }
    this.#sizes.set(module, size);
    this.#waiting.push({ module, line });
    // At once: what the next line of the module does may end the process.
    if (this.#retry === undefined) this.#drain();
  }

  /** The shim would drop what is more, once it has read all of it, for which Synapse would wait. */
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

  /** Whether nothing is left. */
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
      // The parent is gone, and its end of the wire tells the host so.
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
