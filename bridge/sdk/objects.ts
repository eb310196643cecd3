// Types of what a handler gets besides JSON, and of what it may answer about an event or a login.

import type { JsonInputObject, MutableJsonValue } from "./json.js";
import type { Event, StateKey } from "./wire-types.js";

export type { StateKey };

/**
 * The state of the call's room, fetched on demand. A handler may use it until it settles, or until its deadline; later, the
 * methods throw an ApiError of the kind `call_over`.
 *
 * In Synapse: `StateMap[EventBase]`.
 * @example
 * ```ts fragment callbacks
 * async check_event_allowed({ event, state_events }) {
 *   const create = await state_events.get("m.room.create", "");
 *   return create?.sender === event.sender;
 * },
 * ```
 */
export interface StateEvents {
  /** One state event; undefined if the room has none. */
  get(type: string, state_key: string): Promise<Event | undefined>;
  /** The state events for these keys, as far as the room has them. A `state_key` of null stands for all state keys. */
  getMany(keys: readonly StateKey[]): Promise<readonly Event[]>;
  /** The whole state, which may be thousands of events. */
  all(): Promise<readonly Event[]>;
  /** The [type, state_key] of each event of the whole state. */
  keys(): Promise<readonly (readonly [type: string, state_key: string])[]>;
}

/**
 * A media file. A handler may read it until it settles, or until its deadline; later, the methods throw an ApiError of the
 * kind `call_over`.
 *
 * In Synapse: `synapse.media.media_storage.ReadableFileWrapper`.
 * @example
 * ```ts fragment callbacks
 * async check_media_file_for_spam({ file_wrapper }) {
 *   const bytes = await file_wrapper.read();
 *   return bytes[0] === 0x4d && bytes[1] === 0x5a ? Codes.FORBIDDEN : NOT_SPAM;
 * },
 * ```
 */
export interface FileWrapper {
  /** The absolute path of the file. Node runs on Synapse's machine. */
  readonly path: string;
  /** The whole file. */
  read(): Promise<Uint8Array>;
  /** The file piece by piece. */
  stream(): ReadableStream<Uint8Array>;
}

/**
 * A Jinja2 template that Synapse has loaded.
 *
 * In Synapse: `jinja2.Template`.
 * @example
 * ```ts fragment handler
 * const [template] = await api.read_templates({ filenames: ["welcome.html"] });
 * const html = await template?.render({ name: "Alice" });
 * ```
 */
export interface Template {
  /** The name of the file. */
  readonly filename: string;
  /** Renders the template in Synapse. In files whose names end with `.html`, values are escaped as HTML. */
  render(variables: JsonInputObject): Promise<string>;
}

interface HonouredFields {
  readonly content: JsonInputObject;
  readonly sender: string;
  readonly unsigned: JsonInputObject;
  readonly redacts: string;
  /** Milliseconds since the epoch; null leaves it as it was. */
  readonly origin_server_ts: number | null;
}

/**
 * What replaces an event: one or more of the fields that Synapse honours. The other fields stay as they are.
 * @example
 * ```ts fragment callbacks
 * check_event_allowed: {
 *   match: { type: ["m.room.message"] },
 *   handler: ({ event }) => ({ content: { ...event.content, "org.example.checked": true } }),
 * },
 * ```
 */
export type EventReplacement = {
  [Field in keyof HonouredFields]: Pick<HonouredFields, Field> & Partial<HonouredFields>;
}[keyof HonouredFields];

/**
 * The body of a createRoom request, with the fields that Matrix defines. Other names have a dot, so that a misspelt one of these
 * is an error. Of a client's request the values may be anything, as far as Synapse has let them pass.
 *
 * In Matrix: `POST /_matrix/client/v3/createRoom`.
 * @example
 * ```ts fragment callbacks
 * on_create_room({ request_content }) {
 *   request_content.preset = "private_chat";
 *   request_content["org.example.template"] = "team";
 * },
 * ```
 */
export interface CreateRoomBody<Value = MutableJsonValue> {
  /** `public` or `private`: whether the room is in the public room directory. */
  visibility?: Value | undefined;
  /** The localpart of an alias for the room. */
  room_alias_name?: Value | undefined;
  name?: Value | undefined;
  topic?: Value | undefined;
  /** The ids of users to invite. */
  invite?: Value | undefined;
  /** Third-party identifiers to invite. */
  invite_3pid?: Value | undefined;
  room_version?: Value | undefined;
  /** More fields for the content of `m.room.create`. */
  creation_content?: Value | undefined;
  /** State events, each with `type`, `state_key` and `content`. */
  initial_state?: Value | undefined;
  /** `private_chat`, `trusted_private_chat` or `public_chat`. */
  preset?: Value | undefined;
  /** Whether the invites say that this is a direct chat. */
  is_direct?: Value | undefined;
  /** Fields that replace those of the content of `m.room.power_levels`. */
  power_level_content_override?: Value | undefined;
  [field: `${string}.${string}`]: Value | undefined;
}

/**
 * What the client gets for its login. A module may add, change and delete fields.
 *
 * In Synapse: `synapse.rest.client.login.LoginResponse`.
 * @example
 * ```ts fragment value
 * function addHint(response: LoginResponse): void {
 *   response["org.example.hint"] = "Welcome";
 * }
 * ```
 */
export interface LoginResponse {
  user_id?: string;
  access_token?: string;
  device_id?: string;
  home_server?: string;
  /** When the access token expires, in milliseconds from now. */
  expires_in_ms?: number;
  refresh_token?: string;
  [field: string]: MutableJsonValue | undefined;
}

/**
 * Runs after a login, and may edit its response. If it throws, the login fails, although its access token exists.
 * @example
 * ```ts fragment callbacks
 * check_3pid_auth({ medium, address }, { api }) {
 *   if (medium !== "email" || address !== "alice@example.org") return null;
 *   const greet: AfterLogin = (login_response) => {
 *     login_response["org.example.hint"] = "Welcome";
 *   };
 *   return [api.get_qualified_user_id({ username: "alice" }), greet];
 * },
 * ```
 */
export type AfterLogin = (login_response: LoginResponse) => void | Promise<void>;

/**
 * Runs after one iteration of a background update. The next iteration waits for it.
 * @example
 * ```ts fragment callbacks
 * on_update: ({ update_name }, { log }) => [50, () => log.debug({ update_name }, "an iteration is done")],
 * ```
 */
export type AfterUpdate = () => void | Promise<void>;
