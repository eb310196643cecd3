/** Reads Synapse's log as it grows, and hands each line to whoever takes them. */
import { type FileHandle, open } from "node:fs/promises";

export interface LogLine {
  /** As Date.now() has it. */
  readonly at: number;
  readonly level: string;
  readonly logger: string;
  readonly text: string;
  /** The whole line. */
  readonly line: string;
}

/** `parsed` is undefined for a line that goes on with what an earlier one began. */
export type TakeLine = (line: string, parsed: LogLine | undefined) => void;

const format = /^(\d{4}-\S+) (\S+),(\d{3}) ([A-Z]+) (\S+) \[.*?\] (.*)$/;

export class Log {
  #file: FileHandle | undefined;
  #position = 0;
  #rest = "";

  constructor(
    private readonly path: string,
    private readonly takers: readonly TakeLine[],
  ) {}

  async read(): Promise<void> {
    this.#file ??= await open(this.path, "r");
    const chunk = Buffer.alloc(1 << 20);
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const lines = (this.#rest + chunk.toString("latin1", 0, bytesRead)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#hand(line);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #hand(line: string): void {
    const [, day, time, ms, level = "", logger = "", text = ""] = format.exec(line) ?? [];
    const at = day === undefined ? undefined : new Date(`${day}T${time}.${ms}`).getTime();
    const parsed = at === undefined ? undefined : { at, level, logger, text, line };
    for (const take of this.takers) take(line, parsed);
  }
}
