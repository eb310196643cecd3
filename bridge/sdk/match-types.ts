// Types `match`: which paths into a callback's parameters there are, and what a value may be compared with.

import type { FileWrapper, StateEvents } from "./objects.js";
import type { Event } from "./wire-types.js";

/**
 * What a value must be: a boolean, or a list of globs of which one must fit. In a glob, `*` stands for any text and `?` for
 * any character. It must fit the whole string, and upper and lower case differ.
 * @example
 * ```ts fragment value
 * const condition: Condition = ["m.room.message", "m.room.encrypted"];
 * ```
 */
export type Condition = boolean | readonly string[];

/** The keys of an event that are known by name. Others are written `event.<key>`. */
type EventField = keyof { [Key in keyof Event as Key extends `${string}.${string}` ? never : Key]: true };

type Path<Params> =
  | { [Name in keyof Params & string]: PathInto<Name, Params[Name]> }[keyof Params & string]
  | (Params extends { readonly event: Event } ? EventField | `${EventField & string}.${string}` : never);

type PathInto<Name extends string, Value> = Value extends StateEvents | FileWrapper | Request | number
  ? never
  : Value extends string | boolean | null
    ? Name
    : `${Name}.${string}`;

/**
 * Conditions by path into the parameters, which all must hold. A missing field fits no condition. `event.` may be left out.
 * @example
 * ```ts fragment value
 * const conditions: Conditions<{ event: Event }> = { type: ["m.room.message"], "content.msgtype": ["m.image"] };
 * ```
 */
export type Conditions<Params> = { readonly [Key in Path<Params>]?: Condition };

/**
 * Which calls a handler is asked about. A dot inside a key is written `\.`.
 * @example
 * ```ts fragment callbacks
 * check_event_for_spam: {
 *   match: { type: ["m.room.message"], local: true, not: { sender: ["@bot:*"] } },
 *   handler: () => Codes.FORBIDDEN,
 * },
 * ```
 */
export type Match<Params> = Conditions<Params> & {
  /** None of these conditions may hold. */
  readonly not?: Conditions<Params>;
  /** Whether the callback's subject (the sender, the inviter, ...) must be a user of this homeserver. */
  readonly local?: boolean;
};
