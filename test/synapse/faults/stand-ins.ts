/** What a failure of a module must look like from outside: the same as a module that itself answers what policy says. */
import type { CatalogueEntry, PolicyName } from "../differential/catalogue.js";
import type { Action } from "../differential/script.js";
import type { Trigger } from "../differential/trigger.js";

/** How the admin has set `on_failure` for each callback that can express it; `default`: not at all. */
export type Setting = PolicyName | "default";
export type Failure = "unfit" | "hang";

/** The settings that this callback takes. */
export const settingsOf = ({ on_failure }: CatalogueEntry): Setting[] => [
  ...(["allow", "deny", "defer"] as const).filter((policy) => policy in on_failure),
  "default",
];

export const returnsNothing = ({ result }: CatalogueEntry) => result === "Edits" || result === "Nothing";

/** What a module would have to do itself for the outcome that this failure must have. */
export function standIn(entry: CatalogueEntry, trigger: Trigger, setting: Setting, failure: Failure): Action {
  // What they return is ignored, and notifications are not waited for.
  if (failure === "unfit" && returnsNothing(entry)) return {};
  if (setting !== "default") return policyAction(entry, trigger, isSpared(trigger) ? "allow" : setting);
  if (failure === "unfit") {
    if (entry.swallows) return { answer: { value: false } };
    const { faults } = entry;
    // The sender could write what makes a module fail.
    if (trigger.remoteUser && typeof faults === "object") return { answer: { value: faults.remote_message } };
    if (!trigger.remoteUser && !entry.delivery) return { throw: { exception: "a fault of the module" } };
  }
  return policyAction(entry, trigger, isSpared(trigger) ? "allow" : entry.on_failure.default);
}

/** Whatever is set. */
const isSpared = ({ title }: Trigger) => title === "a user's own leave";

function policyAction({ on_failure }: CatalogueEntry, { remoteUser }: Trigger, policy: PolicyName): Action {
  const means = (remoteUser && on_failure.federated?.[policy]) || on_failure[policy];
  if (means === "pass" || means === undefined) return {};
  if (means !== "raise") return { answer: { value: means.answer } };
  const [code, errcode] = policy === "defer" && !remoteUser ? [503, "M_UNKNOWN"] : [403, "M_FORBIDDEN"];
  return { throw: { synapse_error: { code, msg: "policy unavailable", errcode } } };
}

/** By result type: answers that a JavaScript module may give by mistake, and that Synapse must not see. */
export const unfitAnswers: Readonly<Record<string, readonly (null | boolean | number | string | object)[]>> =
  {
    EventSpamVerdict: [null, 7, [], {}, ["M_FORBIDDEN", {}, {}]],
    SpamVerdict: [null, 7, [], {}, ["M_FORBIDDEN", {}, {}]],
    LoginVerdict: [null, 7, [], {}, ["M_FORBIDDEN"]],
    MediaVerdict: [null, 7, [], {}, ["M_FORBIDDEN"]],
    StateEventVerdict: [null, 7, [], {}, ["M_FORBIDDEN", {}]],
    DropVerdict: [null, 7, [], {}, "NOT_SPAM"],
    HideVerdict: [null, 7, [], {}, "yes"],
    RegistrationVerdict: [true, 7, [], {}, "ALLOW"],
    EventAllowedVerdict: [null, 7, [], {}, "spam"],
    Permission: [null, 1, [], {}, "yes"],
    Edits: [7, false, "no"],
    Nothing: [7, false, "no"],
    Expired: [7, "yes", [], {}],
    RenewalResult: [null, true, [true, false], {}],
    // Anything is an answer.
    LegacyAdminResult: [],
    RatelimitOverride: [true, [], "many", { per_second: 0, burst_count: 1 }],
    MediaConfig: [true, 7, [], "none"],
    UploadPermission: [null, 1, {}, "yes"],
    MediaUploadLimits: [true, 7, {}, [{ max_bytes: "1" }]],
    PresenceRoutes: [null, 7, [], "ALL"],
    InterestedUsers: [null, {}, "all", [7]],
    ThreepidPermission: [null, 1, {}, "yes"],
    ChosenName: [true, 7, [], {}],
  };
