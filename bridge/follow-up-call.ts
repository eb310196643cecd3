// Runs a function that a module left for later, and tells how the parameters are that it could edit in place.

import { UnfitAnswer } from "./answer.js";
import { CallError, moduleUnavailable } from "./call-error.js";
import type { Cancellation } from "./cancellation.js";
import type { Callback } from "./catalogue.js";
import type { RunningModule } from "./context.js";
import { toCallError, untilAborted } from "./dispatch.js";
import type { FollowUpKey, FollowUps } from "./follow-ups.js";
import { whatJsonLoses } from "./json-check.js";

export interface FollowUpCall {
  callback: string;
  follow_up: FollowUpKey;
  /** What the function gets: the response of the login, or nothing. */
  params: Record<string, unknown>;
  request: string | null;
}

export interface FollowUpAnswer {
  /** The parameters, or null if they are as they were. */
  edited: Record<string, unknown> | null;
}

/** Throws a CallError. */
export async function runFollowUp(
  { follow_up, params, request }: FollowUpCall,
  callback: Callback,
  modules: ReadonlyMap<string, RunningModule>,
  followUps: FollowUps,
  cancellation: Cancellation,
): Promise<FollowUpAnswer> {
  const { module } = follow_up;
  const running = modules.get(module);
  if (!running) throw moduleUnavailable(module, "the host has no such module");
  const run = followUps.take(callback.name, follow_up);
  const before = JSON.stringify(params);
  try {
    await untilAborted(run(...Object.values(params)), cancellation);
    const problem = whatJsonLoses(params);
    if (problem) throw new UnfitAnswer(`left something that is not JSON: ${problem}`);
    return { edited: JSON.stringify(params) === before ? null : params };
  } catch (error) {
    if (error instanceof CallError) throw error;
    throw toCallError(running, callback, error, request);
  }
}
