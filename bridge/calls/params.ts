// Prepares a call's parameters for its modules. They share frozen values. Each gets its own copy of a value that may be
// changed in Python, and its own object for the room's state, a media file or a request.

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

/** A call's parameters, ready for one module after the other. */
export interface PreparedParams {
  forModule(lifetime: Lifetime): object;
  /** Whether they have a rare number (see exact-json.ts): then an answer may have one too. */
  isRare(): boolean;
}

interface ParamSources {
  catalogue: Catalogue;
  modules: ReadonlyMap<string, RunningModule>;
  state: StateSource;
  handles: WeakMap<object, number>;
  cancellation: Cancellation;
}

/** Accepts values that do not have their declared type. Throws UnfitParams only for what a shim never sends. */
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
      // All modules edit the same object, as in Python.
      if (name === callback.edits) return [name, () => value];
      if (sources.catalogue.type(type.replace(/\?$/, "")).mutable) return [name, () => copyJson(value)];
      deepFreeze(value);
      return [name, () => value];
    },
  );
  // Checked before modules edit it, since they might add such a number.
  const edited = callback.edits === undefined ? undefined : holdsRareNumber(call.params[callback.edits]);
  return {
    isRare: () => edited ?? holdsRareNumber(call.params),
    forModule: (lifetime) =>
      Object.freeze(Object.fromEntries(makers.map(([name, make]) => [name, make(lifetime)]))),
  };
}

/** The request is not one that a shim sends. */
export class UnfitParams extends Error {}

/**
 * Accepts any value, since users and other servers write them: a refused question would be a way around every policy. Only
 * events are sanitized.
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

/** For the command `call`: describes all parameters that do not have their declared type, to be corrected at once. */
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
