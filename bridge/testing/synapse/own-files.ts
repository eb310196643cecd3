// Finds the files that the kit brings along: its programs in Python, and the shim.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));

/** The kit's own folder: this one, or seen from a bundle for CommonJS (dist/cjs). */
const kit = existsSync(path.join(here, "launch.py")) ? here : path.join(here, "../testing/synapse");

export const ownFile = (name: string) => path.join(kit, name);

/** The folder to put on the Python path: the shim of this very npm package, or in a clone its sources. */
export function shimFolder(): string {
  const packaged = path.join(kit, "../../shim");
  return existsSync(packaged) ? packaged : path.join(kit, "../../../python-shim");
}
