// Runs a host, in a process or a thread of its own: names the module that ends it, and makes records of what modules print.
import { catalogue } from "../catalogue/catalogue.js";
import { CAUSES } from "../catalogue/protocol.js";
import { Endings } from "../logging/endings.js";
import { createLogger, type Logger } from "../logging/log.js";
import { recordPrints } from "../logging/printed.js";
import type { Records } from "../logging/records.js";
import { redactThrown } from "../transport/redaction.js";
import type { Host } from "./host.js";

export interface Attended {
  host: Host;
  endings: Endings;
  log: Logger;
}

export function attend(records: Records, makeHost: (log: Logger) => Host): Attended {
  const log = createLogger(records);
  let host: Host | undefined;
  const endings = new Endings({
    log,
    records,
    flushPrints: () => flushPrints(),
    modules: () => [...(host?.modules.values() ?? [])].map(({ module }) => module),
    loading: () => host?.loading,
    shown: (error, module) => (mayTellSecrets(host, module) ? redactThrown(error) : error),
  });
  const flushPrints = recordPrints(records, () => endings.whoRuns());
  process.on("uncaughtException", (error, origin) => {
    endings.die(error, origin === "unhandledRejection" ? CAUSES.unhandled : CAUSES.uncaught);
  });
  process.on("exit", () => {
    flushPrints();
    records.flush();
  });
  host = makeHost(log);
  return { host, endings, log };
}

/** Whether this module, or any where it is not known which, is asked with passwords or tokens. */
function mayTellSecrets(host: Host | undefined, culprit: string | undefined): boolean {
  const { callbacks } = catalogue();
  return [...(host?.modules.values() ?? [])].some(
    ({ module }) =>
      (culprit === undefined || module.name === culprit) &&
      [...module.callbacks.keys()].some((name) => callbacks.get(name)?.secret),
  );
}
