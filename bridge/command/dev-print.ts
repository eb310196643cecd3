// Prints what happens while `dev` runs: decisions, log lines, reloads and problems, one after the other.
import { styleText } from "node:util";
import { type Decision, decisionOf } from "../testing/synapse/decisions.js";
import type { LogRecord } from "../testing/synapse/records.js";
import { causeOf, type SynapseStartError } from "../testing/synapse/synapse-process.js";

type Style = Parameters<typeof styleText>[0];

const MODULE = "synapse_module_bridge.module.";
// `dev` itself tells of reloads.
const RELOAD = "synapse_module_bridge.reload";
const DEBUGGER = /Debugger (?:listening on|attached)/;
const NOISE = /^For help, see: https:\/\/nodejs\.org/;
const OF_BRIDGE = /^synapse_module_bridge: /;
const CONFIG = /modules\[0\]\.config\b/;
const STYLES: Readonly<Record<string, Style>> = {
  refused: "red",
  replaced: "yellow",
  edited: "yellow",
  fault: "magenta",
  policy: "magenta",
  error: "red",
  allowed: "green",
  WARNING: "yellow",
  ERROR: "red",
  CRITICAL: "red",
};

export class Printer {
  constructor(private readonly write: (text: string) => void) {}

  line(text: string): void {
    this.write(text);
  }

  reloaded(seconds: number): void {
    this.#event("green", `reloaded in ${seconds.toFixed(2)} s: the new version decides`);
  }

  problem(text: string): void {
    this.#event("red", text);
  }

  types(problems: string): void {
    if (problems === "") this.#event("green", "types: no errors");
    else this.#event("yellow", `types:\n  ${problems.replaceAll("\n", "\n  ")}`);
  }

  startFailed({ stderr, message }: SynapseStartError, lacksConfig: boolean): void {
    const cause = causeOf(stderr).replace(OF_BRIDGE, "");
    const hint = lacksConfig && CONFIG.test(cause) ? ". Give the module's config with --config FILE." : "";
    this.#event("red", `${cause || message}${hint}\nSynapse did not start. Save the file to try again.`);
  }

  record(record: LogRecord): void {
    const decision = decisionOf(record);
    if (decision) this.#decision(record, decision);
    else if (record.namespace.startsWith(MODULE))
      this.#log(record, `[${record.namespace.slice(MODULE.length)}] ${record.log}`);
    else if (DEBUGGER.test(record.log)) this.#log(record, record.log);
    else if (record.namespace !== RELOAD && record.level !== "INFO" && record.level !== "DEBUG")
      if (!NOISE.test(record.log)) this.#log(record, record.log);
  }

  #decision({ time }: LogRecord, decision: Decision): void {
    const { outcome, callback, module, answer, reason, details, user, room, event, ms } = decision;
    const what = [module, answer, reason && `(${reason})`, details].filter(Boolean).join(" ");
    const whom = [user, room && `in ${room}`, event].filter(Boolean).join(" ");
    const shown = styled(STYLES[outcome] ?? "cyan", outcome.padEnd(8));
    this.write([clock(time), shown, callback, what, whom, `${ms} ms`].filter(Boolean).join("  "));
  }

  #log({ time, level }: LogRecord, text: string): void {
    this.write(`${clock(time)}  ${styled(STYLES[level] ?? "cyan", level.padEnd(8))}  ${text}`);
  }

  #event(style: Style, text: string): void {
    this.write(`${clock(Date.now() / 1000)}  ${styled(style, text)}`);
  }
}

const styled = (style: Style, text: string) => (process.stdout.isTTY ? styleText(style, text) : text);

const clock = (seconds: number) => new Date(seconds * 1000).toTimeString().slice(0, 8);
