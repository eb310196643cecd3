// Implements a handler's `state_events`: answers from the events that came with the call, and asks the shim for others.

import { deepFreeze } from "../base/freeze.js";
import type { StateKeyPairs } from "../catalogue/protocol.js";
import { thrownFor, WireError } from "../module-api/api-errors.js";
import type { StateEvents } from "../sdk/objects.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import type { Lifetime } from "./lifetime.js";

export interface StateSource {
  /** Returns the events for these keys; the whole state for null. */
  get(keys: readonly StateKey[] | null): Promise<readonly Event[]>;
  keys(): Promise<StateKeyPairs>;
}

export class RoomState implements StateEvents {
  #sent: readonly Event[];
  #declared: readonly StateKey[];
  #source: StateSource;
  #lifetime: Lifetime;

  /** `sent` has all events that the room has for the `declared` keys. */
  constructor(
    sent: readonly Event[],
    declared: readonly StateKey[],
    source: StateSource,
    lifetime: Lifetime,
  ) {
    this.#sent = sent;
    this.#declared = declared;
    this.#source = source;
    this.#lifetime = lifetime;
  }

  /** What has come with the call, for the recording: the keys of which it has all events, and the events. */
  static known(state: unknown): { keys: readonly StateKey[]; events: readonly Event[] } {
    return state instanceof RoomState
      ? { keys: state.#declared, events: state.#sent }
      : { keys: [], events: [] };
  }

  async get(type: string, state_key: string): Promise<Event | undefined> {
    if (typeof type !== "string" || typeof state_key !== "string") {
      throw new TypeError("state_events.get: type and state_key must be strings");
    }
    return (await this.#find([[type, state_key]]))[0];
  }

  async getMany(keys: readonly StateKey[]): Promise<readonly Event[]> {
    const sound =
      Array.isArray(keys) &&
      keys.every(([type, key]) => typeof type === "string" && (key === null || typeof key === "string"));
    if (!sound) throw new TypeError("state_events.getMany: keys must be a list of [type, state_key]");
    return this.#find(keys);
  }

  async all(): Promise<readonly Event[]> {
    return this.#ask(() => this.#source.get(null));
  }

  async keys(): Promise<readonly (readonly [string, string])[]> {
    return this.#ask(() => this.#source.keys());
  }

  async #find(keys: readonly StateKey[]): Promise<readonly Event[]> {
    this.#lifetime.check("state_events");
    const missing = keys.filter((key) => !this.#declared.some((declared) => covers(declared, key)));
    // A set, since both lists may have thousands of entries.
    const wanted = new Set(keys.map(nameOf));
    const here = this.#sent.filter(
      ({ type, state_key }) =>
        wanted.has(nameOf([type, null])) || wanted.has(nameOf([type, state_key ?? ""])),
    );
    if (missing.length === 0) return here;
    const fetched = await this.#ask(() => this.#source.get(missing));
    const known = new Set(fetched.map((event) => event.event_id));
    return [...here.filter((event) => !known.has(event.event_id)), ...fetched];
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#lifetime.check("state_events");
    const answer = await question().catch((error) => {
      throw error instanceof WireError ? thrownFor("state_events", error, "state_events") : error;
    });
    this.#lifetime.check("state_events");
    return deepFreeze(answer);
  }
}

function nameOf(key: StateKey): string {
  return JSON.stringify(key);
}

function covers(wide: StateKey, narrow: StateKey): boolean {
  return wide[0] === narrow[0] && (wide[1] === null || wide[1] === narrow[1]);
}
