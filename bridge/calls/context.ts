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
): object {
  let log: Logger | undefined;
  return {
    config: running.module.config,
    data,
    api: running.api,
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
