// Finds the folder of the bridge's own files, which belong to no module.
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));

/** The folder of the bundled host, or of the layers when the host is not bundled. It ends with a separator. */
export const OWN_FOLDER = (path.basename(here) === "base" ? path.dirname(here) : here) + path.sep;
