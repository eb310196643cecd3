// Where this package's own files are, which are no module's.
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));

/** The folder of the bundled host, or else the one in which the folders of the layers are. With a separator at its end. */
export const OWN_FOLDER = (path.basename(here) === "base" ? path.dirname(here) : here) + path.sep;
