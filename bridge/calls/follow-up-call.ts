// Runs a follow-up of a module, and returns the parameters if it has edited them.

import { exactJson, holdsRareNumber, markExact } from "../base/exact-json.js";
import { whatJsonLoses } from "../base/json-check.js";
import { readableThrown } from "../base/thrown.js";
import type { Callback } from "../catalogue/catalogue.js";
import type { FollowUpCall, FollowUpReply } from "../catalogue/protocol.js";
import { runAsModule } from "../logging/current-module.js";
import { CallError, moduleUnavailable } from "../transport/call-error.js";
import { type Cancellation, untilAborted } from "../transport/cancellation.js";
import { UnfitAnswer } from "./answer.js";
import type { RunningModule } from "./context.js";
import { toCallError, withCause } from "./dispatch.js";
import type { FollowUps } from "./follow-ups.js";

/** Throws a CallError. */
export async function runFollowUp(
  { follow_up, params, request }: FollowUpCall,
  callback: Callback,
  modules: ReadonlyMap<string, RunningModule>,
  followUps: FollowUps,
  cancellation: Cancellation,
): Promise<FollowUpReply> {
  const { module } = follow_up;
  const running = modules.get(module);
  if (!running) throw moduleUnavailable(module, "the host has no such module");
  const run = followUps.take(callback.name, follow_up);
  const before = exactJson(params);
  const isRare = holdsRareNumber(params);
  try {
    await untilAborted(
      runAsModule(module, request, () => run(...Object.values(params))),
      cancellation,
    );
    const problem = whatJsonLoses(params, () => isRare);
    if (problem) throw new UnfitAnswer(`left something that is not JSON: ${problem}`);
    return markExact({ edited: exactJson(params) === before ? null : params }, params);
  } catch (given) {
    const error = readableThrown(given);
    if (error instanceof CallError) throw error;
    throw withCause(toCallError(running, callback, error, request), error);
  }
}
