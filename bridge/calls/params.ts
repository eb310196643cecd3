// What each module gets of a call's parameters: plain values frozen and shared, values that Python lets modules change
// as copies of their own, and live objects in the place of what travels by reference.

import { copyJson, holdsRareNumber } from "../base/exact-json.js";
import { deepFreeze } from "../base/freeze.js";
import { isObject } from "../base/is-object.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { Call, WantedState } from "../catalogue/protocol.js";
import { sanitizeEvent, sanitizeEvents } from "../module-api/sanitize-events.js";
import type { Event } from "../sdk/wire-types.js";
import type { Cancellation } from "../transport/cancellation.js";
import type { RunningModule } from "./context.js";
import type { Lifetime } from "./lifetime.js";
import { MediaFile } from "./media-file.js";
import { type HttpRequest, makeRequest } from "./request.js";
import { RoomState, type StateSource } from "./state.js";

export type Params = Record<string, unknown>;

/** A call's parameters, ready to be lent to one module after the other. */
export interface PreparedParams {
  forModule(lifetime: Lifetime): object;
  /** Whether they hold a number that JSON.stringify loses: an answer may hold it, too, then. */
  isRare(): boolean;
}

interface ParamSources {
  catalogue: Catalogue;
  modules: ReadonlyMap<string, RunningModule>;
  state: StateSource;
  handles: WeakMap<object, number>;
  cancellation: Cancellation;
}

/** What is not of its declared type is judged as well. Throws UnfitParams for what no shim sends. */
export function prepareParams(
  callback: Callback,
  call: Pick<Call, "call" | "params" | "modules">,
  sources: ParamSources,
): PreparedParams {
  sanitizeParams(callback, call.params, sources.catalogue);
  const declared = call.modules.flatMap((name) => declaredState(sources.modules.get(name), callback));
  const makers = Object.entries(callback.params).map(
    ([name, type]): [string, (lifetime: Lifetime) => unknown] => {
      const value = call.params[name];
      if (type === "StateEvents") {
        const { events, left_out } = value as { events: Event[]; left_out?: boolean };
        deepFreeze(events);
        return [name, (lifetime) => new RoomState(events, left_out ? [] : declared, sources.state, lifetime)];
      }
      if (type === "FileWrapper") {
        const { path } = value as { path: string };
        return [name, (lifetime) => new MediaFile(path, lifetime)];
      }
      if (type === "HttpRequest") {
        return [
          name,
          () => {
            const request = makeRequest(value as HttpRequest, sources.cancellation.signal);
            if (typeof request === "number") return undefined;
            sources.handles.set(request, call.call);
            return request;
          },
        ];
      }
      // All modules edit the one object, as they would in Python.
      if (name === callback.edits) return [name, () => value];
      if (sources.catalogue.type(type.replace(/\?$/, "")).mutable) return [name, () => copyJson(value)];
      deepFreeze(value);
      return [name, () => value];
    },
  );
  // What modules edit, they may have put such a number into.
  const edited = callback.edits === undefined ? undefined : holdsRareNumber(call.params[callback.edits]);
  return {
    isRare: () => edited ?? holdsRareNumber(call.params),
    forModule: (lifetime) =>
      Object.freeze(Object.fromEntries(makers.map(([name, make]) => [name, make(lifetime)]))),
  };
}

export class UnfitParams extends Error {}

/**
 * Lets any value through, since users and other servers write them: a question that were refused would be a way past
 * every policy. Only events are brought into shape.
 */
function sanitizeParams(callback: Callback, params: unknown, catalogue: Catalogue): void {
  const fits: (value: unknown) => boolean = catalogue.paramsValidator(callback.params, false);
  if (fits(params)) return;
  if (!isObject(params)) throw new UnfitParams(`${callback.name}: params must be an object`);
  for (const [name, type] of Object.entries(callback.params)) {
    const value = params[name];
    if (type === "Event") sanitizeEvent(value, catalogue);
    else if (type === "StateEvents") {
      if (!isObject(value) || !Array.isArray(value.events) || !value.events.every(isObject))
        throw new UnfitParams(`${callback.name}: params.${name} must hold a list of events`);
      sanitizeEvents(value.events, catalogue);
    } else if (["FileWrapper", "HttpRequest"].includes(type) && !catalogue.validator(type)(value))
      throw new UnfitParams(`${callback.name}: params.${name} must be a ${type}`);
  }
}

/** For who writes a call by hand: one for each parameter that is not as Synapse has it, to be repaired in one go. */
export function findParamProblems(callback: Callback, params: Params, catalogue: Catalogue): string[] {
  return Object.entries(callback.params).flatMap(([name, type]) => {
    const isAbsent = !Object.hasOwn(params, name);
    if (isAbsent && Object.hasOwn(callback.params_since ?? {}, name)) return [];
    if (isAbsent) return [`params must have required property '${name}'`];
    const validate = catalogue.validator(type);
    if (validate(params[name])) return [];
    const [error] = validate.errors ?? [];
    return [`params.${name}${(error?.instancePath ?? "").replaceAll("/", ".")} ${error?.message}`];
  });
}

function declaredState(running: RunningModule | undefined, callback: Callback): WantedState {
  return running?.module.callbacks.get(callback.name)?.room_state ?? [];
}
