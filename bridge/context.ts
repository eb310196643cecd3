// What a handler is given besides its parameters.
import type { Logger } from "./log.js";
import type { LoadedModule } from "./module.js";
import type { ModuleSetup } from "./setup.js";

/** A loaded module with what it needs to be asked. */
export interface RunningModule {
  module: LoadedModule;
  api: object;
  log: Logger;
  setup: ModuleSetup;
}

export function makeContext(
  running: RunningModule,
  data: unknown,
  signal: AbortSignal,
  request: string | null,
): object {
  let log: Logger | undefined;
  return {
    config: running.module.config,
    data,
    api: running.api,
    signal,
    // Most calls log nothing.
    get log() {
      log ??= running.log.child({ request });
      return log;
    },
  };
}
