// Reads homeserver.yaml as Synapse does (several files and folders; of a top-level key the last one holds), and finds
// the bridge in it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { isObject } from "./is-object.js";

const BRIDGE = "synapse_module_bridge.ModuleBridge";

export interface BridgeBlock {
  /** Where it stands, as `modules[0].config`. */
  at: string;
  config: unknown;
}

/** Throws an Error that names the file which cannot be read. */
export function findBridges(paths: string[]): BridgeBlock[] {
  const merged: Record<string, unknown> = {};
  const files = paths.flatMap(expand);
  if (files.length === 0) {
    throw new Error(
      `there is nothing to check in ${paths.join(", ")}: give homeserver.yaml, a folder with .yaml files, ` +
        "or a module (its file, or a folder with a package.json)",
    );
  }
  for (const file of files) Object.assign(merged, readYaml(file));
  const { modules } = merged;
  if (modules !== undefined && !Array.isArray(modules)) throw new Error("modules must be a list");
  const found: BridgeBlock[] = [];
  for (const [index, entry] of (modules ?? []).entries()) {
    if (isObject(entry) && entry.module === BRIDGE) {
      found.push({ at: `modules[${index}].config`, config: entry.config ?? {} });
    }
  }
  if (found.length === 0) {
    throw new Error(`no module in ${paths.join(", ")} is ${BRIDGE}: add it to \`modules\``);
  }
  return found;
}

function expand(given: string): string[] {
  if (!statSync(given, { throwIfNoEntry: false })) throw new Error(`there is no file or folder ${given}`);
  if (!statSync(given).isDirectory()) return [given];
  const names = readdirSync(given).filter((name) => name.endsWith(".yaml"));
  return names.sort().map((name) => path.join(given, name));
}

function readYaml(file: string): object {
  let parsed: unknown;
  try {
    // The version of YAML that Synapse's parser follows: there, `yes` and `on` are true.
    parsed = parse(readFileSync(file, "utf8"), { version: "1.1" });
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message.trim()}`, { cause: error });
  }
  return isObject(parsed) ? parsed : {};
}
