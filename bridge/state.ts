// The room's state as a handler sees it: answered from the events that came with the call where they cover the
// question, else asked of the shim.
import { deepFreeze } from "./freeze.js";
import type { Event, StateKey } from "./generated.js";
import type { Lifetime } from "./lifetime.js";
import type { StateEvents } from "./objects.js";

export interface StateSource {
  /** The events for these keys; for null, the whole state. */
  get(keys: readonly StateKey[] | null): Promise<Event[]>;
  keys(): Promise<[string, string][]>;
}

export class RoomState implements StateEvents {
  #sent: readonly Event[];
  #declared: readonly StateKey[];
  #source: StateSource;
  #lifetime: Lifetime;

  /** `sent` are all events that the room has for the `declared` keys. */
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
    const here = this.#sent.filter((event) =>
      keys.some((key) => covers(key, [event.type, event.state_key ?? ""])),
    );
    if (missing.length === 0) return here;
    const fetched = await this.#ask(() => this.#source.get(missing));
    const known = new Set(fetched.map((event) => event.event_id));
    return [...here.filter((event) => !known.has(event.event_id)), ...fetched];
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#lifetime.check("state_events");
    const answer = await question();
    this.#lifetime.check("state_events");
    return deepFreeze(answer);
  }
}

function covers(wide: StateKey, narrow: StateKey): boolean {
  return wide[0] === narrow[0] && (wide[1] === null || wide[1] === narrow[1]);
}
