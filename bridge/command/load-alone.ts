// Loads one module for `replay`, whose api answers from a recording; and says in words what is wrong with a module.
import path from "node:path";
import type { RunningModule } from "../calls/context.js";
import { ModuleSetup } from "../calls/setup.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { StartupProblem, SynapseInfo } from "../catalogue/protocol.js";
import { placeInConfig } from "../declarations/module.js";
import { loadModules } from "../loading/loader.js";
import type { Logger } from "../logging/log.js";
import { type ApiSource, makeApi } from "../module-api/api.js";

/** Loads one module. `around` is what its api answers from. Throws an Error that says what is wrong with it. */
export async function loadAlone(
  file: string,
  options: { config?: string },
  around: { synapse: SynapseInfo; source: ApiSource },
  catalogue: Catalogue,
  log: Logger,
): Promise<RunningModule> {
  const config = options.config === undefined ? {} : { config_file: path.resolve(options.config) };
  // Grants do not matter, since there is no Synapse.
  const settings = { path: path.resolve(file), ...config, grants: "all" as const };
  const { modules, problems } = await loadModules([settings], catalogue);
  const [module] = modules;
  if (!module || problems.length > 0) {
    throw new Error(problemsInWords(problems, options.config !== undefined));
  }
  const api = makeApi(module, around.synapse, around.source, catalogue);
  const own = log.child({ module: module.name });
  return { module, api, log: own, setup: new ModuleSetup(module, api, own) };
}

/** `configured`: the command was given a config. */
export function problemsInWords(problems: readonly StartupProblem[], configured: boolean): string {
  const texts = problems.map((problem) => {
    const place = placeInConfig(problem);
    const remedy = place && !configured ? " (give a config with --config FILE)" : "";
    return place + problem.message + remedy;
  });
  return texts.join("\n");
}
