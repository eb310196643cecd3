// What a trigger is: real traffic of a client or of another server that makes Synapse ask one callback.
import type { Answer } from "../../support/client.js";
import type { Action } from "./script.js";
import type { Side } from "./sides.js";

export interface Act {
  /** What was answered to the requests that the callback is about. */
  readonly answers: readonly Answer[];
  /** Looks at what has become of it, once the script is out of force: what others see, whether the thing exists. */
  effect?(): Promise<unknown>;
  /** Only the callback's calls whose parameters hold this text belong to the row. */
  readonly about?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: what `prepare` returns is between it and `act`
type Prepared = any;

export interface Trigger {
  /** Completes "check_event_for_spam, asked about". */
  readonly title: string;
  /** Runs before the script is in force; `n` is the row's number, the same on both sides. */
  prepare?(side: Side, n: number): Promise<Prepared>;
  act(side: Side, prepared: Prepared, n: number): Promise<Act>;
  /** The release of Synapse that brought what it does, where not all that are tested have it. */
  readonly since?: string;
  /** It is about a user of another server. */
  readonly remoteUser?: boolean;
  /** How often Synapse asks is a matter of timing (federation): compare the distinct calls. */
  readonly distinctCalls?: boolean;
  /** Only for what is asked by this trigger: conditions on the parameters. */
  readonly when?: (side: Side, n: number) => Record<string, string>;
  /** What the first module does in other callbacks meanwhile. */
  readonly also?: Readonly<Record<string, Action>>;
  /** A trigger that takes long: only these answers, by their titles. */
  readonly only?: readonly string[];
}
