// Checks the shape of the bridge's `config` block, as the shim does before it starts anything.
import path from "node:path";
import { Ajv } from "ajv";
import type { Catalogue } from "./catalogue.js";
import { nodeProblem } from "./check-node.js";
import type { Fault, ModuleSettings } from "./module.js";
import { didYouMean } from "./nearest.js";
import { explain } from "./settings.js";

export type Duration = string | number;
export type Timeout = Duration | { local?: Duration; federated?: Duration };
export type Policy = "allow" | "deny" | "defer";
export type OnFailure = Policy | { local?: Policy; federated?: Policy };

export interface Block {
  modules: ModuleSettings[];
  node?: string;
  memory?: string | number;
  timeout?: Timeout;
  on_failure?: OnFailure;
  workers?: string[];
  callbacks?: Record<
    string,
    { timeout?: Timeout; optional?: boolean; on_failure?: OnFailure; workers?: string[] }
  >;
}

const UNITS = ["K", "M", "G"];
const LEAST_MEMORY = 16 * 1024 ** 2;

/** The block with absolute paths, or what is wrong with it. */
export function readBlock(config: unknown, catalogue: Catalogue): { block?: Block; faults: Fault[] } {
  const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, strictTypes: false });
  ajv.addVocabulary(["errorMessage"]);
  const validate = ajv.compile<Block>(catalogue.configSchema);
  if (!validate(config)) {
    const faults = (validate.errors ?? []).map((error) => {
      const said: unknown = error.parentSchema?.errorMessage;
      const { path, message } = explain(error);
      const general = error.keyword === "additionalProperties" || error.keyword === "required";
      return { path, message: typeof said === "string" && !general ? said : message };
    });
    return { faults: unique(faults) };
  }
  const faults = Object.entries(config.callbacks ?? {}).flatMap(([name, { on_failure, workers }]) => [
    ...callbackFault(name, catalogue),
    ...policyFaults(name, on_failure, catalogue),
    ...workersFault(name, workers, config.workers),
  ]);
  faults.push(...processFaults(config));
  return { block: { ...config, modules: config.modules.map(absolute) }, faults };
}

function callbackFault(name: string, catalogue: Catalogue): Fault[] {
  if (catalogue.callbacks.has(name)) return [];
  const message = `is no callback of Synapse${didYouMean(name, catalogue.callbacks.keys())}`;
  return [{ path: ["callbacks", name], message }];
}

function policyFaults(name: string, set: OnFailure | undefined, catalogue: Catalogue): Fault[] {
  const callback = catalogue.callbacks.get(name);
  if (!callback || set === undefined) return [];
  const offered = (["allow", "deny", "defer"] as const).filter((policy) => policy in callback.on_failure);
  const wanted = typeof set === "string" ? [set] : Object.values(set);
  return wanted
    .filter((policy) => !offered.includes(policy))
    .map((policy) => ({
      path: ["callbacks", name, "on_failure"],
      message: `${name} cannot express ${policy}; it can express ${offered.join(", ")}`,
    }));
}

function workersFault(name: string, wanted: string[] | undefined, starting: string[] | undefined): Fault[] {
  if (!starting || !wanted || [...starting, "background"].some((process) => wanted.includes(process)))
    return [];
  const message = `no process would ask: \`workers\` starts Node in ${starting.join(", ")}`;
  return [{ path: ["callbacks", name, "workers"], message }];
}

function processFaults({ node, memory }: Block): Fault[] {
  const faults: Fault[] = [];
  const problem = node === undefined ? undefined : nodeProblem(path.resolve(node));
  if (problem) faults.push({ path: ["node"], message: problem });
  if (memory !== undefined && bytes(memory) < LEAST_MEMORY)
    faults.push({ path: ["memory"], message: "must be at least 16M: Node needs that much to start" });
  return faults;
}

/** As Synapse reads a size. */
function bytes(size: string | number): number {
  const unit = UNITS.indexOf(String(size).slice(-1));
  return Number.parseInt(String(size), 10) * (unit === -1 ? 1 : 1024 ** (unit + 1));
}

function absolute(module: ModuleSettings): ModuleSettings {
  const { config_file } = module;
  const file = config_file === undefined ? {} : { config_file: path.resolve(config_file) };
  return { ...module, path: path.resolve(module.path), ...file };
}

/** Several keywords of one schema may refuse one value. */
function unique(faults: Fault[]): Fault[] {
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const key = JSON.stringify(fault);
    return !seen.has(key) && seen.add(key);
  });
}
