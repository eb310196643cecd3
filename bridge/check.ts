// The `check` command: everything that can be found wrong with a configuration or a module without a Synapse, and which
// callback goes to which module under which policy.
import { existsSync } from "node:fs";
import path from "node:path";
import { type Block, readBlock } from "./block.js";
import type { Catalogue } from "./catalogue.js";
import { callbackTable, resourceTable } from "./check-tables.js";
import { findBridges } from "./homeserver.js";
import { loadModules } from "./loader.js";
import type { Fault } from "./module.js";
import { findFile } from "./source.js";
import { checkTypes } from "./tsc.js";

export interface CheckOptions {
  /** The config file of a module that is checked by itself. */
  config?: string;
}

type Print = (text: string) => void;

/** True if nothing is wrong. Throws an Error if there is nothing to check. */
export async function check(
  paths: string[],
  options: CheckOptions,
  catalogue: Catalogue,
  print: Print,
): Promise<boolean> {
  const [only = ""] = paths;
  if (paths.length === 1 && isModule(only)) return checkAlone(only, options, catalogue, print);
  let sound = true;
  for (const { at, config } of findBridges(paths)) {
    const { block, faults } = readBlock(config, catalogue);
    if (block) faults.push(...(await checkBlock(block, catalogue, print)));
    printFaults(faults, at, print);
    sound &&= faults.length === 0;
  }
  return sound;
}

function isModule(given: string): boolean {
  return /\.[mc]?[jt]s$/.test(given) || existsSync(path.join(given, "package.json"));
}

async function checkAlone(file: string, { config }: CheckOptions, catalogue: Catalogue, print: Print) {
  const settings = {
    path: path.resolve(file),
    ...(config !== undefined && { config_file: path.resolve(config) }),
  };
  const found = await checkBlock({ modules: [settings] }, catalogue, print);
  // Without a config there is nothing wrong with the config.
  const lacks = found.filter((fault) => fault.path[2] === "config");
  if (lacks.length > 0) {
    const keys = lacks.map((fault) => `${fault.path.slice(3).join(".")} ${fault.message}`).join(", ");
    print(`Not checked: its config, and what depends on it (${keys}). Give one with --config FILE.`);
  }
  const faults = found.filter((fault) => fault.path[2] !== "config");
  printFaults(faults, "", print);
  return faults.length === 0;
}

async function checkBlock(block: Block, catalogue: Catalogue, print: Print): Promise<Fault[]> {
  const { modules, faults } = await loadModules(block.modules, catalogue);
  for (const [index, settings] of block.modules.entries()) {
    const file = fileOf(settings.path);
    if (file === undefined) continue;
    const { errors, note } = await checkTypes(file);
    print(`${file}: ${note}`);
    faults.push(...errors.map((message) => ({ path: ["modules", index, "path"], message })));
  }
  print(callbackTable(modules, block, catalogue));
  print(resourceTable(modules));
  return faults;
}

/** Undefined where the loader has told already that there is none. */
function fileOf(given: string): string | undefined {
  try {
    return findFile(given);
  } catch {
    return undefined;
  }
}

function printFaults(faults: Fault[], at: string, print: Print): void {
  if (faults.length === 0) {
    print("No faults.");
    return;
  }
  print(faults.length === 1 ? "One fault:" : `${faults.length} faults:`);
  for (const fault of faults) {
    const place = [at, ...fault.path].filter((part) => part !== "").join(".");
    print(`  ${place}: ${fault.message}`);
  }
}
