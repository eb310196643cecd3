// The Synapse of .venv in a cache as that of the kit for authors, with a database that is ready: each server would take
// seconds to make its tables.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { installationName } from "../../bridge/testing/synapse/installation.js";
import { type Prepared, withDatabase } from "../../bridge/testing/synapse/prepared.js";
import { NEWEST_TESTED } from "../../bridge/testing/synapse/releases.js";
import { projectRoot, venvPython } from "./paths.js";

const cache = join(projectRoot, "node_modules/.cache/synapse-module-bridge/kit");
const synapses = join(cache, "synapse-module-bridge", "synapse");
const name = installationName(NEWEST_TESTED, "3.11");

/** A value for XDG_CACHE_HOME with which the kit finds the Synapse of .venv, and installs nothing. The folder stays. */
export function cacheWithVenv(): string {
  mkdirSync(synapses, { recursive: true });
  try {
    symlinkSync(join(projectRoot, ".venv"), join(synapses, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return cache;
}

let prepared: Promise<Prepared> | undefined;

/** Where another process prepares the database at this moment, there is none yet. */
export async function preparedVenv(): Promise<Prepared> {
  mkdirSync(synapses, { recursive: true });
  prepared ??= withDatabase({ version: NEWEST_TESTED, name, python: venvPython() }, synapses);
  const found = await prepared;
  if (found.database === undefined) prepared = undefined;
  return found;
}
