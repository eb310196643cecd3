// What a test writes for the scripted policies: per module and callback, what to answer. Both policies read it.
import type { JsonInput, JsonObject, JsonValue } from "../../../bridge/sdk/json.js";

/** Edits a JSON value in place. */
export type Operation =
  | { readonly path: readonly (string | number)[]; readonly set: JsonInput }
  | { readonly path: readonly (string | number)[]; readonly unset: true }
  | { readonly path: readonly (string | number)[]; readonly push: JsonInput };

export type AnswerSpec =
  | { readonly not_spam: true }
  /** The name of a member of Codes, alone or with fields. */
  | { readonly code: string; readonly fields?: JsonObject }
  /** The name of a member of RegistrationBehaviour. */
  | { readonly behaviour: string }
  /** A boolean, a bare string, or what a callback that asks for information is told. */
  | { readonly value: JsonValue }
  /** For get_users_for_states: to whom to send whose presence. */
  | { readonly routes: Readonly<Record<string, readonly string[]>> }
  /** Synapse's pair, without a replacement. */
  | { readonly pair: boolean }
  /** A replacement event: `as` is its form in TypeScript (Python has but one: the pair of true and the whole event). */
  | { readonly replace: Replacement; readonly as: "pair" | "fields" | "event" };

export interface Replacement {
  readonly content?: readonly Operation[];
  /** Other fields of the event. */
  readonly event?: JsonObject;
}

export interface SynapseErrorSpec {
  readonly code: number;
  readonly msg: string;
  readonly errcode?: string;
  readonly additional_fields?: JsonObject;
}

export type ThrowSpec = { readonly synapse_error: SynapseErrorSpec } | { readonly exception: string };

/** What is done after a login, or after an iteration of a background update. */
export interface Later {
  readonly edit?: readonly Operation[];
  readonly throw?: ThrowSpec;
  /** In TypeScript: not at once. */
  readonly async?: boolean;
}

export interface Action {
  /** Only for calls whose parameters have these values at these paths; others pass. */
  readonly when?: Readonly<Record<string, JsonValue>>;
  /** What to look up in state_events, beyond its keys. */
  readonly look?: {
    readonly get: readonly (readonly [string, string])[];
    readonly getMany: readonly (readonly [string, string | null])[];
  };
  readonly answer?: AnswerSpec;
  /** For on_create_room. */
  readonly edit?: readonly Operation[];
  readonly throw?: ThrowSpec;
  /** Never settles; in TypeScript alone. */
  readonly hang?: boolean;
  readonly later?: Later;
}

export type Script = Readonly<Record<string, Readonly<Record<string, Action>>>>;

/** One call as a policy saw it. */
export interface Seen {
  readonly module: string;
  readonly callback: string;
  readonly params: JsonObject;
}
