// The type of `match`: which paths into a callback's parameters there are, and what a value may be compared with.

import type { FileWrapper, StateEvents } from "./objects.js";
import type { Event } from "./wire-types.js";

/** A boolean that the value must be, or globs (`*` and `?`; the whole string), of which one must fit. */
export type Condition = boolean | readonly string[];

/** The keys of an event that are known by name; others are reached as `event.<key>`. */
type EventField = keyof { [Key in keyof Event as string extends Key ? never : Key]: true };

type Path<Params> =
  | { [Name in keyof Params & string]: PathInto<Name, Params[Name]> }[keyof Params & string]
  | (Params extends { readonly event: Event } ? EventField | `${EventField & string}.${string}` : never);

type PathInto<Name extends string, Value> = Value extends StateEvents | FileWrapper | Request | number
  ? never
  : Value extends string | boolean | null
    ? Name
    : `${Name}.${string}`;

/** All must hold. A field that is missing fits nothing. */
export type Conditions<Params> = { readonly [Key in Path<Params>]?: Condition };

/** Which calls a handler is asked about. A dot inside a key is written `\.`. */
export type Match<Params> = Conditions<Params> & {
  /** None of these may hold. */
  readonly not?: Conditions<Params>;
  /** Whether the callback's subject (the sender, the inviter, ...) must be of this homeserver. */
  readonly local?: boolean;
};
