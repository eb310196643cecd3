// The types of what a module declares for a callback, and of what its handlers get.
import type { Logger } from "pino";
import type { CallbackParams, CallbackResults } from "./callbacks.js";
import type { NoConfig } from "./config-types.js";
import type { ApiOf, Grants } from "./grant-types.js";
import type { JsonInputObject } from "./json.js";
import type { Match } from "./match-types.js";
import type { StateEvents } from "./objects.js";
import type { StateKey } from "./wire-types.js";

/**
 * What `setup` gets.
 * @example
 * ```ts fragment module
 * async setup({ api, log, signal }) {
 *   const response = await fetch("https://lists.example.org/blocked.json", { signal });
 *   log.info({ server: api.server_name, status: response.status }, "the list is loaded");
 *   return { blocked: new Set((await response.json()) as string[]) };
 * },
 * ```
 */
export interface SetupContext<Config, Declared extends Grants = undefined> {
  /** The module's config from homeserver.yaml, checked by the `configSchema`, with its defaults filled in. */
  readonly config: Config;
  /** Synapse's ModuleApi. */
  readonly api: ApiOf<Declared>;
  /** Aborts at the deadline of the call, and of a web request also when the client has gone. For `setup`: after 30 s. */
  readonly signal: AbortSignal;
  /** A pino logger. Its lines appear in Synapse's log, with the module's name and the id of Synapse's request. */
  readonly log: Logger;
}

/**
 * What a handler gets as its second argument.
 * @example
 * ```ts fragment callbacks
 * async user_may_create_room({ user_id }, { api, log }) {
 *   if (await api.is_user_admin({ user_id })) return NOT_SPAM;
 *   log.info({ user_id }, "only admins may create rooms");
 *   return Codes.FORBIDDEN;
 * },
 * ```
 */
export interface Context<Config, Data, Declared extends Grants = undefined>
  extends SetupContext<Config, Declared> {
  /** What `setup` returned. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a setup that returns nothing has the type void
  readonly data: [Data] extends [void] ? undefined : Data;
  /**
   * Gives the reason for the answer, for the admin's records: Synapse's log has it beside the decision, and no client sees it.
   * `text` is shortened to 200 characters. `details` are left out if their JSON has more than 1,024 characters. Of several calls,
   * the last one counts. A web request has no answer that would be recorded: there it does nothing.
   */
  readonly reason: (text: string, details?: JsonInputObject) => void;
}

/**
 * What `close` gets.
 * @example
 * ```ts fragment module
 * setup: () => ({ timer: setInterval(() => {}, 60_000) }),
 * close({ data }) {
 *   clearInterval(data.timer);
 * },
 * ```
 */
export interface CloseContext<Data> {
  /** What `setup` returned. */
  readonly data: Context<NoConfig, Data>["data"];
  /** A pino logger, as `setup` had. */
  readonly log: Logger;
}

/**
 * The name of a callback.
 * @example
 * ```ts fragment value
 * const callbackName: CallbackName = "user_may_invite";
 * ```
 */
export type CallbackName = keyof CallbackParams;

/**
 * A function that answers a callback. It may be async, and has until the deadline: by default 5 s for local calls and 2 s
 * for federated ones. A SynapseError that it throws reaches the client; any other error is a fault.
 * @example
 * ```ts fragment value
 * const handler: Handler<"user_may_invite", NoConfig, undefined> = ({ invitee }) =>
 *   invitee.endsWith(":example.org") ? NOT_SPAM : Codes.FORBIDDEN;
 * ```
 */
export type Handler<Name extends CallbackName, Config, Data, Declared extends Grants = undefined> = (
  params: CallbackParams[Name],
  context: Context<Config, Data, Declared>,
) => CallbackResults[Name] | Promise<CallbackResults[Name]>;

/**
 * A duration as Synapse writes it: milliseconds, or a number with `s`, `m`, `h`, `d`, `w` or `y`.
 * @example
 * ```ts fragment value
 * const ttl: Ttl = "10m";
 * ```
 */
export type Ttl = number | `${number}` | `${number}${"s" | "m" | "h" | "d" | "w" | "y"}`;

/**
 * A `ttl`, or a function that gets the config and returns one. What the function returns is checked at start.
 * @example
 * ```ts fragment module
 * configSchema: { type: "object", properties: { keep: { type: "string", default: "10m" } } },
 * callbacks: {
 *   is_user_expired: { ttl: (config) => config.keep, handler: () => null },
 * },
 * ```
 */
export type TtlOf<Config> = Ttl | ((config: Config) => string | number);

/** When to ask a handler. */
interface Asked<Name extends CallbackName, Config> {
  /**
   * Which calls the handler is asked about; a function gets the config. Synapse's process decides it, so that other calls
   * cost nothing. About them, the module has no objection.
   */
  readonly match?: Match<CallbackParams[Name]> | ((config: Config) => Match<CallbackParams[Name]>);
}

/**
 * A handler, and which calls it is asked about.
 * @example
 * ```ts fragment callbacks
 * check_login_for_spam: {
 *   match: { user_id: ["@test-*"] },
 *   handler: () => Codes.FORBIDDEN,
 * },
 * ```
 */
export interface Entry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends Asked<Name, Config> {
  /** Answers the callback. */
  readonly handler: Handler<Name, Config, Data, Declared>;
}

/**
 * The entry of a callback whose answers may be cached.
 * @example
 * ```ts fragment callbacks
 * is_user_expired: {
 *   ttl: "1m",
 *   handler: async ({ user_id }, { api }) => (await api.store.get<boolean>({ key: `expired/${user_id}` })) ?? null,
 * },
 * ```
 */
export interface KeptEntry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends Entry<Name, Config, Data, Declared> {
  /**
   * How long an answer is cached; a function gets the config. Meanwhile, equal calls get the same answer, and the handler is
   * not called.
   */
  readonly ttl?: TtlOf<Config>;
}

/**
 * The entry of a callback that gets the room's state.
 * @example
 * ```ts fragment callbacks
 * on_new_event: {
 *   room_state: [["m.room.name", ""]],
 *   async handler({ event, state_events }, { log }) {
 *     const name = await state_events.get("m.room.name", "");
 *     log.info({ type: event.type, room: name?.content.name }, "a new event");
 *   },
 * },
 * ```
 */
export interface StateEntry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends Entry<Name, Config, Data, Declared> {
  /** State events that are sent along with the call, so that getting them takes no time: each [type, state_key]. */
  readonly room_state?: readonly StateKey[];
}

/**
 * The entry of a callback that gets the room's state, and whose answers may be cached.
 * @example
 * ```ts fragment callbacks
 * check_event_allowed: {
 *   match: { type: ["m.room.topic"] },
 *   room_state: [["m.room.power_levels", ""]],
 *   handler: async ({ state_events }) => (await state_events.get("m.room.power_levels", "")) !== undefined,
 * },
 * ```
 */
export interface KeptStateEntry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends StateEntry<Name, Config, Data, Declared> {
  /**
   * How long an answer is cached; a function gets the config. Meanwhile, equal calls get the same answer, and the handler is
   * not called.
   */
  readonly ttl?: TtlOf<Config>;
}

/**
 * Checks logins of one type. Synapse offers clients the login types of all modules, which are fixed at start.
 * @example
 * ```ts fragment callbacks
 * auth_checkers: [
 *   {
 *     login_type: "org.example.token",
 *     fields: ["token"],
 *     handler({ username, login_dict }, { api }) {
 *       return login_dict.token === "a secret" ? api.get_qualified_user_id({ username }) : null;
 *     },
 *   },
 * ],
 * ```
 */
export interface AuthChecker<Config, Data, Declared extends Grants = undefined>
  extends Entry<"auth_checkers", Config, Data, Declared> {
  /** The `type` of the login, such as `m.login.password`. */
  readonly login_type: string;
  /** The fields of the login that the check needs. Synapse refuses a login without one of them. */
  readonly fields: readonly string[];
}

/**
 * The checks of logins, or a function that gets the config and returns them.
 * @example
 * ```ts fragment module
 * configSchema: { type: "object", properties: { types: { type: "array", items: { type: "string" }, default: [] } } },
 * callbacks: {
 *   auth_checkers: (config) =>
 *     config.types.map((login_type) => ({ login_type, fields: ["token"], handler: () => null })),
 * },
 * ```
 */
export type AuthCheckers<Config, Data, Declared extends Grants = undefined> =
  | readonly AuthChecker<Config, Data, Declared>[]
  | ((config: Config) => readonly AuthChecker<Config, Data, Declared>[]);

/**
 * A value for an event's `unsigned`. `{ $event: "content.displayname" }` stands for what the event has at that path.
 * @example
 * ```ts fragment value
 * const fieldTemplate: FieldTemplate = { by: { $event: "sender" }, version: 1 };
 * ```
 */
export type FieldTemplate =
  | { readonly $event: string }
  | string
  | number
  | boolean
  | null
  | readonly FieldTemplate[]
  | FieldTemplates;

interface FieldTemplates {
  // With undefined, since an optional key is undefined, too.
  readonly [field: string]: FieldTemplate | undefined;
  readonly $event?: never;
}

/**
 * Fields that Synapse's process adds to an event's `unsigned` by itself, without a call.
 * @example
 * ```ts fragment callbacks
 * add_field_to_unsigned_callback: {
 *   match: { type: ["m.room.member"] },
 *   fields: { "org.example.name": { $event: "content.displayname" } },
 * },
 * ```
 */
export interface FieldsEntry<Config> extends Asked<"add_field_to_unsigned_callback", Config> {
  /** The fields by name. One whose `$event` path does not exist in the event is left out. */
  readonly fields: FieldTemplates;
  readonly handler?: never;
  readonly ttl?: never;
}

/** Callbacks whose answers are not cached: those with passwords, and those with an answer for each question. */
type NeverKept = "check_3pid_auth" | "on_update" | "on_legacy_renew" | "on_legacy_admin_request";

type EntryOf<Name extends CallbackName, Config, Data, Declared extends Grants> = Name extends NeverKept
  ? Entry<Name, Config, Data, Declared>
  : // biome-ignore lint/suspicious/noConfusingVoidType: callbacks without an answer have this result type
    [CallbackResults[Name]] extends [void]
    ? CallbackParams[Name] extends { readonly state_events: StateEvents }
      ? StateEntry<Name, Config, Data, Declared>
      : Entry<Name, Config, Data, Declared>
    : CallbackParams[Name] extends { readonly state_events: StateEvents }
      ? KeptStateEntry<Name, Config, Data, Declared>
      : KeptEntry<Name, Config, Data, Declared>;

type CallbackOf<
  Name extends CallbackName,
  Config,
  Data,
  Declared extends Grants,
> = Name extends "auth_checkers"
  ? AuthCheckers<Config, Data, Declared>
  :
      | Handler<Name, Config, Data, Declared>
      | EntryOf<Name, Config, Data, Declared>
      | (Name extends "add_field_to_unsigned_callback" ? FieldsEntry<Config> : never);

/**
 * The callbacks that a module implements, by Synapse's names: each a handler, or an object with a handler.
 * @example
 * ```ts fragment value
 * const callbacks: Callbacks<NoConfig, undefined> = {
 *   user_may_create_room: () => NOT_SPAM,
 *   user_may_invite: { match: { local: true }, handler: () => Codes.FORBIDDEN },
 * };
 * ```
 */
export type Callbacks<Config, Data, Declared extends Grants = undefined> = {
  readonly [Name in CallbackName]?: CallbackOf<Name, Config, Data, Declared>;
};
