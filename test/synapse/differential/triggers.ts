// All triggers of a callback, local and federated.
import type { Trigger } from "./trigger.js";
import { accountTriggers } from "./triggers-accounts.js";
import { federatedTriggers } from "./triggers-federated.js";
import { mediaTriggers } from "./triggers-media.js";
import { presenceTriggers } from "./triggers-presence.js";
import { roomTriggers } from "./triggers-rooms.js";
import { userTriggers } from "./triggers-users.js";

const kinds = [
  roomTriggers,
  userTriggers,
  accountTriggers,
  mediaTriggers,
  presenceTriggers,
  federatedTriggers,
];

export function triggersOf(callback: string): readonly Trigger[] {
  return kinds.flatMap((triggers) => triggers[callback] ?? []);
}

export const triggeredCallbacks: readonly string[] = [...new Set(kinds.flatMap(Object.keys))].sort();
