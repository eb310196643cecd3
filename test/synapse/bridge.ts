// The bridge's entry in homeserver.yaml, and where these tests' modules and the examples are.
import { join } from "node:path";
import type { ModuleEntry } from "../homeserver/config.js";
import { projectRoot } from "../homeserver/paths.js";

export const modulePath = (name: string) => join(projectRoot, "test", "synapse", "modules", name);
export const examplePath = (name: string) => join(projectRoot, "examples", name);

export function bridge(config: Readonly<Record<string, unknown>>): readonly ModuleEntry[] {
  return [{ module: "synapse_module_bridge.ModuleBridge", config }];
}
