// Reads which writes of the api a module declares that it needs, and which ones the admin has granted.

import { didYouMean } from "../base/nearest.js";
import { type Catalogue, grantsFor } from "../catalogue/catalogue.js";
import type { StartupProblem } from "../catalogue/protocol.js";
import type { LoadedModule, ModuleSettings } from "./module.js";

export type Granted = LoadedModule["grants"];

/** Returns the grants that the admin has written in homeserver.yaml. */
export function readGrants(
  { grants = [] }: ModuleSettings,
  at: StartupProblem["path"],
  catalogue: Catalogue,
  problems: StartupProblem[],
): Granted {
  if (grants === "all") return "all";
  const known = allGrants(catalogue);
  for (const [index, grant] of grants.entries()) {
    if (known.includes(grant)) continue;
    const path = [...at, "grants", index];
    if (grant === "all") problems.push({ path, message: "write `grants: all`, without brackets" });
    else {
      const message = `${grant} ${whyNot(grant, catalogue)}; grants may hold ${known.join(", ")}`;
      problems.push({ path, message });
    }
  }
  return new Set(grants);
}

/** Returns the grants that the module declares. */
export function readDeclaredGrants(
  declared: unknown,
  catalogue: Catalogue,
  report: (message: string) => void,
): string[] {
  if (!Array.isArray(declared)) {
    report('grants must be a list of ModuleApi methods, such as ["send_mail"]');
    return [];
  }
  const known = allGrants(catalogue);
  const unknown = declared.filter((grant) => !known.includes(grant));
  for (const grant of unknown) report(`grants: ${String(grant)} ${whyNot(String(grant), catalogue)}`);
  return declared.filter((grant) => known.includes(grant));
}

/** Returns the `grants` line that the admin has to write; undefined if the module has all that it declares. */
export function missingGrants(declared: readonly string[], granted: Granted): string | undefined {
  if (granted === "all") return undefined;
  // The grant of a group covers all of its methods.
  const has = (grant: string) => granted.has(grant) || granted.has(grant.split(".")[0] ?? grant);
  const missing = declared.filter((grant) => !has(grant));
  if (missing.length === 0) return undefined;
  return `grants: [${[...granted, ...missing].join(", ")}]`;
}

function allGrants({ methods }: Catalogue): string[] {
  const writes = [...methods].filter(([, { access }]) => access === "write");
  return [...new Set(writes.flatMap(([name, method]) => grantsFor(name, method)))];
}

function whyNot(grant: string, catalogue: Catalogue): string {
  if (catalogue.methods.has(grant)) return "needs no grant";
  return `is not a ModuleApi method${didYouMean(grant, allGrants(catalogue))}`;
}
