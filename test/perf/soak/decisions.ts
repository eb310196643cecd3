/** What Synapse's log tells of the bridge's decisions, and of tracebacks. */
import type { LogLine } from "./log.js";

export interface Decision {
  readonly at: number;
  readonly ms: number;
  readonly callback: string;
  readonly module: string;
  readonly outcome: string;
  readonly reason: string | undefined;
  readonly user: string | undefined;
  readonly line: string;
}

const LOGGER = "synapse_module_bridge.decision";
// No module has made these.
const failed = new Set(["policy", "fault"]);

export class Decisions {
  /** How many there were of each outcome. */
  readonly counts = new Map<string, number>();
  /** Those that no module has made. */
  readonly failures: Decision[] = [];
  /** Tracebacks, by where they were logged and what they ended with. */
  readonly tracebacks = new Map<string, number>();
  #lastLogger = "";
  #inTraceback = false;

  /** `byModule` is told of each decision that a module has made. */
  constructor(private readonly byModule: (decision: Decision) => void = () => undefined) {}

  readonly take = (line: string, parsed: LogLine | undefined): void => {
    this.#takeTraceback(line, parsed);
    if (parsed?.logger !== LOGGER) return;
    const fields = new Map(
      [...parsed.text.matchAll(/(\w+)=('[^']*'|\S+)/g)].map(([, key, value]) => [key, value] as const),
    );
    const outcome = fields.get("outcome") ?? "";
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
    const decision = {
      at: parsed.at,
      ms: Number(fields.get("ms")),
      callback: fields.get("callback") ?? "",
      module: fields.get("module") ?? "",
      outcome,
      reason: fields.get("reason"),
      user: fields.get("user"),
      line,
    };
    if (failed.has(outcome)) this.failures.push(decision);
    else this.byModule(decision);
  };

  #takeTraceback(line: string, parsed: LogLine | undefined): void {
    if (parsed) this.#lastLogger = `${parsed.level} ${parsed.logger} ${parsed.text.slice(0, 80)}`;
    if (line.startsWith("Traceback")) {
      this.#inTraceback = true;
    } else if (this.#inTraceback && (parsed || /^\S/.test(line))) {
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
