// Makes the context, which is the second argument of a handler.

import type { LoadedModule } from "../declarations/module.js";
import type { Logger } from "../logging/log.js";
import type { Cancellation } from "../transport/cancellation.js";
import type { ModuleSetup } from "./setup.js";

/** A loaded module, with its api, log and setup. */
export interface RunningModule {
  module: LoadedModule;
  api: object;
  log: Logger;
  setup: ModuleSetup;
}

export function makeContext(
  running: RunningModule,
  data: unknown,
  cancellation: Cancellation,
  request: string | null,
  /** What `reason` calls; a web request has no decision that it could be about. */
  reason: (text: unknown, details?: unknown) => void = () => {},
): object {
  let log: Logger | undefined;
  return {
    config: running.module.config,
    data,
    api: running.api,
    reason,
    // Getters, since most handlers use neither.
    get signal() {
      return cancellation.signal;
    },
    get log() {
      log ??= running.log.child({ request });
      return log;
    },
  };
}
