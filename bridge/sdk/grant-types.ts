// Types the api by the grants that a module declares: a write without its grant does not compile.
import type { Api, ApiWrites } from "./module-api.js";

/**
 * What `grants` may list: a write of the api by its name, or a group of writes.
 * @example
 * ```ts fragment value
 * const grants: Grant[] = ["send_mail", "store", "http_client"];
 * ```
 */
export type Grant = ApiWrites[keyof ApiWrites];

/**
 * The `grants` of a module; undefined if it declares none.
 * @example
 * ```ts fragment module
 * grants: ["store"],
 * callbacks: {
 *   on_user_registration: async ({ user_id }, { api }) => api.store.set({ key: user_id, value: Date.now() }),
 * },
 * ```
 */
export type Grants = readonly Grant[] | undefined;

/**
 * Stands for a write whose grant the module does not declare, so that a call of it does not compile, and the message tells what
 * to do. In ApiOf the write itself is beside it, so that a function which needs few grants takes an api that has more.
 * @example
 * ```ts fragment value
 * const needed: AddToGrants<"store">["add_to_grants"] = "store";
 * ```
 */
export interface AddToGrants<Missing extends Grant> {
  /** One of these grants. */
  readonly add_to_grants: Missing;
}

// Without strictNullChecks, undefined extends every type: so it is asked for first.
/**
 * The api of a module that declares these grants. For a module that declares none, it has all writes, and Synapse refuses
 * those that the admin has not granted.
 * @example
 * ```ts fragment value
 * async function remember(api: ApiOf<["store"]>, user_id: UserId): Promise<void> {
 *   await api.store.set({ key: `seen/${user_id}`, value: true });
 * }
 * ```
 */
export type ApiOf<Declared extends Grants> = Declared extends undefined
  ? Api
  : {
      readonly [Name in keyof Api]: Api[Name] extends Callable
        ? Granted<Name, Api[Name], NonNullable<Declared>[number]>
        : Api[Name] extends object
          ? Group<Name, Api[Name], NonNullable<Declared>[number]>
          : Api[Name];
    };

type Callable = (...args: never) => unknown;

type Group<Name extends string, Methods extends object, Declared extends Grant> = {
  readonly [Method in keyof Methods]: Granted<`${Name}.${Method & string}`, Methods[Method], Declared>;
};

type Granted<Path extends string, Method, Declared extends Grant> = Path extends keyof ApiWrites
  ? [Extract<ApiWrites[Path], Declared>] extends [never]
    ? AddToGrants<ApiWrites[Path]> | Method
    : Method
  : Method;
