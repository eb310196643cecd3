// Where the modules of these tests are.
import { join } from "node:path";
import { projectRoot } from "../../support/paths.js";

export const modulePath = (name: string) => join(projectRoot, "test/synapse/features/modules", name);
