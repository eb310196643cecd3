// Tracks the call of Synapse in which a module uses the api, through all of the module's awaits. It is needed for callbacks
// with a membership lock: while they are asked, Synapse lets nobody change the room's memberships.
import { AsyncLocalStorage } from "node:async_hooks";

/** One module's part in one call. */
export interface Origin {
  readonly call: number;
  /** How many calls of the api have begun in it and have not ended. */
  pending: number;
  /** Whether the module has answered. Synapse does not wait for what it does afterwards. */
  over: boolean;
}

const storage = new AsyncLocalStorage<Origin>();

export function newOrigin(call: number): Origin {
  return { call, pending: 0, over: false };
}

/** Runs a handler. currentOrigin() returns this origin in everything that the handler starts. */
export function runWithOrigin<T>(origin: Origin, handler: () => T): T {
  return storage.run(origin, handler);
}

/** The current origin; undefined outside of calls, and after the module has answered. */
export function currentOrigin(): Origin | undefined {
  const origin = storage.getStore();
  return origin?.over ? undefined : origin;
}
