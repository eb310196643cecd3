/** All triggers of a callback, local and federated. */
import type { Trigger } from "./trigger.js";
import { federatedTriggers } from "./triggers-federated.js";
import { localTriggers } from "./triggers-local.js";

export function triggersOf(callback: string): readonly Trigger[] {
  return [...(localTriggers[callback] ?? []), ...(federatedTriggers[callback] ?? [])];
}

export const triggeredCallbacks: readonly string[] = [
  ...new Set([...Object.keys(localTriggers), ...Object.keys(federatedTriggers)]),
].sort();
