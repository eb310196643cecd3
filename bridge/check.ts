// The `check` command: everything that can be found wrong with a configuration or a module without a Synapse, and which
// callback goes to which module under which policy.
import { existsSync } from "node:fs";
import path from "node:path";
import { type Block, readBlock } from "./block.js";
import type { Catalogue } from "./catalogue.js";
import { callbackTable, resourceTable } from "./check-tables.js";
import { checkTypes, type Source } from "./check-types.js";
import { findBridges } from "./homeserver.js";
import { type Loaded, loadModules } from "./loader.js";
import type { Fault, ModuleSettings } from "./module.js";
import { findFile } from "./source.js";

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
  const files = paths.filter(isModule);
  if (files.length > 0 && files.length < paths.length) {
    throw new Error(
      `check either modules (${files.join(", ")}) or the files of homeserver.yaml, not both at once`,
    );
  }
  if (files.length > 0) return checkAlone(files, options, catalogue, print);
  if (options.config !== undefined) {
    throw new Error(
      "--config goes with one module; with homeserver.yaml, a module's config stands beside its path, as `config` or `config_file`",
    );
  }
  let sound = true;
  for (const { at, config } of findBridges(paths)) {
    const { block, faults } = readBlock(config, catalogue);
    if (block) faults.push(...(await checkBlock(block, catalogue, print)));
    const texts = faults.map((fault) => `${at}${brackets(fault.path)}: ${fault.message}`);
    printFaults(texts, print);
    sound &&= faults.length === 0;
  }
  return sound;
}

function isModule(given: string): boolean {
  return /\.[mc]?[jt]s$/.test(given) || existsSync(path.join(given, "package.json"));
}

async function checkBlock(block: Block, catalogue: Catalogue, print: Print): Promise<Fault[]> {
  const loaded = await loadModules(block.modules, catalogue);
  const sources = block.modules.map((settings, index) => sourceOf(settings, index, loaded));
  const types = await checkTypes(sources.filter((source) => source !== undefined));
  for (const [index, source] of sources.entries()) {
    const found = source && types.get(source);
    if (!found) continue;
    print(`${source.file}: ${found.note}`);
    loaded.faults.push(...found.errors.map((message) => ({ path: ["modules", index, "path"], message })));
  }
  print(callbackTable(loaded.listed, block, catalogue));
  print(resourceTable(loaded.listed));
  return loaded.faults;
}

/** Modules by themselves: none knows of the others, and there is no place in a YAML file to name. */
async function checkAlone(
  files: string[],
  { config }: CheckOptions,
  catalogue: Catalogue,
  print: Print,
): Promise<boolean> {
  if (config !== undefined && files.length > 1)
    throw new Error("--config goes with one module: check these one by one");
  const all = [];
  for (const file of files) {
    const settings = {
      path: path.resolve(file),
      ...(config !== undefined && { config_file: path.resolve(config) }),
    };
    const loaded = await loadModules([settings], catalogue);
    all.push({ settings, loaded, source: sourceOf(settings, 0, loaded) });
  }
  const types = await checkTypes(all.flatMap(({ source }) => source ?? []));
  let sound = true;
  for (const { settings, loaded, source } of all) {
    const found = source && types.get(source);
    if (found) print(`${source.file}: ${found.note}`);
    print(callbackTable(loaded.listed, { modules: [settings] }, catalogue));
    print(resourceTable(loaded.listed));
    // Without a config there is nothing wrong with the config.
    const lacks = loaded.faults.filter((fault) => fault.path[2] === "config");
    if (lacks.length > 0) {
      const keys = lacks
        .map((fault) => `${fault.path.slice(3).join(".")} ${fault.message}`.trim())
        .join(", ");
      print(`Not checked: its config, and what depends on it (${keys}). Give one with --config FILE.`);
    }
    const faults = loaded.faults.filter((fault) => fault.path[2] !== "config").map(({ message }) => message);
    faults.push(...(found?.errors ?? []));
    printFaults(faults, print);
    sound &&= faults.length === 0;
  }
  return sound;
}

/** Undefined where the loader has told already that there is no such file. */
function sourceOf(settings: ModuleSettings, index: number, { listed }: Loaded): Source | undefined {
  const known = listed.find((module) => module.index === index);
  if (known) return { file: known.file, files: known.files };
  try {
    const file = findFile(settings.path);
    return { file, files: [file] };
  } catch {
    return undefined;
  }
}

/** As the shim writes it: `.modules[0].path`. */
function brackets(place: Fault["path"]): string {
  return place.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
}

function printFaults(faults: string[], print: Print): void {
  if (faults.length === 0) {
    print("No faults.");
    return;
  }
  print(faults.length === 1 ? "One fault:" : `${faults.length} faults:`);
  for (const fault of faults) print(`  ${fault.replaceAll("\n", "\n  ")}`);
}
