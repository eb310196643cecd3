// Types of a module that has been loaded and checked. define.ts has the types of what authors write.
import path from "node:path";
import type {
  ConfiguredModule,
  DeclaredCallback,
  DeclaredLogin,
  Match,
  StartupProblem,
} from "../catalogue/protocol.js";
import type { CallError } from "../transport/call-error.js";

export type Handler = (params: object, context: object) => unknown;
export type WebHandler = (request: Request, context: object) => unknown;
export type Setup = (context: object) => unknown;
export type Close = (context: object) => unknown;
export type BroadcastHandler = (value: unknown, context: object) => unknown;

/** What a call of a handler came to for Synapse, with the text of the reason that the handler gave. */
export type Outcome = { readonly reason: string | undefined } & (
  | { readonly answer: unknown }
  | { readonly failure: CallError }
);

/** Called once for each call of a handler, with the handler's context, when its outcome is known. It never throws. */
export type Settled = (context: object, outcome: Outcome) => void;

/** One callback's entry: what the shim gets of it, and the handler. */
export interface Entry extends Omit<DeclaredCallback, "checkers"> {
  /** Absent if the shim answers by itself (`fields`), or if there are `checkers`. */
  readonly handler?: Handler;
  readonly settled?: Settled;
  readonly checkers?: readonly Checker[];
}

/** One entry of auth_checkers. */
export interface Checker extends DeclaredLogin {
  readonly handler?: Handler;
  readonly settled?: Settled;
}

export interface LoadedModule {
  name: string;
  /** Its place in the configuration's `modules`. */
  index: number;
  /** The file that was loaded. */
  file: string;
  /** That file and the files that it imports, without packages. */
  files: readonly string[];
  /** The files of packages that this module was the first to load. */
  packages: readonly string[];
  config: unknown;
  grants: ReadonlySet<string> | "all";
  /** The grants that the module itself says it needs. */
  declared_grants: readonly string[];
  callbacks: ReadonlyMap<string, Entry>;
  web_resources: ReadonlyMap<string, WebHandler>;
  /** By topic. */
  broadcasts: ReadonlyMap<string, BroadcastHandler>;
  setup?: Setup;
  close?: Close;
}

/** Stands for a declaration that is a function of the module's config, while no valid config is known. */
export const DEPENDS_ON_CONFIG = Symbol("depends on config");
export type DependsOnConfig = typeof DEPENDS_ON_CONFIG;

export interface ListedChecker extends Omit<Checker, "match" | "ttl"> {
  readonly match?: Match | DependsOnConfig;
  readonly ttl?: string | number | DependsOnConfig;
}

export interface ListedEntry extends Omit<Entry, "match" | "ttl" | "checkers"> {
  readonly match?: Match | DependsOnConfig;
  readonly ttl?: string | number | DependsOnConfig;
  readonly checkers?: readonly ListedChecker[] | DependsOnConfig;
}

/** What a module declares, even if its config is missing or wrong. `check` shows it. */
export interface ListedModule {
  name: string;
  /** Its place in the configuration's `modules`. */
  index: number;
  file: string;
  files: readonly string[];
  callbacks: ReadonlyMap<string, ListedEntry>;
  web_resources: readonly string[] | DependsOnConfig;
  /** Topics. */
  broadcasts: readonly string[];
}

/** One module of the bridge's `config` block, as `initialize` has it. */
export interface ModuleSettings extends ConfiguredModule {
  /** The file with the config. Only the commands set it: for the host, the shim reads the file. */
  readonly config_file?: string;
}

/** The beginning of a message that tells an author where in the module's config a problem is; empty if it is elsewhere. */
export function placeInConfig({ path: at }: StartupProblem): string {
  return at[2] === "config" ? `config ${at.slice(3).join(".")}: ` : "";
}

/** The configured name, else the name of the file without its extension, or of the folder. */
export function nameOf({ name, path: file }: ModuleSettings): string {
  return name ?? path.basename(file).replace(/\.(m|c)?[jt]sx?$/, "");
}
