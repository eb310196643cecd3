// From the `modules` of the configuration to loaded modules: imports each file, checks its shape, its config and what
// it declares, and collects all faults instead of stopping at the first.
import path from "node:path";
import { type Callback, type Catalogue, grantsFor } from "./catalogue.js";
import { findCallbackClashes } from "./clashes.js";
import { readMatch } from "./match-shape.js";
import {
  type Entry,
  type Fault,
  type ListedEntry,
  type ListedModule,
  type LoadedModule,
  type Match,
  type ModuleSettings,
  OF_CONFIG,
  type OfConfig,
} from "./module.js";
import { didYouMean } from "./nearest.js";
import { checkConfig, compileSchema, readConfig } from "./settings.js";
import { type Definition, readDefinition } from "./shape.js";
import { findFile, importFile } from "./source.js";
import { describeThrown } from "./thrown.js";
import { readWebResources } from "./webpaths.js";

export interface Loaded {
  modules: LoadedModule[];
  /** All modules whose file could be read, also those with faults. */
  listed: ListedModule[];
  faults: Fault[];
}

// A file that awaits something at its top level may never be loaded: better to name it than to time out in silence.
const SLOW = 5_000;

export async function loadModules(
  all: ModuleSettings[],
  catalogue: Catalogue,
  warn: (message: string) => void = () => {},
): Promise<Loaded> {
  const modules: LoadedModule[] = [];
  const listed: ListedModule[] = [];
  const faults: Fault[] = [];
  const names = new Set<string>();
  for (const [index, settings] of all.entries()) {
    const name = settings.name ?? defaultName(settings.path);
    if (names.has(name)) {
      faults.push({
        path: ["modules", index, settings.name === undefined ? "path" : "name"],
        message: `another module is called ${name} already: give each a \`name\` of its own`,
      });
    }
    names.add(name);
    const text = `${settings.path} is still not loaded after ${SLOW / 1000} s: does it await something at its top level?`;
    const slow = setTimeout(() => warn(text), SLOW);
    const module = await loadModule(settings, name, ["modules", index], catalogue, faults, listed);
    clearTimeout(slow);
    if (module) modules.push(module);
  }
  findPathClashes(modules, faults);
  faults.push(...findCallbackClashes(listed, all, catalogue));
  return { modules, listed, faults };
}

/** The file's name without its ending; for a folder, the folder's name. */
function defaultName(file: string): string {
  return path.basename(file).replace(/\.(m|c)?[jt]s$/, "");
}

async function loadModule(
  settings: ModuleSettings,
  name: string,
  at: Fault["path"],
  catalogue: Catalogue,
  faults: Fault[],
  listed: ListedModule[],
): Promise<LoadedModule | undefined> {
  const before = faults.length;
  const grants = readGrants(settings, at, catalogue, faults);
  const config = readConfig(settings, at, faults);
  let file = settings.path;
  // Messages of the import name the file themselves, mostly with a line.
  const reportPlain = (message: string) => faults.push({ path: [...at, "path"], message });
  const report = (message: string) => reportPlain(`${file}: ${message}`);
  let exported: unknown;
  let files: string[];
  try {
    file = findFile(settings.path);
    ({ exported, files } = await importFile(file));
  } catch (error) {
    reportPlain((error as Error).message);
    return undefined;
  }
  const definition = readDefinition(exported, catalogue, report);
  if (!definition) return undefined;
  const known =
    config && fitsSchema(definition, config.value, settings, at, faults, report) ? config : OF_CONFIG;
  const callbacks = new Map<string, Entry>();
  const shown = new Map<string, ListedEntry>();
  for (const [callback, declared] of definition.callbacks) {
    const place = `callbacks.${callback}`;
    const { checkers, ...parts } = declared;
    const { entry, listed: own } = settleMatch(parts, known, place, report);
    const settled = checkers?.map((checker, i) => settleMatch(checker, known, `${place}[${i}]`, report));
    callbacks.set(callback, settled ? { ...entry, checkers: settled.map((one) => one.entry) } : entry);
    shown.set(callback, settled ? { ...own, checkers: settled.map((one) => one.listed) } : own);
  }
  const resources = ofConfig(definition.web_resources, known, "web_resources", report);
  const web_resources = readWebResources(resources === OF_CONFIG ? undefined : resources, report);
  const paths = resources === OF_CONFIG ? OF_CONFIG : [...web_resources.keys()];
  const index = at[1] as number;
  listed.push({ name, index, file, files, callbacks: shown, web_resources: paths });
  if (faults.length > before || known === OF_CONFIG) return undefined;
  const module: LoadedModule = {
    name,
    index,
    file,
    files: settings.config_file === undefined ? files : [...files, settings.config_file],
    config: known.value,
    grants,
    callbacks,
    web_resources,
  };
  if (definition.setup) module.setup = definition.setup;
  return module;
}

/** A declared entry with its `match` as the config makes it. */
function settleMatch<Declared extends { callback: Callback; match?: unknown }>(
  declared: Declared,
  known: { value: unknown } | OfConfig,
  at: string,
  report: (message: string) => void,
) {
  const { callback, match, ...entry } = declared;
  const found = ofConfig(match, known, `${at}.match`, report);
  if (found === OF_CONFIG) return { entry, listed: { ...entry, match: OF_CONFIG as OfConfig } };
  const read = found === undefined ? undefined : readMatch(found, callback, at, report);
  const whole: typeof entry & { match?: Match } = read ? { ...entry, match: read } : entry;
  return { entry: whole, listed: whole };
}

function fitsSchema(
  definition: Definition,
  config: unknown,
  settings: ModuleSettings,
  at: Fault["path"],
  faults: Fault[],
  report: (message: string) => void,
): boolean {
  if (!definition.configSchema) return true;
  try {
    return checkConfig(compileSchema(definition.configSchema), config, settings, at, faults);
  } catch (error) {
    report(`configSchema is not a JSON Schema of draft-07: ${(error as Error).message}`);
    return false;
  }
}

/** A declaration, or what it makes of the config if it is a function. */
function ofConfig(
  declared: unknown,
  config: { value: unknown } | OfConfig,
  what: string,
  report: (message: string) => void,
): unknown {
  if (typeof declared !== "function") return declared;
  if (config === OF_CONFIG) return OF_CONFIG;
  try {
    return declared(config.value);
  } catch (error) {
    report(`${what} threw: ${describeThrown(error)}`);
    return undefined;
  }
}

function readGrants(
  settings: ModuleSettings,
  at: Fault["path"],
  catalogue: Catalogue,
  faults: Fault[],
): LoadedModule["grants"] {
  if (settings.grants === "all") return "all";
  const writes = [...catalogue.methods]
    .filter(([, method]) => method.access === "write")
    .flatMap(([name, method]) => grantsFor(name, method))
    .filter((grant, index, all) => all.indexOf(grant) === index);
  for (const [index, grant] of (settings.grants ?? []).entries()) {
    if (writes.includes(grant)) continue;
    const known = catalogue.methods.has(grant)
      ? "needs no grant"
      : `is no ModuleApi method${didYouMean(grant, writes)}`;
    faults.push({
      path: [...at, "grants", index],
      message: `${grant} ${known}; grants may hold ${writes.join(", ")}`,
    });
  }
  return new Set(settings.grants ?? []);
}

function findPathClashes(modules: LoadedModule[], faults: Fault[]): void {
  const owners = new Map<string, string>();
  for (const { name, index, web_resources } of modules) {
    for (const resource of web_resources.keys()) {
      const owner = owners.get(resource);
      if (owner === undefined) owners.set(resource, name);
      else {
        const message = `${name} and ${owner} both have the web resource ${resource}: Synapse would serve one`;
        faults.push({ path: ["modules", index, "path"], message });
      }
    }
  }
}
