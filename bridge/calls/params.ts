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

/** What the parameters of all calls are made from. */
export interface ParamSources {
  catalogue: Catalogue;
  modules: ReadonlyMap<string, RunningModule>;
  /** The state of the room that a call is about. */
  stateOf(call: number): StateSource;
  /** By Request: the handle of its call, for the ModuleApi methods that take a request. */
  handles: WeakMap<object, number>;
}

/** One parameter: a value that all modules share, or how to make one for each. */
interface Given {
  name: string;
  value?: unknown;
  make?: (lifetime: Lifetime) => unknown;
}

interface DeclaredParam {
  name: string;
  type: string;
  /** Each module gets its own copy. */
  mutable: boolean;
}

// Worked out once for each callback.
const declaredBy = new WeakMap<Callback, readonly DeclaredParam[]>();

function declaredParams(callback: Callback, catalogue: Catalogue): readonly DeclaredParam[] {
  let declared = declaredBy.get(callback);
  if (!declared) {
    declared = Object.entries(callback.params).map(([name, type]) => ({
      name,
      type,
      mutable: name !== callback.edits && catalogue.type(type.replace(/\?$/, "")).mutable === true,
    }));
    declaredBy.set(callback, declared);
  }
  return declared;
}

/** Accepts values that do not have their declared type. Throws UnfitParams only for what a shim never sends. */
export function prepareParams(
  callback: Callback,
  call: Pick<Call, "call" | "params" | "modules">,
  cancellation: Cancellation,
  sources: ParamSources,
): PreparedParams {
  sanitizeParams(callback, call.params, sources.catalogue);
  const { params } = call;
  const given: Given[] = [];
  for (const { name, type, mutable } of declaredParams(callback, sources.catalogue)) {
    const value = params[name];
    if (type === "StateEvents") {
      const { events, left_out } = value as { events: Event[]; left_out?: boolean };
      deepFreeze(events);
      const declared = left_out
        ? []
        : call.modules.flatMap((module) => declaredState(sources, module, callback));
      const source = sources.stateOf(call.call);
      given.push({ name, make: (lifetime) => new RoomState(events, declared, source, lifetime) });
    } else if (type === "FileWrapper") {
      const { path } = value as { path: string };
      given.push({ name, make: (lifetime) => new MediaFile(path, lifetime) });
    } else if (type === "HttpRequest") {
      given.push({ name, make: () => requestOf(value as HttpRequest, call.call, cancellation, sources) });
    } else if (mutable) {
      given.push({ name, make: () => copyJson(value) });
    } else {
      // All modules edit the same object, as in Python.
      if (name !== callback.edits) deepFreeze(value);
      given.push({ name, value });
    }
  }
  // Checked before modules edit it, since they might add such a number.
  const edited = callback.edits === undefined ? undefined : holdsRareNumber(params[callback.edits]);
  return {
    isRare: () => edited ?? holdsRareNumber(params),
    forModule: (lifetime) => {
      // Object.fromEntries would leave a hidden class of V8's in each call.
      const forOne: Params = {};
      for (const { name, value, make } of given) forOne[name] = make ? make(lifetime) : value;
      return Object.freeze(forOne);
    },
  };
}

function requestOf(
  parts: HttpRequest,
  call: number,
  cancellation: Cancellation,
  { handles }: ParamSources,
): Request | undefined {
  const request = makeRequest(parts, cancellation.signal);
  if (typeof request === "number") return undefined;
  handles.set(request, call);
  return request;
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

function declaredState({ modules }: ParamSources, module: string, callback: Callback): WantedState {
  return modules.get(module)?.module.callbacks.get(callback.name)?.room_state ?? [];
}
