// defineModule, and the types of a module as a whole: all inferred from the one literal that its author writes.
import type { Config, ConfigSchema } from "./config-types.js";
import type { CallbackName, Callbacks, CloseContext, Context, SetupContext } from "./entries.js";
import type { Grants } from "./grant-types.js";
import type { Inferred, InferredWeb } from "./inferred-answers.js";
import type { JsonInput, JsonValue } from "./json.js";

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
