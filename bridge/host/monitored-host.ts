// Makes a host whose exit is reported and whose modules' output is captured, in a process or in a thread.
import { catalogue } from "../catalogue/catalogue.js";
import { CAUSES } from "../catalogue/protocol.js";
import { captureOutput } from "../logging/captured-output.js";
import { ExitReporter } from "../logging/exit-reporter.js";
import { createLogger, type Logger } from "../logging/log.js";
import type { Records } from "../logging/records.js";
import { redactThrown } from "../transport/redaction.js";
import type { Host } from "./host.js";
import { isLackOfWebAssembly, refuseFetchWithoutWebAssembly } from "./without-webassembly.js";

export interface MonitoredHost {
  host: Host;
  exitReporter: ExitReporter;
  log: Logger;
}

export function monitorHost(records: Records, makeHost: (log: Logger) => Host): MonitoredHost {
  refuseFetchWithoutWebAssembly();
  const log = createLogger(records);
  let host: Host | undefined;
  const exitReporter = new ExitReporter({
    log,
    records,
    flushOutput: () => flushOutput(),
    modules: () => [...(host?.modules.byName.values() ?? [])].map(({ module }) => module),
    loading: () => host?.modules.loading,
    redacted: (error, module) => (mayTellSecrets(host, module) ? redactThrown(error) : error),
  });
  const flushOutput = captureOutput(records, () => exitReporter.currentModule());
  process.on("uncaughtException", (error, origin) => {
    const isRejection = origin === "unhandledRejection";
    if (isRejection && isLackOfWebAssembly(error)) return;
    exitReporter.exitForError(error, isRejection ? CAUSES.unhandled : CAUSES.uncaught);
  });
  process.on("exit", () => {
    flushOutput();
    records.flush();
  });
  host = makeHost(log);
  return { host, exitReporter, log };
}

/** Whether the module gets passwords or tokens; if it is unknown which module, whether any does. */
function mayTellSecrets(host: Host | undefined, culprit: string | undefined): boolean {
  const { callbacks } = catalogue();
  return [...(host?.modules.byName.values() ?? [])].some(
    ({ module }) =>
      (culprit === undefined || module.name === culprit) &&
      [...module.callbacks.keys()].some((name) => callbacks.get(name)?.secret),
  );
}
