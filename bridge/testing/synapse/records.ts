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
  /** How many are kept no longer. */
  #dropped = 0;

  /** What the file has already is left out. No more than twice `kept` records are kept. */
  constructor(
    private readonly path: string,
    private readonly kept = Number.POSITIVE_INFINITY,
  ) {
    if (existsSync(path)) this.#offset = statSync(path).size;
  }

  /** All records so far. */
  all(): readonly LogRecord[] {
    for (const line of this.#readNew().split("\n")) if (line) this.#all.push(JSON.parse(line));
    // Not at each record: what is left has to be moved.
    if (this.#all.length > this.kept * 2)
      this.#dropped += this.#all.splice(0, this.#all.length - this.kept).length;
    return this.#all;
  }

  /** How many there were so far. */
  count(): number {
    return this.all().length + this.#dropped;
  }

  /** Those that came after the first `count`. */
  after(count: number): readonly LogRecord[] {
    const all = this.all();
    return all.slice(Math.max(0, count - this.#dropped));
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
