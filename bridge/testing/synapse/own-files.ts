// Finds the files that the kit brings along: its programs in Python, and the shim.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { OWN_FOLDER } from "../../base/own-folder.js";

const here = path.dirname(fileURLToPath(import.meta.url));

export const ownFile = (name: string) => path.join(here, name);

/** The folder to put on the Python path: the shim of this very npm package, or in a clone its sources. */
export function shimFolder(): string {
  const packaged = path.join(OWN_FOLDER, "shim");
  return existsSync(packaged) ? packaged : path.join(OWN_FOLDER, "..", "python-shim");
}
