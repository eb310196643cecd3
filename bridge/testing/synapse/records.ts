// Reads what the bridge has logged as JSON: its decisions, and all else.
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";

/** One line of the log: the fields that every line has, and those of its own. */
export interface LogRecord {
  /** In seconds since 1970, to the hundredth. */
  readonly time: number;
  readonly level: string;
  /** The logger. */
  readonly namespace: string;
  /** The text. */
  readonly log: string;
  readonly [field: string]: unknown;
}

/** Reads a file to which lines are added. */
export class Records {
  #offset = 0;
  readonly #all: LogRecord[] = [];

  /** What the file has already is left out. */
  constructor(private readonly path: string) {
    if (existsSync(path)) this.#offset = statSync(path).size;
  }

  /** All records so far. */
  all(): readonly LogRecord[] {
    for (const line of this.#readNew().split("\n")) if (line) this.#all.push(JSON.parse(line));
    return this.#all;
  }

  #readNew(): string {
    const size = existsSync(this.path) ? statSync(this.path).size : 0;
    if (size <= this.#offset) return "";
    const file = openSync(this.path, "r");
    try {
      const bytes = Buffer.alloc(size - this.#offset);
      const count = readSync(file, bytes, 0, bytes.length, this.#offset);
      // Only whole lines, so that no character is cut in two.
      const whole = bytes.subarray(0, bytes.lastIndexOf(10, count - 1) + 1);
      this.#offset += whole.length;
      return whole.toString("utf8");
    } finally {
      closeSync(file);
    }
  }
}
