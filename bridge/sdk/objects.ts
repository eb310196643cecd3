// What a handler gets that is more than JSON, and what it may answer about an event: types only.

import type { JsonObject, MutableJsonValue } from "./json.js";
import type { Event, StateKey } from "./wire-types.js";

export type { StateKey };

/** The state of the event's room, fetched on demand; usable until the handler settles or its deadline. */
export interface StateEvents {
  /** One state event, or undefined if the room has none. */
  get(type: string, state_key: string): Promise<Event | undefined>;
  /** Those of the asked state events that the room has. */
  getMany(keys: readonly StateKey[]): Promise<readonly Event[]>;
  /** The whole state: it may be thousands of events. */
  all(): Promise<readonly Event[]>;
  /** [type, state_key] of the whole state. */
  keys(): Promise<readonly (readonly [type: string, state_key: string])[]>;
}

/** A media file, readable while its callback runs. */
export interface FileWrapper {
  /** Absolute, on Synapse's machine, which is also ours. */
  readonly path: string;
  read(): Promise<Uint8Array>;
  stream(): ReadableStream<Uint8Array>;
}

/** A Jinja2 template that Synapse has loaded. */
export interface Template {
  readonly filename: string;
  /** Synapse renders it; values are escaped as HTML in files whose names end in .html. */
  render(variables: JsonObject): Promise<string>;
}

interface HonouredFields {
  readonly content: JsonObject;
  readonly sender: string;
  readonly unsigned: JsonObject;
  readonly redacts: string;
  /** null leaves it as it was. */
  readonly origin_server_ts: number | null;
}

/** At least one of the fields of an event that Synapse honours; the rest is filled in from the event. */
export type EventReplacement = {
  [Field in keyof HonouredFields]: Pick<HonouredFields, Field> & Partial<HonouredFields>;
}[keyof HonouredFields];

/** What the client will get for its login: fields may be added, changed or deleted. */
export interface LoginResponse {
  user_id?: string;
  access_token?: string;
  device_id?: string;
  home_server?: string;
  expires_in_ms?: number;
  refresh_token?: string;
  [field: string]: MutableJsonValue | undefined;
}

/** Runs once the login has succeeded. If it throws, the login fails, though its access token exists. */
export type AfterLogin = (login_response: LoginResponse) => void | Promise<void>;

/** Runs after one iteration of a background update: what it waits for, the next iteration waits for. */
export type AfterUpdate = () => void | Promise<void>;
