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

/** What the getters of a context give their values from. */
interface Source {
  running: RunningModule;
  cancellation: Cancellation;
  request: string | null;
  log?: Logger;
}

const SOURCE = Symbol("source");
type Context = { [SOURCE]: Source };

// Getters, since most handlers use neither. All contexts share them: V8 would make a hidden class for each object with getters
// of its own, and keep it until it collects the whole heap.
const SIGNAL: PropertyDescriptor & ThisType<Context> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[SOURCE].cancellation.signal;
  },
};
const LOG: PropertyDescriptor & ThisType<Context> = {
  enumerable: true,
  configurable: true,
  get() {
    const source = this[SOURCE];
    source.log ??= source.running.log.child({ request: source.request });
    return source.log;
  },
};

export function makeContext(
  running: RunningModule,
  data: unknown,
  cancellation: Cancellation,
  request: string | null,
  /** What `reason` calls; a web request has no decision that it could be about. */
  reason: (text: unknown, details?: unknown) => void = () => {},
): object {
  const context = { config: running.module.config, data, api: running.api, reason };
  Object.defineProperty(context, SOURCE, { value: { running, cancellation, request } });
  Object.defineProperty(context, "signal", SIGNAL);
  return Object.defineProperty(context, "log", LOG);
}
