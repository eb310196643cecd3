// The part of the catalogue that the comparison covers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonValue } from "../../../bridge/sdk/json.js";
import { projectRoot } from "../../support/paths.js";

export type PolicyName = "allow" | "deny" | "defer";
type Means = "pass" | "raise" | { readonly answer: JsonValue };

export interface CatalogueEntry {
  readonly category: string;
  readonly result: string;
  readonly swallows?: boolean;
  readonly delivery?: "notify";
  readonly faults?: "policy" | { readonly remote_message: string };
  readonly on_failure: { readonly [Name in PolicyName]?: Means } & {
    readonly default: PolicyName;
    readonly federated?: { readonly [Name in PolicyName]?: Means };
  };
}

const file = join(projectRoot, "schemas", "callbacks.json");
const { $schema: _, ...entries } = JSON.parse(readFileSync(file, "utf8")) as Record<string, CatalogueEntry>;

/** Those of a shape of their own, which special.test.ts compares. */
export const special: readonly string[] = [
  "auth_checkers",
  "check_3pid_auth",
  "on_update",
  "default_batch_size",
  "min_batch_size",
  "add_field_to_unsigned_callback",
];

/** All others. */
export const compared = Object.entries(entries).filter(([callback]) => !special.includes(callback));

/** Those that Synapse asks with every request, or in its own time: compared only in rows about them. */
export const everywhere: ReadonlySet<string> = new Set([
  "is_user_expired",
  "get_users_for_states",
  "get_interested_users",
  "on_event_delivered_over_federation",
]);

/** Those whose answer nobody waits for. */
export const notifications: ReadonlySet<string> = new Set(
  compared.filter(([, { delivery }]) => delivery === "notify").map(([callback]) => callback),
);
