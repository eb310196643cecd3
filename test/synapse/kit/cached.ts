// Lets the kit find the Synapse of .venv in its cache, so that nothing is installed.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { NEWEST_TESTED } from "../../../bridge/testing/synapse/releases.js";
import { projectRoot } from "../../support/paths.js";
import type { Folder } from "../../support/temporary-folder.js";

/** The value for XDG_CACHE_HOME. */
export function cacheWithVenv(folder: Folder): string {
  const cache = folder.path("cache");
  const synapses = join(cache, "synapse-module-bridge", "synapse");
  const installation = join(synapses, `${NEWEST_TESTED}-python3.11`);
  mkdirSync(synapses, { recursive: true });
  if (!existsSync(installation)) symlinkSync(join(projectRoot, ".venv"), installation);
  return cache;
}
