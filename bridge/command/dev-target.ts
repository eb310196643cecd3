// Reads what `dev` was given: a module, or the bridge's entry of a homeserver.yaml.
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { isObject } from "../base/is-object.js";
import { findFile } from "../loading/module-importer.js";
import type { TestedModule } from "../testing/synapse/start.js";
import { readYaml } from "./api-file.js";

export interface Target {
  readonly modules: readonly TestedModule[];
  /** The other keys of the bridge's block. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Other keys of homeserver.yaml. */
  readonly homeserver: Readonly<Record<string, unknown>>;
  /** What to watch: files, and folders with all that is in them. */
  readonly watched: readonly string[];
}

const BRIDGE = "synapse_module_bridge.ModuleBridge";

export const isYaml = (given: string) => /\.ya?ml$/.test(given);

/** Throws an Error that says what is wrong. */
export function readTarget(given: string, configFile?: string): Target {
  if (!isYaml(given)) return ofModule(given, configFile);
  if (configFile !== undefined)
    throw new Error(
      "--config goes with a module; in homeserver.yaml, `config` or `config_file` stands beside its path",
    );
  return ofYaml(given);
}

function ofModule(given: string, configFile: string | undefined): Target {
  const file = path.resolve(given);
  const entry = findFile(file); // throws where there is none
  const config = configFile === undefined ? {} : { config_file: path.resolve(configFile) };
  // Nothing is lost if it uses what an admin would have to grant.
  const module = { path: file, grants: "all" as const, ...config };
  const watched = [...placesOf(entry), ...(configFile === undefined ? [] : [path.resolve(configFile)])];
  return { modules: [module], config: {}, homeserver: {}, watched };
}

function ofYaml(given: string): Target {
  const file = path.resolve(given);
  const yaml = readYaml(given);
  const entries = isObject(yaml) && Array.isArray(yaml.modules) ? yaml.modules : [];
  const entry = entries.find((other) => isObject(other) && other.module === BRIDGE);
  const block = isObject(entry) && isObject(entry.config) ? entry.config : undefined;
  if (!block || !Array.isArray(block.modules))
    throw new Error(`${given}: there is no entry of ${BRIDGE} with \`modules\` under \`modules\``);
  // This Synapse has one process, on this machine, and does not write into the admin's recordings.
  const { modules, node: _, workers: __, record: ___, callbacks, ...config } = block;
  const settings = isObject(callbacks) ? { callbacks: withoutWorkers(callbacks) } : {};
  const { server_name } = yaml as Record<string, unknown>;
  const named = modules.map((module, index) => {
    if (isObject(module) && typeof module.path === "string") return { ...module, path: module.path };
    throw new Error(`${given}: modules[${index}] of the bridge has no \`path\``);
  });
  const absolute = (name: unknown) => (typeof name === "string" ? [path.resolve(name)] : []);
  return {
    modules: named as TestedModule[],
    config: { ...config, ...settings },
    homeserver: typeof server_name === "string" ? { server_name } : {},
    watched: [
      file,
      ...named.flatMap((module) => absolute(module.path).flatMap(placesOf)),
      ...named.flatMap((module) => absolute("config_file" in module && module.config_file)),
    ],
  };
}

/** What has no settings stays as it is: the bridge says what is wrong with it. */
const withoutWorkers = (callbacks: object) =>
  Object.fromEntries(
    Object.entries(callbacks).map(([name, settings]) => {
      if (!isObject(settings)) return [name, settings];
      const { workers: _, ...others } = settings;
      return [name, others];
    }),
  );

/** A module's file, then its folder, and then all that it may import; also where a link to it leads. */
function placesOf(file: string): string[] {
  const real = existsSync(file) ? realpathSync(file) : file;
  return [...new Set([file, real])].flatMap((one) => [one, path.dirname(one), projectOf(one)]);
}

/** The folder of the nearest package.json, or of the file itself: imports may come from all of it. */
function projectOf(file: string): string {
  const own = path.dirname(file);
  for (let folder = own; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package.json"))) return folder;
    if (folder === path.dirname(folder)) return own;
  }
}
