/** Reads the decisions of the bridge out of Synapse's log as it grows. */
import { type FileHandle, open } from "node:fs/promises";

export interface Decision {
  readonly at: number;
  readonly ms: number;
  readonly callback: string;
  readonly outcome: string;
  readonly reason: string | undefined;
  readonly user: string | undefined;
  readonly line: string;
}

const format = /^(\S+) (\S+),(\d{3}) \w+ synapse_module_bridge\.decision \[.*?\] (.*)$/;

export class Decisions {
  /** How many there were of each outcome. */
  readonly counts = new Map<string, number>();
  /** Those that no module has made. */
  readonly failures: Decision[] = [];
  /** Tracebacks, by where they were logged and what they ended with. */
  readonly tracebacks = new Map<string, number>();
  #file: FileHandle | undefined;
  #position = 0;
  #rest = "";
  #lastLogger = "";
  #inTraceback = false;

  constructor(private readonly path: string) {}

  async read(): Promise<void> {
    this.#file ??= await open(this.path, "r");
    const chunk = Buffer.alloc(1 << 20);
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const lines = (this.#rest + chunk.toString("latin1", 0, bytesRead)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #take(line: string): void {
    this.#takeTraceback(line);
    const [, day, time, ms, text] = format.exec(line) ?? [];
    if (text === undefined) return;
    const fields = new Map(
      [...text.matchAll(/(\w+)=('[^']*'|\S+)/g)].map(([, key, value]) => [key, value] as const),
    );
    const outcome = fields.get("outcome") ?? "";
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
    if (outcome !== "policy" && outcome !== "fault") return;
    this.failures.push({
      at: new Date(`${day}T${time}.${ms}`).getTime(),
      ms: Number(fields.get("ms")),
      callback: fields.get("callback") ?? "",
      outcome,
      reason: fields.get("reason"),
      user: fields.get("user"),
      line,
    });
  }

  #takeTraceback(line: string): void {
    const [logged, logger, text] = /^\d{4}-\S+ \S+ ([A-Z]+ \S+) \[.*?\] (.{0,80})/.exec(line) ?? [];
    if (logged) this.#lastLogger = `${logger} ${text}`;
    if (line.startsWith("Traceback")) {
      this.#inTraceback = true;
    } else if (this.#inTraceback && (logged || /^\S/.test(line))) {
      this.#inTraceback = false;
      const cause = withoutNames(`${this.#lastLogger}: ${line.slice(0, 120)}`);
      this.tracebacks.set(cause, (this.tracebacks.get(cause) ?? 0) + 1);
    }
  }
}

/** Without what differs each time: numbers, and ids in quotes. */
function withoutNames(text: string): string {
  return text.replace(/0x[0-9a-f]+|\d+/g, "N").replace(/'\w{16,}'/g, "'ID'");
}
