// defineModule: an identity function that gives a module its types, all inferred from the one literal.
import type { FromSchema, JSONSchema } from "json-schema-to-ts";
import type { Logger } from "pino";
import type { CallbackParams, CallbackResults } from "./callbacks.js";
import type { ApiOf, Grants } from "./grant-types.js";
import type { JsonValue } from "./json.js";
import type { Match } from "./match-types.js";
import type { StateEvents } from "./objects.js";
import type { StateKey } from "./wire-types.js";

/** A JSON Schema (draft-07) for the module's `config`. */
export type ConfigSchema = Exclude<JSONSchema, boolean>;

declare const none: unique symbol;

/** The config of a module without a `configSchema`: it has no keys. */
export interface NoConfig {
  readonly [none]?: never;
}

export type Config<Schema> = Schema extends ConfigSchema ? FromSchema<Schema> : NoConfig;

export interface SetupContext<Config, Declared extends Grants = undefined> {
  readonly config: Config;
  readonly api: ApiOf<Declared>;
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  /** Ends up in Synapse's log, with the module's name and the id of the request. */
  readonly log: Logger;
}

export interface Context<Config, Data, Declared extends Grants = undefined>
  extends SetupContext<Config, Declared> {
  /** What `setup` returned. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a setup that returns nothing has the type void
  readonly data: [Data] extends [void] ? undefined : Data;
}

export type CallbackName = keyof CallbackParams;

export type Handler<Name extends CallbackName, Config, Data, Declared extends Grants = undefined> = (
  params: CallbackParams[Name],
  context: Context<Config, Data, Declared>,
) => CallbackResults[Name] | Promise<CallbackResults[Name]>;

/** A duration as Synapse writes it: `"10m"`, `"5s"`, or milliseconds. */
export type Ttl = number | `${number}` | `${number}${"s" | "m" | "h" | "d" | "w" | "y"}`;

/** When to ask a handler. */
interface Asked<Name extends CallbackName, Config> {
  /** Decided in Synapse: when it says no, the handler is not called and the module has no objection. */
  readonly match?: Match<CallbackParams[Name]> | ((config: Config) => Match<CallbackParams[Name]>);
}

/** A handler, and when to call it and with what. */
export interface Entry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends Asked<Name, Config> {
  readonly handler: Handler<Name, Config, Data, Declared>;
}

/** The entry of a callback whose answers may be kept. */
export interface KeptEntry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends Entry<Name, Config, Data, Declared> {
  /** Equal questions share one answer for so long: the handler is not called for them. */
  readonly ttl?: Ttl;
}

/** The entry of a callback that gets the room's state. */
export interface StateEntry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends Entry<Name, Config, Data, Declared> {
  /** The state events that are sent along with the call, so that asking for them costs nothing. */
  readonly room_state?: readonly StateKey[];
}

/** The entry of a callback that gets the room's state, and whose answers may be kept. */
export interface KeptStateEntry<Name extends CallbackName, Config, Data, Declared extends Grants = undefined>
  extends StateEntry<Name, Config, Data, Declared> {
  /** Equal questions share one answer for so long: the handler is not called for them. */
  readonly ttl?: Ttl;
}

/** One login type, and the fields of a login that its check needs. The types that clients are offered are fixed at start. */
export interface AuthChecker<Config, Data, Declared extends Grants = undefined>
  extends Entry<"auth_checkers", Config, Data, Declared> {
  readonly login_type: string;
  readonly fields: readonly string[];
}

/** A value for events' `unsigned`: `{ $event: "content.displayname" }` is what the event has there. */
export type FieldTemplate =
  | { readonly $event: string }
  | string
  | number
  | boolean
  | null
  | readonly FieldTemplate[]
  | { readonly [field: string]: FieldTemplate; readonly $event?: never };

/** Fields that Synapse adds by itself, without a call. */
export interface FieldsEntry<Config> extends Asked<"add_field_to_unsigned_callback", Config> {
  readonly fields: { readonly [field: string]: FieldTemplate; readonly $event?: never };
  readonly handler?: never;
  readonly ttl?: never;
}

/** Callbacks whose answers are not kept: those with passwords, and those with an answer for each question. */
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
  ? readonly AuthChecker<Config, Data, Declared>[]
  :
      | Handler<Name, Config, Data, Declared>
      | EntryOf<Name, Config, Data, Declared>
      | (Name extends "add_field_to_unsigned_callback" ? FieldsEntry<Config> : never);

export type Callbacks<Config, Data, Declared extends Grants = undefined> = {
  readonly [Name in keyof CallbackParams]?: CallbackOf<Name, Config, Data, Declared>;
};

export type WebHandler<Config, Data, Declared extends Grants = undefined> = (
  request: Request,
  context: Context<Config, Data, Declared>,
) => Response | JsonValue | Promise<Response | JsonValue>;

/** Handlers by their path on Synapse's HTTP listeners. */
export interface WebResources<Config, Data, Declared extends Grants = undefined> {
  readonly [path: string]: WebHandler<Config, Data, Declared>;
}

export interface Module<Schema, Data, Declared extends Grants = undefined> {
  readonly configSchema?: Schema;
  /** The api's writes that the module needs, by name or group: what else it would write does not compile. */
  readonly grants?: Declared;
  /** Runs once Synapse is up, and again after a restart of Node; what it returns is `data`. */
  readonly setup?: (context: SetupContext<Config<Schema>, Declared>) => Data | Promise<Data>;
  readonly callbacks?: Callbacks<Config<Schema>, Data, Declared>;
  readonly web_resources?:
    | WebResources<Config<Schema>, Data, Declared>
    | ((config: Config<Schema>) => WebResources<Config<Schema>, Data, Declared>);
}

/** Write `setup` above `callbacks`: TypeScript learns the type of `data` in that order. */
export function defineModule<
  const Schema extends ConfigSchema | undefined = undefined,
  Data = undefined,
  const Declared extends Grants = undefined,
>(module: Module<Schema, Data, Declared>): Module<Schema, Data, Declared> {
  return module;
}
