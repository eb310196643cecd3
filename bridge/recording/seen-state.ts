// A handler's `state_events` that keeps what the handler has seen of the room's state, for the recording.
import type { StateEvents } from "../sdk/objects.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import type { RecordedState } from "./format.js";

export class SeenState implements StateEvents {
  #keys: StateKey[] | "all";
  #events: Map<string, Event>;
  #names: RecordedState["names"];

  /** `known`: what has come with the call. */
  constructor(
    private readonly state: StateEvents,
    known: { keys: readonly StateKey[]; events: readonly Event[] },
  ) {
    this.#keys = [...known.keys];
    this.#events = new Map(known.events.map((event) => [nameOf(event), event]));
  }

  get recorded(): RecordedState {
    const names = this.#names && { names: this.#names };
    return { keys: this.#keys, events: [...this.#events.values()], ...names };
  }

  async get(type: string, state_key: string): Promise<Event | undefined> {
    const event = await this.state.get(type, state_key);
    this.#see([[type, state_key]], event ? [event] : []);
    return event;
  }

  async getMany(keys: readonly StateKey[]): Promise<readonly Event[]> {
    const events = await this.state.getMany(keys);
    this.#see(keys, events);
    return events;
  }

  async all(): Promise<readonly Event[]> {
    const events = await this.state.all();
    this.#see([], events);
    this.#keys = "all";
    return events;
  }

  async keys(): Promise<readonly (readonly [type: string, state_key: string])[]> {
    const names = await this.state.keys();
    this.#names = [...names];
    return names;
  }

  #see(keys: readonly StateKey[], events: readonly Event[]): void {
    if (this.#keys !== "all") this.#keys.push(...keys);
    for (const event of events) this.#events.set(nameOf(event), event);
  }
}

function nameOf({ type, state_key }: Event): string {
  return JSON.stringify([type, state_key ?? ""]);
}
