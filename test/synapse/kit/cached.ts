// Lets the kit find the Synapse of .venv in its cache, so that nothing is installed.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { installationName } from "../../../bridge/testing/synapse/installation.js";
import { NEWEST_TESTED } from "../../../bridge/testing/synapse/releases.js";
import { projectRoot } from "../../support/paths.js";

/** The value for XDG_CACHE_HOME. The folder stays, with the database that the kit prepares. */
export function cacheWithVenv(): string {
  const cache = join(projectRoot, "node_modules/.cache/synapse-module-bridge/kit");
  const synapses = join(cache, "synapse-module-bridge", "synapse");
  mkdirSync(synapses, { recursive: true });
  try {
    symlinkSync(join(projectRoot, ".venv"), join(synapses, installationName(NEWEST_TESTED, "3.11")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return cache;
}
