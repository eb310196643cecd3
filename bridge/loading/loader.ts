// Loads the configured modules: imports each file, checks its definition and its config, and collects all startup problems
// instead of stopping at the first.

import { describeThrown } from "../base/thrown.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { StartupProblem } from "../catalogue/protocol.js";
import { byConfig, settleEntry } from "../declarations/by-config.js";
import { findCallbackClashes, findNameClash, findPathClashes } from "../declarations/conflicts.js";
import { readDefinition } from "../declarations/definition.js";
import { missingGrants, readGrants } from "../declarations/grants.js";
import {
  DEPENDS_ON_CONFIG,
  type Entry,
  type ListedEntry,
  type ListedModule,
  type LoadedModule,
  type ModuleSettings,
  nameOf,
} from "../declarations/module.js";
import { checkConfig, readConfig } from "../declarations/settings.js";
import { readWebResources } from "../declarations/web-paths.js";
import { ModuleImporter } from "./module-importer.js";
import { Snapshot } from "./snapshot.js";

export interface LoadResult {
  modules: LoadedModule[];
  /** All modules whose file could be imported, including those with problems. */
  listed: ListedModule[];
  problems: StartupProblem[];
}

/** Observes the loading of modules. */
export interface LoadWatch {
  warn?(message: string): void;
  /** Called before a module's file runs, which may end or hang the process. Loading waits until the promise resolves. */
  loading?(index: number, name: string): Promise<void> | void;
}

// A file that awaits something at its top level may never be loaded. The warning names it long before the timeout.
const SLOW_MS = 5_000;

/** Finds a module's file and runs it. Throws an Error for an admin. */
export type Importer = Pick<ModuleImporter, "find" | "import">;

export async function loadModules(
  all: readonly ModuleSettings[],
  catalogue: Catalogue,
  watch: LoadWatch = {},
  snapshot = new Snapshot(),
  importer: Importer = new ModuleImporter(snapshot),
): Promise<LoadResult> {
  const modules: LoadedModule[] = [];
  const listed: ListedModule[] = [];
  const problems: StartupProblem[] = [];
  const names = new Set<string>();
  const warn = (message: string) => watch.warn?.(message);
  for (const [index, settings] of all.entries()) {
    const name = nameOf(settings);
    problems.push(...findNameClash(settings, index, names));
    const text = `${settings.path} is still not loaded after ${SLOW_MS / 1000} s: does it await something at its top level?`;
    await watch.loading?.(index, name);
    const slow = setTimeout(() => warn(text), SLOW_MS).unref();
    const at = ["modules", index];
    const module = await loadModule(settings, name, at, catalogue, importer, problems, listed).catch(
      (error) => {
        // Such as a getter in the module that throws.
        const message = `${settings.path}: its default export cannot be read: ${describeThrown(error)}`;
        problems.push({ path: [...at, "path"], message });
        return undefined;
      },
    );
    clearTimeout(slow);
    if (module) modules.push(module);
  }
  problems.push(...findPathClashes(modules), ...findCallbackClashes(listed, all, catalogue));
  snapshot.stopRecording();
  return { modules, listed, problems };
}

async function loadModule(
  settings: ModuleSettings,
  name: string,
  at: StartupProblem["path"],
  catalogue: Catalogue,
  importer: Importer,
  problems: StartupProblem[],
  listed: ListedModule[],
): Promise<LoadedModule | undefined> {
  const before = problems.length;
  const grants = readGrants(settings, at, catalogue, problems);
  const config = await readConfig(settings, at, problems);
  let file = settings.path;
  // Messages of the importer name the file themselves, mostly with a line.
  const reportPlain = (message: string) => problems.push({ path: [...at, "path"], message });
  const report = (message: string) => reportPlain(`${file}: ${message}`);
  let exported: unknown;
  let files: string[];
  let packages: string[];
  try {
    file = importer.find(settings.path, name);
    ({ exported, files, packages } = await importer.import(file, name));
  } catch (error) {
    reportPlain((error as Error).message);
    return undefined;
  }
  const definition = readDefinition(exported, catalogue, report);
  if (!definition) return undefined;
  const line = missingGrants(definition.grants ?? [], grants);
  if (line !== undefined) {
    const message = `${file}: needs \`${line}\` beside its \`path\``;
    problems.push({ path: [...at, "grants"], message });
  }
  const { configSchema } = definition;
  // Not at the top: without a schema, a host needs no ajv.
  const validate =
    configSchema && (await import("../declarations/config-schema.js")).compileSchema(configSchema, report);
  const isKnown =
    config && (!configSchema || (validate && checkConfig(validate, config.value, settings, at, problems)));
  const known = isKnown ? config : DEPENDS_ON_CONFIG;
  const callbacks = new Map<string, Entry>();
  const shown = new Map<string, ListedEntry>();
  for (const [callback, declared] of definition.callbacks) {
    const settled = settleEntry(declared, known, `callbacks.${callback}`, catalogue, report);
    if (!settled) continue;
    callbacks.set(callback, settled.entry);
    shown.set(callback, settled.listed);
  }
  const resources = byConfig(definition.web_resources, known, "web_resources", report);
  const web_resources = readWebResources(resources === DEPENDS_ON_CONFIG ? undefined : resources, report);
  const paths = resources === DEPENDS_ON_CONFIG ? DEPENDS_ON_CONFIG : [...web_resources.keys()];
  const index = at[1] as number;
  const { broadcasts } = definition;
  const topics = [...broadcasts.keys()];
  listed.push({ name, index, file, files, callbacks: shown, web_resources: paths, broadcasts: topics });
  if (problems.length > before || known === DEPENDS_ON_CONFIG) return undefined;
  const module: LoadedModule = {
    name,
    index,
    file,
    files,
    packages,
    config: known.value,
    grants,
    declared_grants: definition.grants ?? [],
    callbacks,
    web_resources,
    broadcasts,
  };
  if (definition.setup) module.setup = definition.setup;
  if (definition.close) module.close = definition.close;
  return module;
}
