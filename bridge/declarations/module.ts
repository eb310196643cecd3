// What the host knows of a module once its file was loaded and its shape was found right; what authors
// write is typed in define.ts.
import path from "node:path";
import type { ConfiguredModule, DeclaredCallback, DeclaredLogin, Match } from "../catalogue/protocol.js";

export type Handler = (params: object, context: object) => unknown;
export type WebHandler = (request: Request, context: object) => unknown;
export type Setup = (context: object) => unknown;

/** What the shim gets, and the handler. */
export interface Entry extends Omit<DeclaredCallback, "checkers"> {
  /** Absent where the shim answers by itself (`fields`), or where there is a list of entries. */
  readonly handler?: Handler;
  readonly checkers?: readonly Checker[];
}

/** One entry of auth_checkers. */
export interface Checker extends DeclaredLogin {
  readonly handler?: Handler;
}

export interface LoadedModule {
  name: string;
  /** Its place in the configuration's `modules`. */
  index: number;
  /** The file that was loaded. */
  file: string;
  /** What it was loaded from: the file, and what it imports. */
  files: readonly string[];
  /** The files of packages that it was the first module to load. */
  packages: readonly string[];
  config: unknown;
  grants: ReadonlySet<string> | "all";
  callbacks: ReadonlyMap<string, Entry>;
  web_resources: ReadonlyMap<string, WebHandler>;
  setup?: Setup;
}

/** A declaration that is a function of the module's config, where that config is not known. */
export const DEPENDS_ON_CONFIG = Symbol("depends on config");
export type DependsOnConfig = typeof DEPENDS_ON_CONFIG;

export interface ListedChecker extends Omit<Checker, "match"> {
  readonly match?: Match | DependsOnConfig;
}

export interface ListedEntry extends Omit<Entry, "match" | "checkers"> {
  readonly match?: Match | DependsOnConfig;
  readonly checkers?: readonly ListedChecker[];
}

/** What a module declares, whether or not it could be loaded with its config. */
export interface ListedModule {
  name: string;
  /** Its place in the configuration's `modules`. */
  index: number;
  file: string;
  files: readonly string[];
  callbacks: ReadonlyMap<string, ListedEntry>;
  web_resources: readonly string[] | DependsOnConfig;
}

/** One module of the `config` block, as `initialize` brings it. */
export interface ModuleSettings extends ConfiguredModule {
  /** Where to read its config, for a command that is no shim's. */
  readonly config_file?: string;
}

/** The name that it is given, else the file's without its ending; for a folder, the folder's. */
export function nameOf({ name, path: file }: ModuleSettings): string {
  return name ?? path.basename(file).replace(/\.(m|c)?[jt]s$/, "");
}
