// What each module gets of a call's parameters: plain values frozen and shared, values that Python lets modules change
// as copies of their own, and live objects in the place of what travels by reference.
import type { Cancellation } from "./cancellation.js";
import type { Callback, Catalogue } from "./catalogue.js";
import type { RunningModule } from "./context.js";
import { deepFreeze } from "./freeze.js";
import type { Event, StateKey } from "./generated.js";
import type { Lifetime } from "./lifetime.js";
import { MediaFile } from "./media-file.js";
import { type HttpRequest, makeRequest } from "./request.js";
import { RoomState, type StateSource } from "./state.js";

export type Params = Record<string, unknown>;

/** A call's parameters, ready to be lent to one module after the other. */
export interface Lent {
  forModule(lifetime: Lifetime): object;
}

interface Around {
  catalogue: Catalogue;
  modules: ReadonlyMap<string, RunningModule>;
  state: StateSource;
  handles: WeakMap<object, number>;
  cancellation: Cancellation;
}

/** Throws an Error if the parameters are not what the catalogue says. */
export function prepareParams(
  callback: Callback,
  call: { call: number; params: Params; modules: string[] },
  around: Around,
): Lent {
  checkParams(callback, call.params, around.catalogue);
  const declared = call.modules.flatMap((name) => declaredState(around.modules.get(name), callback));
  const makers = Object.entries(callback.params).map(
    ([name, type]): [string, (lifetime: Lifetime) => unknown] => {
      const value = call.params[name];
      if (type === "StateEvents") {
        const events = deepFreeze((value as { events: Event[] }).events);
        return [name, (lifetime) => new RoomState(events, declared, around.state, lifetime)];
      }
      if (type === "FileWrapper") {
        const { path } = value as { path: string };
        return [name, (lifetime) => new MediaFile(path, lifetime)];
      }
      if (type === "HttpRequest") {
        return [
          name,
          () => {
            const request = makeRequest(value as HttpRequest, around.cancellation.signal);
            if (typeof request === "number") return undefined;
            around.handles.set(request, call.call);
            return request;
          },
        ];
      }
      // All modules edit the one object, as they would in Python.
      if (name === callback.edits) return [name, () => value];
      if (around.catalogue.type(type.replace(/\?$/, "")).mutable) return [name, () => structuredClone(value)];
      deepFreeze(value);
      return [name, () => value];
    },
  );
  return {
    forModule: (lifetime) =>
      Object.freeze(Object.fromEntries(makers.map(([name, make]) => [name, make(lifetime)]))),
  };
}

export class UnfitParams extends Error {}

function checkParams(callback: Callback, params: Params, catalogue: Catalogue): void {
  const validate = catalogue.paramsValidator(callback.params, false);
  if (validate(params)) return;
  throw new UnfitParams(`${callback.name}: ${problemsOf(callback, params, catalogue).join("; ")}`);
}

/** One for each parameter that does not fit: who writes a call by hand repairs them in one go. */
function problemsOf(callback: Callback, params: Params, catalogue: Catalogue): string[] {
  return Object.entries(callback.params).flatMap(([name, type]) => {
    if (!Object.hasOwn(params, name)) return [`params must have required property '${name}'`];
    const validate = catalogue.validator(type);
    if (validate(params[name])) return [];
    const [error] = validate.errors ?? [];
    return [`params.${name}${(error?.instancePath ?? "").replaceAll("/", ".")} ${error?.message}`];
  });
}

function declaredState(running: RunningModule | undefined, callback: Callback): StateKey[] {
  return running?.module.callbacks.get(callback.name)?.room_state ?? [];
}
