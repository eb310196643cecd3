// The bridge's entry in homeserver.yaml, and where the examples are.
import { join } from "node:path";
import type { ModuleEntry } from "./config.js";
import { projectRoot } from "./paths.js";

export const examplePath = (name: string) => join(projectRoot, "examples", name);

export function bridge(config: Readonly<Record<string, unknown>>): readonly ModuleEntry[] {
  return [{ module: "synapse_module_bridge.ModuleBridge", config }];
}
