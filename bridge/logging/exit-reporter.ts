// Reports why this process ends, and which module ends it: an exit code alone does not say so. It also notices when a
// module calls process.exit, process.abort or process.kill.
import { constants } from "node:os";
import { CAUSES } from "../catalogue/protocol.js";
import { culpritHere, culpritOf, framesOf, MOST_FRAMES, type Owner } from "./culprit.js";
import { type CurrentModule, currentModule } from "./current-module.js";
import type { Logger } from "./log.js";
import type { Records } from "./records.js";

const SIGNALS = Object.keys(constants.signals) as NodeJS.Signals[];
const HARMLESS = new Set<string>(["SIGCHLD", "SIGCONT", "SIGPIPE", "SIGURG", "SIGWINCH"]);

export interface ExitReporterOptions {
  log: Logger;
  records: Records;
  /** Records what modules have printed without a line end so far. */
  flushOutput(): void;
  modules(): Iterable<Owner>;
  /** The module that is being loaded, if any. */
  loading(): string | undefined;
  /** What the log may show of an error. `module` threw it; undefined if that is unknown. */
  redacted(error: unknown, module: string | undefined): unknown;
}

export class ExitReporter {
  readonly exit = process.exit.bind(process);
  readonly #kill = process.kill.bind(process);

  constructor(private readonly options: ExitReporterOptions) {}

  /** Ends the process because of an uncaught error. */
  exitForError(error: unknown, cause: string): never {
    const frames = error instanceof Error ? framesOf(error) : [];
    const module = culpritOf(frames, this.options.modules()) ?? this.options.loading();
    this.#report(cause, module, 1, this.options.redacted(error, module));
    return this.exit(1);
  }

  /** Ends the process by SIGKILL, where something keeps it from exiting. */
  kill(cause: string, module: string | null): void {
    this.#report(cause, module ?? undefined, -constants.signals.SIGKILL);
    this.killAll();
  }

  /** Kills the process and the child processes that modules have started: native code may be waiting for one of them. */
  killAll(): void {
    try {
      // The shim has started it as the leader of a process group.
      this.#kill(-process.pid, "SIGKILL");
    } catch {
      this.#kill(process.pid, "SIGKILL");
    }
  }

  /** The module whose code runs. After an await, the stack tells. */
  currentModule(): CurrentModule | undefined {
    const running = currentModule();
    if (running) return running;
    const module = culpritHere(this.options.modules()) ?? this.options.loading();
    return module === undefined ? undefined : { module, request: null };
  }

  /** From now on, reports a module that ends the process itself. */
  watch(): void {
    process.exit = (code?: number | string | null): never => {
      const status = Number(code ?? process.exitCode ?? 0);
      this.#reportExit(`${CAUSES.exit}(${status})`, status & 0xff);
      return this.exit(code);
    };
    const abort = process.abort.bind(process);
    process.abort = (): never => {
      this.#reportExit(`${CAUSES.abort}()`, -constants.signals.SIGABRT);
      return abort();
    };
    const kill = process.kill.bind(process);
    process.kill = (pid: number, signal?: string | number): true => {
      const number =
        typeof signal === "number" ? signal : constants.signals[(signal ?? "SIGTERM") as "SIGTERM"];
      const name = SIGNALS.find((one) => constants.signals[one] === number);
      if (pid === process.pid && name !== undefined && endsProcess(name))
        this.#reportExit(`${CAUSES.signal} ${name}`, -number);
      return kill(pid, signal);
    };
  }

  #reportExit(cause: string, code: number): void {
    this.#report(cause, this.currentModule()?.module, code, { stack: framesHere().join("\n") });
  }

  #report(cause: string, module: string | undefined, code: number, err?: unknown): void {
    const { log, records, flushOutput } = this.options;
    flushOutput();
    (module === undefined ? log : log.child({ module })).fatal({ err }, cause);
    records.ends(cause, module ?? null, code);
    records.flush();
  }
}

/** Whether a signal ends the process: it is not harmless, and has no listener. */
function endsProcess(signal: NodeJS.Signals): boolean {
  return !HARMLESS.has(signal) && process.listenerCount(signal) === 0;
}

/** The frames of the current stack, without this function. */
function framesHere(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = MOST_FRAMES;
  const here = new Error("here");
  Error.stackTraceLimit = stackTraceLimit;
  return framesOf(here).slice(1);
}
