// What a module sees of the api, by the grants that it declares: another write does not compile.
import type { Api, ApiWrites } from "./module-api.js";

/** What `grants` may list: a write of the api by its name, or a group of them. */
export type Grant = ApiWrites[keyof ApiWrites];

export type Grants = readonly Grant[] | undefined;

/**
 * What a write may be whose grant the module does not declare, so that it cannot be called: add it to `grants`. The write
 * itself fits, so that a function which needs fewer grants takes the api of a module that has more.
 */
export interface NotGranted<Method extends string> {
  readonly needs_the_grant: Method extends keyof ApiWrites ? ApiWrites[Method] : never;
}

/** The api of a module that declares these grants; all of it for one that declares none. */
export type ApiOf<Declared extends Grants> = Declared extends readonly Grant[]
  ? {
      readonly [Name in keyof Api]: Api[Name] extends Callable
        ? Granted<Name, Api[Name], Declared[number]>
        : Api[Name] extends object
          ? Group<Name, Api[Name], Declared[number]>
          : Api[Name];
    }
  : Api;

type Callable = (...args: never) => unknown;

type Group<Name extends string, Methods extends object, Declared extends Grant> = {
  readonly [Method in keyof Methods]: Granted<`${Name}.${Method & string}`, Methods[Method], Declared>;
};

type Granted<Path extends string, Method, Declared extends Grant> = Path extends keyof ApiWrites
  ? [Extract<ApiWrites[Path], Declared>] extends [never]
    ? NotGranted<Path> | Method
    : Method
  : Method;
