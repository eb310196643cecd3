// The bridge's entry in homeserver.yaml, and where it and the examples are.
import { join } from "node:path";
import type { ModuleEntry } from "../../bridge/testing/synapse/homeserver-yaml.js";
import { projectRoot } from "./paths.js";

/** The bridge under test is this tree's, whichever is installed. */
export const shim = join(projectRoot, "python-shim");
export const examplePath = (name: string) => join(projectRoot, "examples", name);

export const bridge = (config: Readonly<Record<string, unknown>>): ModuleEntry => ({
  module: "synapse_module_bridge.ModuleBridge",
  config,
});
