// Keeps the follow-ups that modules answer with (functions to run after a login, or after an iteration of a background
// update) until the shim asks for them, once. Their number and age are limited, since Synapse may never ask.

import { randomUUID } from "node:crypto";
import type { Callback } from "../catalogue/catalogue.js";
import { type FollowUpKey, LIMITS } from "../catalogue/protocol.js";
import { moduleUnavailable } from "../transport/call-error.js";
import { UnfitAnswer } from "./answer.js";

type FollowUp = (...args: unknown[]) => unknown;

// More than the logins that are under way at the same time.
const MOST_KEPT = LIMITS.follow_ups;
// A function may hold a password, so it is kept only for as long as a login may take.
const SECRET_MS = LIMITS.secret_follow_up_ms;
// An index may take hours to build.
const KEPT_MS = LIMITS.follow_up_ms;

export class FollowUps {
  /** By callback, then by id: logins must not push out a background update. */
  #kept = new Map<string, Map<string, { run: FollowUp; timer: NodeJS.Timeout }>>();

  /** Returns the answer for the wire, where a key replaces the function. Throws UnfitAnswer. */
  keep(module: string, callback: Callback, answer: unknown): unknown {
    if (!Array.isArray(answer) || answer.length !== 2) return answer;
    const [value, run] = answer;
    // Synapse's pair without a function means the same as the value alone.
    if (run === null || run === undefined) return value;
    if (typeof run !== "function") {
      throw new UnfitAnswer("answered a list whose second part is not a function");
    }
    const kept = this.#kept.get(callback.name) ?? new Map();
    this.#kept.set(callback.name, kept);
    const id = randomUUID();
    const drop = () => kept.delete(id);
    const timer = setTimeout(drop, callback.secret ? SECRET_MS : KEPT_MS).unref();
    kept.set(id, { run: run as FollowUp, timer });
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) this.#take(callback.name, oldest);
    return [value, { module, id } satisfies FollowUpKey];
  }

  has(callback: string, { id }: FollowUpKey): boolean {
    return this.#kept.get(callback)?.has(id) === true;
  }

  /** Returns the function, and forgets it. Throws a CallError if it is not known. */
  take(callback: string, { module, id }: FollowUpKey): FollowUp {
    const run = this.#take(callback, id);
    // Such as after a restart of Node.
    if (!run) throw moduleUnavailable(module, `what ${callback} left for later is not known any more`);
    return run;
  }

  #take(callback: string, id: string): FollowUp | undefined {
    const found = this.#kept.get(callback)?.get(id);
    if (!found) return undefined;
    clearTimeout(found.timer);
    this.#kept.get(callback)?.delete(id);
    return found.run;
  }
}
