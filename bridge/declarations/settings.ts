// Reads a module's config (from homeserver.yaml or its config_file), checks it against its configSchema, and fills in
// defaults.

import type { ErrorObject, ValidateFunction } from "ajv";
import { whatJsonLoses } from "../base/json-check.js";
import { didYouMean } from "../base/nearest.js";
import { readText } from "../base/text-files.js";
import type { StartupProblem } from "../catalogue/protocol.js";
import type { ModuleSettings } from "./module.js";

/** Returns the config as written, an empty object if there is none, or undefined after a problem. */
export async function readConfig(
  settings: ModuleSettings,
  at: StartupProblem["path"],
  problems: StartupProblem[],
): Promise<{ value: unknown } | undefined> {
  const { config, config_file, config_fault } = settings;
  if (config_fault !== undefined) {
    const key = settings.config_source === undefined ? "config" : "config_file";
    problems.push({ path: [...at, key], message: config_fault });
    return undefined;
  }
  if (config_file === undefined) return { value: structuredClone(config ?? {}) };
  if (config !== undefined) {
    problems.push({ path: [...at, "config_file"], message: "give config or config_file, not both" });
    return undefined;
  }
  // Not at the top: in a host, the shim has read the file.
  const { parseYaml } = await import("../base/yaml.js");
  try {
    // The same parser as for homeserver.yaml, so that a config means the same in both places.
    const value = parseYaml(readText(config_file)) ?? {};
    const problem = whatJsonLoses(value);
    if (problem) throw new Error(`${problem}: put it in quotes`);
    return { value };
  } catch (error) {
    const message = (error as Error).message.replace(/\s+/g, " ").trim();
    // The message about a file that is not text names the file already.
    const named = message.includes(config_file) ? message : `${config_file}: ${message}`;
    problems.push({ path: [...at, "config_file"], message: named });
    return undefined;
  }
}

/** Fills in defaults, and adds each problem with its place in homeserver.yaml. Returns whether there was none. */
export function checkConfig(
  validate: ValidateFunction,
  config: unknown,
  settings: ModuleSettings,
  at: StartupProblem["path"],
  problems: StartupProblem[],
): boolean {
  if (validate(config)) return true;
  for (const error of validate.errors ?? []) {
    const { path, message } = explain(error);
    const file = settings.config_source ?? settings.config_file;
    if (file === undefined) problems.push({ path: [...at, "config", ...path], message });
    else {
      const place = path.length > 0 ? `${path.join(".")}: ` : "";
      problems.push({ path: [...at, "config_file"], message: `${file}: ${place}${message}` });
    }
  }
  return false;
}

/** Converts an error of ajv: the place as a list of keys, and a message that names the values or keys that fit. */
function explain(error: ErrorObject): { path: (string | number)[]; message: string } {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const { params } = error;
  if (error.keyword === "additionalProperties") {
    const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
    const key = String(params.additionalProperty);
    return { path: [...path, key], message: `unknown key${didYouMean(key, known)}` };
  }
  if (error.keyword === "required")
    return { path: [...path, String(params.missingProperty)], message: "is required" };
  if (error.keyword === "enum") {
    return {
      path,
      message: `must be one of ${params.allowedValues.map((one: unknown) => JSON.stringify(one)).join(", ")}`,
    };
  }
  if (error.keyword === "const") return { path, message: `must be ${JSON.stringify(params.allowedValue)}` };
  return { path, message: error.message ?? "is not valid" };
}
