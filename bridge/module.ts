// What the host knows of a module once its file was loaded and its shape was found right; what authors
// write is typed in define.ts.
import type { StateKey } from "./generated.js";

export type Handler = (params: object, context: object) => unknown;
export type WebHandler = (request: Request, context: object) => unknown;
export type Setup = (context: object) => unknown;

export interface Conditions {
  [key: string]: boolean | string[];
}

/** When to ask: decided by the shim, so it must be plain JSON. */
export interface Match {
  [key: string]: boolean | string[] | Conditions | undefined;
  not?: Conditions;
  local?: boolean;
}

/** All but the handler is plain JSON, which the shim gets. */
export interface Entry {
  /** Absent where the shim answers by itself (`fields`), or where there is a list of entries. */
  handler?: Handler;
  match?: Match;
  room_state?: StateKey[];
  ttl?: string | number;
  fields?: Record<string, unknown>;
  checkers?: Checker[];
}

/** One entry of auth_checkers: who logs in with this type, by these fields of the login. */
export interface Checker extends Omit<Entry, "fields" | "checkers"> {
  login_type: string;
  fields: string[];
}

export interface LoadedModule {
  name: string;
  /** Its place in the configuration's `modules`. */
  index: number;
  /** The file that was loaded. */
  file: string;
  /** All files whose change asks for a reload: the file, what it imports (no packages), its config_file. */
  files: readonly string[];
  config: unknown;
  grants: ReadonlySet<string> | "all";
  callbacks: ReadonlyMap<string, Entry>;
  web_resources: ReadonlyMap<string, WebHandler>;
  setup?: Setup;
}

/** A declaration that is a function of the module's config, where that config is not known. */
export const OF_CONFIG = Symbol("of config");
export type OfConfig = typeof OF_CONFIG;

export interface ListedChecker extends Omit<Checker, "match"> {
  match?: Match | OfConfig;
}

export interface ListedEntry extends Omit<Entry, "match" | "checkers"> {
  match?: Match | OfConfig;
  checkers?: ListedChecker[];
}

/** What a module declares, whether or not it could be loaded with its config. */
export interface ListedModule {
  name: string;
  /** Its place in the configuration's `modules`. */
  index: number;
  file: string;
  files: readonly string[];
  callbacks: ReadonlyMap<string, ListedEntry>;
  web_resources: readonly string[] | OfConfig;
}

/** One module of the `config` block, as `initialize` brings it. */
export interface ModuleSettings {
  path: string;
  name?: string;
  config?: unknown;
  config_file?: string;
  grants?: string[] | "all";
  shadow?: boolean;
}

/** Something to repair in the configuration or in a module's file; the path begins at the bridge's `config` block. */
export interface Fault {
  path: (string | number)[];
  message: string;
}
