// Reads what a test gives to `createTester`: paths, imported modules, or lists of them.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isObject } from "../base/is-object.js";
import { checkKeys } from "../base/known-words.js";
import type { ConfiguredModule } from "../catalogue/protocol.js";
import type { TesterOptions } from "./options.js";

/** One module of the chain, before it is loaded. */
export interface Wanted {
  settings: ConfiguredModule;
  /** The module itself; without it, `settings.path` is a file. */
  exported?: unknown;
}

/** What a test gives, as modules of a configuration. Throws a TypeError for what is no module. */
export function wantedModules(what: unknown, options: TesterOptions): Wanted[] {
  const list: readonly unknown[] = Array.isArray(what) ? what : [what];
  if (list.length === 0) throw new TypeError("createTester: give at least one module");
  return list.map((one, index) => {
    const { name: named, config = options.config, grants = options.grants, ...rest } = entryOf(one);
    const file = typeof rest.path === "string" ? path.resolve(rest.path) : undefined;
    const plain = list.length === 1 ? "module" : `module-${index + 1}`;
    const name = named ?? (file === undefined ? plain : path.basename(file).replace(/\.(m|c)?[jt]sx?$/, ""));
    const settings = {
      ...{ path: file ?? name, name },
      ...(config !== undefined && { config }),
      ...(grants !== undefined && { grants }),
    } as ConfiguredModule;
    return file === undefined ? { settings, exported: rest.module } : { settings };
  });
}

interface InputEntry {
  path?: unknown;
  module?: unknown;
  name?: string;
  config?: object;
  grants?: readonly string[] | "all";
}

const ENTRY: Readonly<Record<keyof InputEntry, true>> = {
  ...{ path: true, module: true, name: true, config: true, grants: true },
};

function entryOf(one: unknown): InputEntry {
  if (one instanceof URL) return { path: fileURLToPath(one) };
  if (typeof one === "string") return { path: one.startsWith("file:") ? fileURLToPath(one) : one };
  if (!isObject(one)) throw new TypeError("createTester: give a path, an imported module, or a list of them");
  if ("path" in one || "module" in one) {
    const { path: file, module } = one as InputEntry;
    checkKeys("createTester", one, ENTRY);
    return { ...one, ...(file === undefined ? { module: defaultOf(module) } : entryOf(file)) };
  }
  return { module: defaultOf(one) };
}

/** The module itself, where a test gives the whole namespace of its file. */
function defaultOf(module: unknown): unknown {
  return typeof module === "object" && module !== null && "default" in module
    ? defaultOf((module as { default: unknown }).default)
    : module;
}
