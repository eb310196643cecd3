// A module's own config: from homeserver.yaml or its config_file, with the defaults of its configSchema filled in.
import { readFileSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import { whatJsonLoses } from "./json-check.js";
import type { Fault, ModuleSettings } from "./module.js";
import { didYouMean } from "./nearest.js";

/** The config as written, or undefined after a fault. A module without config gets an empty object. */
export function readConfig(
  settings: ModuleSettings,
  at: Fault["path"],
  faults: Fault[],
): { value: unknown } | undefined {
  const { config, config_file } = settings;
  if (config_file === undefined) return { value: structuredClone(config ?? {}) };
  if (config !== undefined) {
    faults.push({ path: [...at, "config_file"], message: "give config or config_file, not both" });
    return undefined;
  }
  try {
    // As in homeserver.yaml, so that a config means the same in either place.
    const value = parse(readFileSync(config_file, "utf8"), { version: "1.1" }) ?? {};
    const problem = whatJsonLoses(value);
    if (problem) throw new Error(`${problem}: put it in quotes`);
    return { value };
  } catch (error) {
    const message = (error as Error).message.replace(/\s+/g, " ").trim();
    faults.push({ path: [...at, "config_file"], message: `${config_file}: ${message}` });
    return undefined;
  }
}

/** Compiles a module's configSchema; throws an Error that says what is wrong with it. */
export function compileSchema(schema: object): ValidateFunction {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    validateFormats: false,
    allowUnionTypes: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
  });
  return ajv.compile(schema);
}

/** Fills in defaults, and tells every error at the place in homeserver.yaml that it is about. */
export function checkConfig(
  validate: ValidateFunction,
  config: unknown,
  settings: ModuleSettings,
  at: Fault["path"],
  faults: Fault[],
): boolean {
  if (validate(config)) return true;
  for (const error of validate.errors ?? []) {
    const { path, message } = explain(error);
    if (settings.config_file === undefined) faults.push({ path: [...at, "config", ...path], message });
    else {
      const place = path.length > 0 ? `${path.join(".")}: ` : "";
      faults.push({ path: [...at, "config_file"], message: `${settings.config_file}: ${place}${message}` });
    }
  }
  return false;
}

/** Ajv's error with the place as a list of keys, and the words or keys that would have been right. */
export function explain(error: ErrorObject): { path: (string | number)[]; message: string } {
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
