// defineModule, and the types of what a module declares: all inferred from the one literal that its author writes.
import type { Logger } from "pino";
import type { CallbackParams, CallbackResults } from "./callbacks.js";
import type { Config, ConfigSchema, NoConfig } from "./config-types.js";
import type { ApiOf, Grants } from "./grant-types.js";
import type { JsonInput, JsonInputObject, JsonValue } from "./json.js";
import type { Match } from "./match-types.js";
import type { EventReplacement, StateEvents } from "./objects.js";
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

/**
 * Lets TypeScript infer from the literal which callbacks it has, and what each is: `Name extends never` never holds, and the
 * inference reads that branch all the same. Besides, it refuses answers with something in them that is not JSON.
 */
type Inferred<Own> = {
  readonly [Name in keyof Own & CallbackName]?: Name extends never ? Own[Name] : Fitting<Name, Own[Name]>;
};

/** Callbacks whose answers hold JSON of the module's own. */
type WithJson = {
  [Name in CallbackName]: JsonInputObject extends PartsOf<CallbackResults[Name]> ? Name : never;
}[CallbackName];
type PartsOf<Result> = Result extends readonly unknown[]
  ? Result[number]
  : Result extends EventReplacement
    ? JsonInputObject
    : Result;

type Fitting<Name, Given> = Name extends WithJson
  ? Given extends Answering<infer Answer>
    ? IsJson<Awaited<Answer>>
    : unknown
  : unknown;

type Answering<Answer> = ((...args: never) => Answer) | { readonly handler: (...args: never) => Answer };
type IsJson<Answer> = [NotJsonIn<Answer>] extends [never] ? unknown : NotJson<NotJsonIn<Answer>>;

/**
 * The parts of a type that have no JSON, down to six levels; never if there are none. TypeScript forgets that what a function
 * returns is a literal, so that JsonInput alone would take a Date within it.
 */
type NotJsonIn<Value, Depth extends 0[] = []> = Depth["length"] extends 6
  ? never
  : // The second is of a value of the type any.
    Value extends JsonValue | undefined | (0 extends 1 & Value ? unknown : never)
    ? never
    : Value extends readonly (infer Item)[]
      ? NotJsonIn<Item, [...Depth, 0]>
      : Value extends JsonInputObject
        ? { [Key in keyof Value]-?: NotJsonIn<Value[Key], [...Depth, 0]> }[keyof Value]
        : Value;

/** As Inferred, of the answers of web handlers. */
type InferredWeb<Web> = {
  readonly [Path in keyof Web]: Path extends never
    ? Web[Path]
    : Web[Path] extends Answering<infer Answer>
      ? IsJson<Exclude<Awaited<Answer>, Response>>
      : unknown;
};

/** Stands for an answer that has a part which is not JSON. */
interface NotJson<Part> {
  readonly is_not_json: Part;
}

/**
 * Answers a web request with a WHATWG Response, or with JSON. The request's body has at most 10 MiB, and so has the answer's.
 * @example
 * ```ts fragment value
 * const webHandler: WebHandler<NoConfig, undefined> = async (request, { api }) => {
 *   const { user_id } = await api.get_user_by_req({ req: request });
 *   return { user_id };
 * };
 * ```
 */
export type WebHandler<Config, Data, Declared extends Grants = undefined> = (
  request: Request,
  context: Context<Config, Data, Declared>,
) => Response | JsonInput | Promise<Response | JsonInput>;

/**
 * Web handlers by their path on Synapse's HTTP listeners, such as `/_synapse/client/my_module/stats`.
 * @example
 * ```ts fragment module
 * web_resources: {
 *   "/_synapse/client/hello": (request) => new Response(`Hello from ${new URL(request.url).pathname}`),
 * },
 * ```
 */
export interface WebResources<Config, Data, Declared extends Grants = undefined> {
  readonly [path: string]: WebHandler<Config, Data, Declared>;
}

/**
 * Receives the broadcasts of one topic. `value` has the type that the module sends: declare it with the parameter. What the
 * handler returns does not matter, but that the next broadcast waits for its promise, for up to 5 s; then `signal` aborts.
 * @example
 * ```ts fragment value
 * const forget: BroadcastHandler<NoConfig, Map<string, number>> = (value, { data }) => data.delete(String(value));
 * ```
 */
export type BroadcastHandler<Config, Data, Declared extends Grants = undefined> = {
  // A method, so that an author may declare a narrower type for the value.
  handle(value: JsonValue, context: Context<Config, Data, Declared>): unknown;
}["handle"];

/**
 * Handlers by topic, for what `api.broadcast` sends to this module in every process of Synapse.
 * @example
 * ```ts
 * import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
 *
 * export default defineModule({
 *   grants: ["store", "broadcast"],
 *   async setup({ api }) {
 *     return { closed: (await api.store.get<boolean>({ key: "closed" })) ?? false };
 *   },
 *   broadcasts: {
 *     closed(value, { data }) {
 *       data.closed = value === true;
 *     },
 *   },
 *   callbacks: {
 *     user_may_create_room: (_, { data }) => (data.closed ? Codes.FORBIDDEN : NOT_SPAM),
 *   },
 *   web_resources: {
 *     "/_synapse/client/close": async (request, { api }) => {
 *       const { user_id } = await api.get_user_by_req({ req: request });
 *       if (!(await api.is_user_admin({ user_id }))) return new Response(null, { status: 403 });
 *       await api.store.set({ key: "closed", value: true });
 *       await api.broadcast({ topic: "closed", value: true });
 *       return {};
 *     },
 *   },
 * });
 * ```
 */
export interface Broadcasts<Config, Data, Declared extends Grants = undefined> {
  readonly [topic: string]: BroadcastHandler<Config, Data, Declared>;
}

declare const inferred: unique symbol;

/**
 * What the types of a module's `config`, `data` and `api` follow from.
 * @example
 * ```ts
 * import { type ContextOf, defineHead, defineModule, NOT_SPAM } from "synapse-module-bridge";
 *
 * const head = defineHead({ grants: ["store"], setup: () => ({ seen: new Set<string>() }) });
 *
 * async function remember(user_id: string, { api, data }: ContextOf<typeof head>): Promise<void> {
 *   data.seen.add(user_id);
 *   await api.store.set({ key: `seen/${user_id}`, value: true });
 * }
 *
 * export default defineModule({
 *   ...head,
 *   callbacks: {
 *     async user_may_create_room({ user_id }, context) {
 *       await remember(user_id, context);
 *       return NOT_SPAM;
 *     },
 *   },
 * });
 * ```
 */
export interface Head<Schema, Data, Declared extends Grants = undefined> {
  /** A JSON Schema (draft-07) for the module's `config`. Without it, `config` has no keys. */
  readonly configSchema?: Schema;
  /** The writes of the api that the module needs, by method or group. Another write does not compile. */
  readonly grants?: Declared;
  /**
   * Runs once Synapse is up, and again after each restart of Node and each reload. What it returns is `data`. It has 30 s; if
   * it fails, it is tried again after growing pauses, and policy answers for the module meanwhile.
   */
  readonly setup?: (context: SetupContext<Config<Schema>, Declared>) => Data | Promise<Data>;
  /** Only in types: what is inferred, for ContextOf. */
  readonly [inferred]?: (schema: Schema, data: Data, declared: Declared) => void;
}

/**
 * The context of a module's handlers, by its head or by the module itself: helpers name their parameter with it.
 * @example
 * ```ts fragment value
 * const head = defineHead({ setup: () => ({ asked: 0 }) });
 * function count({ data }: ContextOf<typeof head>): number {
 *   return ++data.asked;
 * }
 * ```
 */
export type ContextOf<Of> = Of extends {
  readonly [inferred]?: (
    schema: infer Schema,
    data: infer Data,
    declared: infer Declared extends Grants,
  ) => void;
}
  ? Context<Config<Schema>, Data, Declared>
  : never;

/**
 * What a module declares.
 * @example
 * ```ts
 * import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
 *
 * export default defineModule({
 *   configSchema: {
 *     type: "object",
 *     properties: { allowed: { type: "array", items: { type: "string" }, default: ["example.org"] } },
 *   },
 *   setup: () => ({ asked: 0 }),
 *   callbacks: {
 *     user_may_invite({ invitee }, { config, data }) {
 *       data.asked++;
 *       return config.allowed.some((server) => invitee.endsWith(`:${server}`)) ? NOT_SPAM : Codes.FORBIDDEN;
 *     },
 *   },
 * });
 * ```
 */
export interface Module<Schema, Data, Declared extends Grants = undefined, Own = object, Web = object>
  extends Head<Schema, Data, Declared> {
  /** The callbacks that the module implements. */
  readonly callbacks?: Callbacks<Config<Schema>, Data, Declared> & Inferred<Own>;
  /** The web resources that the module serves; a function gets the config. */
  readonly web_resources?:
    | (WebResources<Config<Schema>, Data, Declared> & InferredWeb<Web>)
    | ((config: Config<Schema>) => WebResources<Config<Schema>, Data, Declared>);
  /** Receives what `api.broadcast` sends to this module, by topic. It may run more than once for one broadcast. */
  readonly broadcasts?: Broadcasts<Config<Schema>, Data, Declared>;
  /**
   * Runs before the module goes: at a reload, when Synapse stops, at the end of a test. It has two seconds, and no api. It does
   * not run if `setup` has not succeeded, nor if Node is killed.
   */
  readonly close?: (context: CloseContext<Data>) => void | Promise<void>;
}

/**
 * What `defineModule` returns: the module, with the callbacks as its author has written them. So a test can call them:
 * `policy.callbacks.user_may_invite(params, context)`, or `policy.callbacks.on_new_event.handler(params, context)`.
 * @example
 * ```ts fragment value
 * const policy = defineModule({ callbacks: { user_may_create_room: () => NOT_SPAM } });
 * const allowed = policy.callbacks.user_may_create_room() === NOT_SPAM;
 * ```
 */
export interface DefinedModule<Schema, Data, Declared extends Grants, Own>
  extends Omit<Module<Schema, Data, Declared>, "callbacks"> {
  readonly callbacks: Own;
}

/**
 * The callbacks that a module implements, by their names.
 * @example
 * ```ts fragment value
 * const policy = defineModule({ callbacks: { user_may_create_room: () => NOT_SPAM } });
 * const name: CallbackNameOf<typeof policy> = "user_may_create_room";
 * ```
 */
export type CallbackNameOf<Of extends { readonly callbacks: unknown }> = keyof Of["callbacks"] & CallbackName;

/**
 * Defines a module: a file exports its result by default. The function returns its argument; it only gives types to `config`,
 * `data`, the parameters and the answers. Write `setup` above `callbacks`, since TypeScript learns the type of `data` in
 * that order.
 * @example
 * ```ts
 * import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
 *
 * export default defineModule({
 *   callbacks: {
 *     user_may_invite: ({ invitee }) => (invitee.endsWith(":example.org") ? NOT_SPAM : Codes.FORBIDDEN),
 *   },
 * });
 * ```
 */
export function defineModule<
  const Schema extends ConfigSchema | undefined = undefined,
  Data = undefined,
  const Declared extends Grants = undefined,
  Own = object,
  Web = object,
>(module: Module<Schema, Data, Declared, Own, Web>): DefinedModule<Schema, Data, Declared, Own> {
  return module as unknown as DefinedModule<Schema, Data, Declared, Own>;
}

/**
 * Gives types to the head of a module, so that helpers can name its context: `ContextOf<typeof head>`. The function returns its
 * argument; `defineModule({ ...head, callbacks })` makes the module.
 * @example
 * ```ts fragment value
 * const head = defineHead({
 *   configSchema: { type: "object", properties: { limit: { type: "integer", default: 3 } } },
 *   setup: () => ({ invites: new Map<string, number>() }),
 * });
 * function isOver(user_id: string, { config, data }: ContextOf<typeof head>): boolean {
 *   return (data.invites.get(user_id) ?? 0) >= config.limit;
 * }
 * ```
 */
export function defineHead<
  const Schema extends ConfigSchema | undefined = undefined,
  Data = undefined,
  const Declared extends Grants = undefined,
>(head: Head<Schema, Data, Declared>): Head<Schema, Data, Declared> {
  return head;
}
