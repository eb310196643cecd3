// The part of the catalogue that the comparison covers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonValue } from "../../bridge/json.js";
import { projectRoot } from "../homeserver/paths.js";

export type PolicyName = "allow" | "deny" | "defer";
type Means = "pass" | "raise" | { readonly answer: JsonValue };

export interface CatalogueEntry {
  readonly category: string;
  readonly result: string;
  readonly swallows?: boolean;
  readonly delivery?: "notify";
  readonly on_failure: { readonly [Name in PolicyName]?: Means } & {
    readonly default: PolicyName;
    readonly federated?: { readonly [Name in PolicyName]?: Means };
  };
}

const file = join(projectRoot, "schemas", "callbacks.json");
const { $schema: _, ...entries } = JSON.parse(readFileSync(file, "utf8")) as Record<string, CatalogueEntry>;

/** The callbacks of the spam checker and of the third-party rules. */
export const compared = Object.entries(entries).filter(([, { category }]) =>
  ["spam_checker", "third_party_rules"].includes(category),
);

/** Those whose answer nobody waits for. */
export const notifications: ReadonlySet<string> = new Set(
  compared.filter(([, { delivery }]) => delivery === "notify").map(([callback]) => callback),
);
