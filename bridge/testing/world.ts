// What a test says about its homeserver: users, rooms with their state, and the time.
import { isObject } from "../base/is-object.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { sanitizeEvent } from "../module-api/sanitize-events.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import { type Clock, timeOf } from "./clock.js";
import { ROOM_VERSION, wholeEvent, writtenFields } from "./event.js";
import { checkRoom, checkUser } from "./given.js";
import type { RoomOption, UserOption } from "./options.js";

export class World {
  readonly users = new Map<string, UserOption>();
  readonly rooms = new Map<string, Room>();

  constructor(
    readonly server_name: string,
    readonly clock: Clock,
    readonly catalogue: Catalogue,
    users: Readonly<Record<string, UserOption>> = {},
    rooms: Readonly<Record<string, RoomOption>> = {},
  ) {
    for (const [user_id, user] of Object.entries(users)) {
      if (!/^@[^:]+:./.test(user_id))
        throw new TypeError(`users: ${user_id} is no user id, such as "@a:${server_name}"`);
      checkUser(user_id, user);
      if (user.created !== undefined) timeOf(user.created, `users: ${user_id}: created`);
      this.users.set(user_id, { ...user });
    }
    for (const [room_id, room] of Object.entries(rooms)) this.rooms.set(room_id, this.room(room_id, room));
  }

  /** A room of its own, such as one that a test gives for one call. */
  room(room_id: string | undefined, option: RoomOption): Room {
    checkRoom(room_id ?? "the room of a call", option);
    const [first] = (option.state ?? []).map((event) => writtenFields(event).room_id);
    const own = typeof first === "string" ? first : `!room:${this.server_name}`;
    return new Room(room_id ?? own, option, this.clock.now(), this.catalogue);
  }

  /** Changes one event of a room's state. Throws a TypeError for a room that there is not. */
  setState(room_id: string, type: string, content: object, state_key: string): void {
    const room = this.rooms.get(room_id);
    if (!room) {
      const known = [...this.rooms.keys()].join(", ") || "none";
      throw new TypeError(`setState: there is no room ${room_id} in \`rooms\` (${known})`);
    }
    // Most memberships are their users' own.
    const sender = type === "m.room.member" ? { sender: state_key } : {};
    room.add({ type, content, state_key, ...sender }, this.clock.now(), this.catalogue);
  }

  isOurs(user_id: string): boolean {
    return user_id.slice(user_id.indexOf(":") + 1) === this.server_name;
  }
}

export class Room {
  readonly room_id: string;
  readonly room_version: string;
  readonly public: boolean;
  readonly aliases: readonly string[];
  #state = new Map<string, Event>();
  #depth = 0;

  constructor(room_id: string, option: RoomOption, now: number, catalogue: Catalogue) {
    const { state = [], public: published = false, aliases = [] } = option;
    const events = state.map((event) => writtenFields(event));
    const create = events.find(({ type }) => type === "m.room.create");
    const content = isObject(create?.content) ? create.content : {};
    const version = option.room_version ?? content.room_version ?? create?.room_version;
    this.room_version = typeof version === "string" ? version : ROOM_VERSION;
    this.room_id = room_id;
    this.public = published;
    this.aliases = aliases;
    for (const event of events) this.add(event, now, catalogue);
  }

  /** Adds to the state what a test has written. A state event without a key is one that it has written by hand. */
  add(event: Record<string, unknown>, now: number, catalogue: Catalogue): void {
    this.put(sanitizeEvent(this.whole({ state_key: "", ...event }, now), catalogue) as unknown as Event);
  }

  /** An event of this room, with what its test has not written. */
  whole(event: Record<string, unknown>, now: number): Record<string, unknown> {
    const { room_id, room_version } = this;
    const { content } = event;
    const own =
      event.type === "m.room.create" && isObject(content) ? { content: { room_version, ...content } } : {};
    return wholeEvent({ ...event, ...own }, { room_id, room_version, now, depth: this.#depth + 1 });
  }

  put(event: Event): void {
    this.#depth = Math.max(this.#depth, Number(event.depth ?? 0));
    this.#state.set(JSON.stringify([event.type, event.state_key]), event);
  }

  get all(): Event[] {
    return [...this.#state.values()];
  }

  /** The events for these keys, each once; all for null. */
  get(keys: readonly StateKey[] | null): Event[] {
    const fits = (event: Event, [type, key]: StateKey) =>
      event.type === type && (key === null || event.state_key === key);
    return this.all.filter((event) => keys === null || keys.some((key) => fits(event, key)));
  }
}
