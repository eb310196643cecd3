// The types of `createTester`: what a test gives, asks and gets.

import type { CallbackParams, CallbackResults } from "../sdk/callbacks.js";
import type { ContextOf } from "../sdk/define.js";
import type { CallbackName } from "../sdk/entries.js";
import type { SynapseError } from "../sdk/errors.js";
import type { Grant } from "../sdk/grant-types.js";
import type { Id } from "../sdk/ids.js";
import type { JsonObject, JsonValue } from "../sdk/json.js";
import type { Api } from "../sdk/module-api.js";
import type { FileWrapper, StateEvents } from "../sdk/objects.js";
import type { StoreEntry } from "../sdk/storage-types.js";
import type { Event, FileInfo, ProfileInfo, Requester, RequestInfo, UserProfile } from "../sdk/wire-types.js";
import type { EventFields } from "./event.js";

/**
 * A local user, by id in `users`. What is left out is as for an ordinary user.
 * @example
 * ```ts fragment testing
 * const users: Record<string, UserOption> = { "@a:example.org": { created: "2026-01-09", admin: true } };
 * ```
 */
export interface UserOption {
  /** When the account was created; by default long ago. */
  readonly created?: string | number | Date;
  readonly admin?: boolean;
  readonly deactivated?: boolean;
  readonly guest?: boolean;
  readonly shadow_banned?: boolean;
  readonly display_name?: string | null;
  readonly avatar_url?: string | null;
  /** `bot`, `support`, or null for an ordinary user. */
  readonly user_type?: string | null;
  readonly appservice_id?: string | null;
  readonly threepids?: readonly { readonly medium: string; readonly address: string }[];
  /** Global account data, by type. */
  readonly account_data?: Readonly<Record<string, object>>;
}

/**
 * A room, by id in `rooms`.
 * @example
 * ```ts fragment testing
 * const rooms: Record<string, RoomOption> = {
 *   "!r:example.org": { state: [event.create(), event.member("@a:example.org", "join")] },
 * };
 * ```
 */
export interface RoomOption {
  /** Its state. An event needs its type and its content; the rest is filled in. */
  readonly state?: readonly (Event | EventInput)[];
  /** By default that of its `m.room.create`, or else 12, as of new rooms. */
  readonly room_version?: string;
  /** Whether it is in the public directory. */
  readonly public?: boolean;
  readonly aliases?: readonly string[];
}

/**
 * An event as a test writes it, or as a client shows it: what is left out is filled in.
 * @example
 * ```ts fragment testing
 * const hello: EventInput = { type: "m.room.message", sender: "@a:example.org", content: { body: "hello" } };
 * ```
 */
export type EventInput = EventFields & { readonly type: string };

/** A function of `api`, as a test writes it. */
type Fake<Function> = Function extends (...args: infer Args) => infer Result
  ? (...args: Args) => Awaited<Result> | Promise<Awaited<Result>>
  : never;

/**
 * What calls of the api answer, in the shape of the api itself.
 * @example
 * ```ts fragment testing
 * const api: FakeApi = {
 *   http_client: { get_json: async ({ uri }) => ({ blocked: [uri] }) },
 *   worker_name: "worker1",
 * };
 * ```
 */
export type FakeApi = {
  readonly [Name in keyof Api]?: Api[Name] extends (...args: never) => unknown
    ? Fake<Api[Name]>
    : Api[Name] extends object
      ? { readonly [Method in keyof Api[Name]]?: Fake<Api[Name][Method]> }
      : Api[Name];
};

/** The module of a test, as its types say it. */
type ConfigOf<What> = What extends { readonly module: infer Inner }
  ? ConfigOf<Inner>
  : What extends { readonly default: infer Inner }
    ? ConfigOf<Inner>
    : [ContextOf<What>] extends [never]
      ? unknown
      : ContextOf<What>["config"];

/** With every key optional: the test gives those that matter to it, and the defaults are filled in. */
type PartOf<Value> = Value extends readonly (infer Item)[]
  ? readonly PartOf<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]?: PartOf<Value[Key]> }
    : Value;

/** What `config` may be: keys of the module's `configSchema`, or any object if the module's types do not say. */
export type ConfigInput<What> = [ConfigOf<What>] extends [never]
  ? object
  : JsonValue extends ConfigOf<What>
    ? object
    : PartOf<ConfigOf<What>>;

/**
 * The options of `createTester`.
 * @example
 * ```ts fragment testing
 * const options: TesterOptions = { config: { per_hour: 1 }, now: "2026-01-10T00:00:00Z" };
 * ```
 */
export interface TesterOptions<Config = object> {
  /**
   * The module's config, as in homeserver.yaml: it is checked, and defaults are filled in. Of an imported module, a key that its
   * `configSchema` does not have does not compile.
   */
  readonly config?: Config;
  /** The name of the homeserver; by default `example.org`. */
  readonly server_name?: string;
  /** The writes of the api that the module may use; by default those that it declares. */
  readonly grants?: readonly Grant[] | "all";
  /** The time that the api, `ttl` and the store see. It stands still but for `t.advance`. By default it is `Date.now()`. */
  readonly now?: string | number | Date;
  /** The local users, by id. */
  readonly users?: Readonly<Record<string, UserOption>>;
  /** The rooms, by id. */
  readonly rooms?: Readonly<Record<string, RoomOption>>;
  /** What other calls of the api answer. */
  readonly api?: FakeApi;
  /** How long a handler may take, in milliseconds or as `"5s"`. By default as in production: 5 s, and 2 s for other servers. */
  readonly timeout?:
    | string
    | number
    | { readonly local?: string | number; readonly federated?: string | number };
}

/**
 * One module of a chain: a path, an imported module, or either with its own name, config and grants.
 * @example
 * ```ts fragment testing
 * const chain: TesterInput[] = ["src/first.ts", { path: "src/second.ts", name: "second", config: { limit: 1 } }];
 * ```
 */
export type TesterInput = string | URL | object;

/** The callbacks that the modules declare; all, if their types do not say. */
export type AskedName<What> = What extends readonly (infer One)[]
  ? AskedNameOfOne<One>
  : AskedNameOfOne<What>;

type AskedNameOfOne<What> = What extends { readonly module: infer Inner }
  ? AskedNameOfOne<Inner>
  : What extends { readonly callbacks: infer Declared }
    ? Extract<keyof Declared, CallbackName>
    : CallbackName;

/**
 * The state of the call's room: `{ room }` with an id of `rooms` or a room of its own, or the events themselves.
 * @example
 * ```ts fragment testing
 * const state: StateInput = { room: { state: [event.topic("tea")] } };
 * ```
 */
export type StateInput =
  | { readonly room: string | RoomOption }
  | { readonly events: readonly (Event | EventInput)[] }
  | readonly (Event | EventInput)[];

/** An id of Matrix: the types of other strings do not begin so. */
type AnyId = `${"@" | "!" | "#" | "$"}${string}`;

/** A parameter as a test writes it. Ids may be any strings, and JSON any object. */
type Written<Value> = Value extends null | undefined
  ? Value
  : [Value] extends [Event]
    ? Event | EventInput
    : [Value] extends [StateEvents]
      ? StateInput
      : [Value] extends [FileWrapper]
        ? Uint8Array | string | { readonly path: string }
        : [Value] extends [Request]
          ? Request | RequestInput
          : [Value] extends [Requester]
            ? string | (Partial<ReadonlyOf<Requester>> & { readonly user_id: string })
            : [Value] extends [UserProfile]
              ? string | (Partial<UserProfile> & { readonly user_id: string })
              : [Value] extends [FileInfo | ProfileInfo]
                ? Partial<Value>
                : [Value] extends [string]
                  ? [Value] extends [AnyId]
                    ? string
                    : Value
                  : string extends keyof Value
                    ? object
                    : ReadonlyOf<Value>;

/** With read-only lists, as a literal has them. */
type ReadonlyOf<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadonlyOf<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: ReadonlyOf<Value[Key]> }
    : Value extends AnyId
      ? string
      : Value;

/**
 * A client's request as a test writes it.
 * @example
 * ```ts fragment testing
 * const input: RequestInput = { method: "POST", url: "/admin", body: "{}", as: "@a:example.org" };
 * ```
 */
export interface RequestInput {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The user who makes it. */
  readonly as?: string;
}

/** The parameters that have a default: what may be null, flags, state, and objects with any keys. */
type Optional<Params> = {
  [Name in keyof Params]: null extends Params[Name]
    ? Name
    : undefined extends Params[Name]
      ? Name
      : Params[Name] extends boolean | StateEvents | FileInfo | RequestInfo
        ? Name
        : Params[Name] extends string
          ? never
          : string extends keyof Params[Name]
            ? Name
            : never;
}[keyof Params];

/**
 * The parameters of a callback as a test writes them.
 * @example
 * ```ts fragment testing
 * const params: AskParams<"user_may_join_room"> = { user: "@a:example.org", room: "!r:example.org" };
 * ```
 */
export type AskParams<Name extends CallbackName> = {
  readonly [Param in Exclude<keyof CallbackParams[Name], Optional<CallbackParams[Name]>>]: Written<
    CallbackParams[Name][Param]
  >;
} & {
  readonly [Param in Optional<CallbackParams[Name]>]?: Written<CallbackParams[Name][Param]>;
} & (CallbackParams[Name] extends { readonly state_events: StateEvents }
    ? { readonly room?: string | RoomOption }
    : unknown);

/** Refuses a literal or a template that is an id of another kind, and a parameter that the callback does not have. */
export type Checked<Given, Name extends CallbackName> = {
  readonly [Param in keyof Given]: Param extends keyof CallbackParams[Name]
    ? Given[Param] extends string
      ? Exclude<CallbackParams[Name][Param], null | undefined> extends AnyId
        ? Id<Given[Param], Exclude<CallbackParams[Name][Param], null | undefined> & string>
        : Given[Param]
      : Given[Param]
    : Param extends keyof AskParams<Name>
      ? Given[Param]
      : never;
};

/** What a follow-up gets and gives. */
type FollowUp = (login_response?: object) => Promise<JsonObject>;

/**
 * What `t.ask` gives if a module was asked.
 * @example
 * ```ts fragment testing
 * const result: Asked = { asked: true, outcome: "refused", answer: "M_FORBIDDEN" };
 * ```
 */
export interface Asked<Answer = unknown> {
  readonly asked: true;
  /** For verdicts `allowed`, `refused` or `replaced`; `answered` for other answers; `done` where there is none. */
  readonly outcome: "allowed" | "refused" | "replaced" | "answered" | "done";
  /** What Synapse gets. */
  readonly answer?: Answer;
  /** The SynapseError that the module has thrown. */
  readonly error?: SynapseError;
  /** What the modules have made of `request_content`, if they have edited it. */
  readonly edits?: JsonObject;
  /** Runs what the module has left for after the login or the iteration. Gives the edited response. Not enumerable. */
  readonly followUp?: FollowUp;
  /** What the module has given as `context.reason`, with a decision that is recorded. Not enumerable. */
  readonly reason?: { readonly text: string; readonly details?: JsonValue };
}

/**
 * What `t.ask` gives if no module was asked.
 * @example
 * ```ts fragment testing
 * const result: NotAsked = { asked: false, why: "match" };
 * ```
 */
export interface NotAsked<Answer = unknown> {
  readonly asked: false;
  /** `match` says no, the answer was `cached`, no module has declared the callback, or a `template` answers. */
  readonly why: "match" | "cached" | "undeclared" | "template";
  readonly answer?: Answer;
  readonly outcome?: undefined;
  readonly error?: undefined;
  readonly edits?: undefined;
  readonly followUp?: undefined;
  readonly reason?: undefined;
}

export type AskResult<Name extends CallbackName = CallbackName> =
  | Asked<CallbackResults[Name]>
  | NotAsked<CallbackResults[Name]>;

/**
 * A write of a module to the api.
 * @example
 * ```ts fragment testing
 * const write: Write = { method: "delete_room", params: { room_id: "!r:example.org" } };
 * ```
 */
export interface Write {
  readonly method: string;
  readonly params: JsonObject;
  /** The name of the module. Not enumerable. */
  readonly module?: string;
}

/**
 * A request to a web resource, in `t.fetch`.
 * @example
 * ```ts fragment testing
 * const request: FetchOptions = { as: "@a:example.org", method: "POST", json: { reason: "spam" } };
 * ```
 */
export interface FetchOptions {
  /** The user who makes the request; without it, the request has no access token. */
  readonly as?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** A body in JSON. */
  readonly json?: JsonValue;
}

/**
 * Asks the modules of a test. `createTester` makes it.
 * @example
 * ```ts fragment testing
 * const open: Tester[] = [];
 * open.push(await createTester("src/policy.ts"));
 * for (const t of open) await t.close();
 * ```
 */
export interface Tester<What = unknown> {
  /**
   * Asks the modules as Synapse would. Rejects with what a module throws, unless that is a SynapseError, and where it misses
   * its deadline or answers something unfit: in production, the failure policy answers then.
   * @example
   * ```ts fragment testing
   * const t = await createTester("src/policy.ts");
   * const result = await t.ask("user_may_invite", {
   *   inviter: "@a:example.org",
   *   invitee: "@b:x.org",
   *   room_id: "!r:example.org",
   * });
   * ```
   */
  ask<Name extends AskedName<What>, const Given extends AskParams<Name>>(
    name: Name,
    params: Given & Checked<Given, Name>,
  ): Promise<AskResult<Name>>;
  /**
   * Asks a web resource of a module, as a client would. An error that the module throws as a SynapseError is a response.
   * @example
   * ```ts fragment testing
   * const t = await createTester("src/policy.ts");
   * const response = await t.fetch("/_synapse/client/stats", { as: "@a:example.org" });
   * const { invites } = (await response.json()) as { invites: number };
   * ```
   */
  fetch(url: string | URL, options?: FetchOptions): Promise<Response>;
  /** Moves the clock of the api, of `ttl` and of the store: `"30m"`, or milliseconds. It moves no timer of the module. */
  advance(duration: string | number): void;
  /**
   * Changes one event of the state of a room of `rooms`, as `setState` of a user on a real Synapse.
   * @example
   * ```ts fragment testing
   * const t = await createTester("src/policy.ts", { rooms: { "!r:example.org": {} } });
   * t.setState("!r:example.org", "m.room.topic", { topic: "tea" });
   * t.setState("!r:example.org", "m.room.member", { membership: "leave" }, "@a:example.org");
   * ```
   */
  setState(room_id: string, type: string, content: object, state_key?: string): void;
  /** The entries of `api.store`: of one module by its name, or of all. */
  readonly store: { entries(module?: string): StoreEntry[] };
  /** The writes of the modules to the api, in order. Those to the store are in `store`. */
  readonly writes: readonly Write[];
  /** What the modules log, in pino's shape. */
  readonly logs: readonly Record<string, unknown>[];
  /** Loads the modules anew, as a reload in production: a path from disk, an object with its `setup`. The store stays. */
  reload(): Promise<void>;
  /** Ends the modules. Rejects if a write of a module to the api is still pending: nobody has awaited it. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
