// Which call of Synapse a module is in when it uses the api, for calls during which Synapse lets nobody change a room's
// memberships: it follows the module's awaits.
import { AsyncLocalStorage } from "node:async_hooks";

/** One module's part in one call of Synapse. */
export interface Origin {
  readonly call: number;
  /** Calls of the api that were begun in it and have not ended. */
  pending: number;
  /** The module has answered: what it still does, Synapse does not wait for. */
  over: boolean;
}

const storage = new AsyncLocalStorage<Origin>();

export function newOrigin(call: number): Origin {
  return { call, pending: 0, over: false };
}

/** Runs a handler; all that it starts knows where it came from. */
export function runWithOrigin<T>(origin: Origin, handler: () => T): T {
  return storage.run(origin, handler);
}

/** Undefined outside of any call, and after the module's answer. */
export function currentOrigin(): Origin | undefined {
  const origin = storage.getStore();
  return origin?.over ? undefined : origin;
}
