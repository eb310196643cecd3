// Completes the parameters for the command `call` with what only the bridge knows, so that an event copied from a client
// works.

import { isObject } from "../base/is-object.js";
import type { Callback } from "../catalogue/catalogue.js";

type Params = Record<string, unknown>;

// Synapse's default for new rooms.
const ROOM_VERSION = "10";

export function completeParams(callback: Callback, params: Params, serverName: string): Params {
  const completed = { ...params };
  const named = (type: string) =>
    Object.keys(callback.params).filter((name) => callback.params[name] === type);
  // Without `state_events`, the room has no state.
  for (const name of named("StateEvents")) completed[name] ??= { events: [] };
  const states = named("StateEvents").flatMap((name) => eventsOf(completed[name]));
  const create = states.find((event) => isObject(event) && event.type === "m.room.create");
  const version = isObject(create) && isObject(create.content) ? create.content.room_version : undefined;
  const room_version = typeof version === "string" ? version : ROOM_VERSION;
  const withOwn = (event: unknown, number: number) => {
    if (!isObject(event)) return event;
    const { internal_metadata } = event;
    const known = { event_id: `$event-${number}`, room_id: `!room:${serverName}`, room_version, ...event };
    if (internal_metadata !== undefined && !isObject(internal_metadata)) return known;
    return { ...known, internal_metadata: { outlier: false, ...internal_metadata } };
  };
  for (const name of named("Event")) completed[name] = withOwn(completed[name], 0);
  for (const name of named("StateEvents")) {
    const state = completed[name];
    const events = eventsOf(state).map((event, index) => withOwn(event, index + 1));
    if (isObject(state) && Array.isArray(state.events)) completed[name] = { ...state, events };
  }
  return completed;
}

function eventsOf(state: unknown): unknown[] {
  return isObject(state) && Array.isArray(state.events) ? state.events : [];
}
