// Tells for `check --synapse` what a release of Synapse lacks of what modules use, by the catalogue's `since`.
import { isOlder } from "../base/releases.js";
import type { Catalogue } from "../catalogue/catalogue.js";

export interface Lacking {
  /** By the module's name: what keeps it from starting there. */
  faults: { module: string; message: string }[];
  /** What it starts without. */
  notes: string[];
}

interface Asked {
  name: string;
  callbacks: ReadonlyMap<string, unknown>;
}

/** `optional` are the callbacks that homeserver.yaml calls so. */
export function findLacking(
  release: string,
  modules: readonly Asked[],
  catalogue: Catalogue,
  optional: readonly string[] = [],
): Lacking {
  const lacks = (since: string | undefined): since is string =>
    since !== undefined && isOlder(release, since);
  const faults: Lacking["faults"] = [];
  const notes: string[] = [];
  for (const { name, since, params_since = {} } of catalogue.callbacks.values()) {
    const asked = modules.filter(({ callbacks }) => callbacks.has(name));
    if (asked.length === 0) continue;
    const came = `Synapse ${release} lacks ${name}, which came with ${since}`;
    if (lacks(since) && optional.includes(name))
      notes.push(`${came}: ${asked.map((module) => module.name).join(" and ")} will not be asked`);
    else if (lacks(since)) {
      const remedy = `it needs a newer Synapse, or callbacks.${name}.optional in homeserver.yaml to do without`;
      for (const module of asked)
        faults.push({ module: module.name, message: `${module.name}: ${came}: ${remedy}` });
    } else
      for (const [param, from] of Object.entries(params_since))
        if (lacks(from))
          notes.push(
            `Synapse ${release} calls ${name} without ${param}, which came with ${from}: it is undefined there`,
          );
  }
  for (const [name, { access, since, params_since = {} }] of catalogue.methods) {
    // Node answers it, whatever Synapse has.
    if (access === "sync") continue;
    if (lacks(since))
      notes.push(`Synapse ${release} lacks api.${name}, which came with ${since}: a call of it fails`);
    else
      for (const [param, from] of Object.entries(params_since))
        if (lacks(from))
          notes.push(
            `Synapse ${release} has api.${name} without ${param}, which came with ${from}: a call with it fails`,
          );
  }
  return { faults, notes };
}
