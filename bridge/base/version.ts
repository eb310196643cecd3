// Reads the version of this package. The shim must have the same one.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { OWN_FOLDER } from "./own-folder.js";

/** Read from the nearest package.json: beside the bundled host, or at the root of the package. */
export const VERSION = findVersion(OWN_FOLDER);

function findVersion(folder: string): string {
  const file = path.join(folder, "package.json");
  if (existsSync(file)) {
    const { name, version } = JSON.parse(readFileSync(file, "utf8"));
    if (name === "synapse-module-bridge") return version;
  }
  const parent = path.dirname(folder);
  if (parent === folder)
    throw new Error("the package.json of synapse-module-bridge is missing: install it again");
  return findVersion(parent);
}
