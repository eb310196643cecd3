// The `call` command: asks one module about one call, without a Synapse.
import { readFileSync } from "node:fs";
import path from "node:path";
import { CancellationToken } from "vscode-jsonrpc/node";
import { makeApi } from "./api.js";
import { WireError } from "./api-errors.js";
import { Cancellation } from "./cancellation.js";
import type { Callback, Catalogue } from "./catalogue.js";
import type { RunningModule } from "./context.js";
import { type Decision, dispatch } from "./dispatch.js";
import { FollowUps } from "./follow-ups.js";
import type { Event, StateKey } from "./generated.js";
import { loadModules } from "./loader.js";
import type { Logger } from "./log.js";
import { didYouMean } from "./nearest.js";
import { ModuleSetup } from "./setup.js";
import type { StateSource } from "./state.js";

export interface CallOptions {
  /** The module's config file. */
  config?: string;
  /** What `api.server_name` says. */
  serverName: string;
}

/** The decision; throws an Error that says what is wrong with the module, the parameters or the answer. */
export async function callOnce(
  file: string,
  callbackName: string,
  params: Record<string, unknown>,
  options: CallOptions,
  catalogue: Catalogue,
  log: Logger,
): Promise<Decision> {
  const running = await load(file, options, catalogue, log);
  const callback = find(callbackName, running, catalogue);
  const completed = withState(callback, params);
  running.setup.start();
  const { name } = running.module;
  const modules = new Map([[name, running]]);
  const call = {
    call: 1,
    modules: [name],
    params: completed,
    request: null,
    ...entryOf(callback, running, params),
  };
  const state = stateFrom(completed);
  const cancellation = new Cancellation(CancellationToken.None);
  try {
    const around = { catalogue, modules, state, cancellation };
    return await dispatch(callback, call, { ...around, handles: new WeakMap(), followUps: new FollowUps() });
  } finally {
    running.setup.stop();
  }
}

/** The parameters of a call from a file, or from standard input for `-`. */
export function readParams(file: string): Record<string, unknown> {
  const where = file === "-" ? "standard input" : file;
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error(`${where} must hold an object: the callback's parameters by name`);
  }
  return parsed as Record<string, unknown>;
}

async function load(
  file: string,
  options: CallOptions,
  catalogue: Catalogue,
  log: Logger,
): Promise<RunningModule> {
  const config = options.config === undefined ? {} : { config_file: path.resolve(options.config) };
  // No grant would help: there is no Synapse.
  const settings = { path: path.resolve(file), ...config, grants: "all" as const };
  const { modules, faults } = await loadModules([settings], catalogue);
  const [module] = modules;
  if (!module || faults.length > 0) {
    const texts = faults.map(({ path: at, message }) => {
      const inConfig = at[2] === "config" ? `config ${at.slice(3).join(".")}: ` : "";
      const remedy = inConfig && options.config === undefined ? " (give a config with --config FILE)" : "";
      return inConfig + message + remedy;
    });
    throw new Error(texts.join("\n"));
  }
  const synapse = {
    version: "none",
    server_name: options.serverName,
    worker_name: null,
    worker_app: null,
    public_baseurl: `https://${options.serverName}/`,
    email_app_name: "Matrix",
    custom_template_dir: null,
    run_background_tasks: true,
  };
  const request = async (method: string) => {
    throw new WireError(undefined, `there is no Synapse to ask for ${method}: this is a call by hand`, {});
  };
  const render = () => request("a template");
  const api = makeApi(module, synapse, { request, handleOf: () => undefined, render }, catalogue);
  const own = log.child({ module: module.name });
  return { module, api, log: own, setup: new ModuleSetup(module, api, own) };
}

function find(name: string, { module }: RunningModule, catalogue: Catalogue): Callback {
  const callback = catalogue.callbacks.get(name);
  const entry = module.callbacks.get(name);
  if (entry?.fields)
    throw new Error(`${module.name} has fields for ${name}: Synapse adds them without a call`);
  if (callback && entry) return callback;
  const has = `it has ${[...module.callbacks.keys()].join(", ") || "none"}`;
  throw new Error(
    `${module.name} has no callback ${name}${didYouMean(name, module.callbacks.keys())}; ${has}`,
  );
}

/** Of a list of entries, the first one for the login type. */
function entryOf(
  { name }: Callback,
  { module }: RunningModule,
  { login_type }: Record<string, unknown>,
): { entry?: number } {
  const checkers = module.callbacks.get(name)?.checkers;
  if (!checkers) return {};
  const entry = checkers.findIndex((checker) => checker.login_type === login_type);
  if (entry !== -1) return { entry };
  const known = checkers.map((checker) => checker.login_type).join(", ");
  throw new Error(`${module.name} checks no login_type ${login_type}; it checks ${known}`);
}

/** The room's state may be left out: it is empty then. */
function withState(callback: Callback, params: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(callback.params).filter((name) => callback.params[name] === "StateEvents");
  return { ...Object.fromEntries(names.map((name) => [name, { events: [] }])), ...params };
}

/** The events that came with the parameters are all the state there is. */
function stateFrom(params: Record<string, unknown>): StateSource {
  const events = () => (params.state_events as { events: Event[] }).events;
  const fits = (event: Event, [type, key]: StateKey) => {
    return event.type === type && (key === null || event.state_key === key);
  };
  return {
    get: async (keys) => events().filter((event) => keys === null || keys.some((key) => fits(event, key))),
    keys: async () => events().map((event) => [event.type, event.state_key ?? ""]),
  };
}
