// Implements the command `call`: asks one module about one call, without a Synapse.

import { readFileSync } from "node:fs";
import path from "node:path";
import { CancellationToken } from "vscode-jsonrpc/node";
import { didYouMean } from "../base/nearest.js";
import { readText } from "../base/text-files.js";
import type { RunningModule } from "../calls/context.js";
import { dispatch } from "../calls/dispatch.js";
import { FollowUps } from "../calls/follow-ups.js";
import { findParamProblems } from "../calls/params.js";
import { ModuleSetup } from "../calls/setup.js";
import type { StateSource } from "../calls/state.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { Reply, SynapseInfo } from "../catalogue/protocol.js";
import type { Entry } from "../declarations/module.js";
import { loadModules } from "../loading/loader.js";
import type { Logger } from "../logging/log.js";
import { type ApiSource, makeApi } from "../module-api/api.js";
import { WireError } from "../module-api/api-errors.js";
import type { Event, StateKey } from "../sdk/wire-types.js";
import { matches } from "../shim-rules/match.js";
import { Cancellation } from "../transport/cancellation.js";
import { completeParams } from "./call-params.js";
import type { ReportProgress } from "./subprocess.js";

export interface CallOptions {
  /** The file with the module's config. */
  config?: string;
  /** The value of `api.server_name`. */
  serverName: string;
}

/** Returns the reply. Throws an Error that says what is wrong with the module, the parameters or the answer. */
export async function callOnce(
  file: string,
  callbackName: string,
  params: Record<string, unknown>,
  options: CallOptions,
  catalogue: Catalogue,
  log: Logger,
  report: ReportProgress = () => {},
): Promise<Reply> {
  report({ loading: path.resolve(file) });
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
  const source = { request, handleOf: () => undefined, render };
  const running = await loadAlone(file, options, { synapse, source }, catalogue, log);
  report({ asking: callbackName });
  const callback = find(callbackName, running, catalogue);
  const completed = completeParams(callback, params, options.serverName);
  const problems = findParamProblems(callback, completed, catalogue);
  if (problems.length > 0) throw new Error(`${callback.name}: ${problems.join("; ")}`);
  const { name } = running.module;
  const chosen = entryOf(callback, running, params);
  const { match } = declaredOf(callback, running, chosen.entry);
  if (match !== undefined && !matches(callback, match, completed, options.serverName))
    process.stderr.write(`${callback.name}: match says no: Synapse would not ask ${name} about this\n`);
  running.setup.start();
  const modules = new Map([[name, running]]);
  const call = {
    call: 1,
    modules: [name],
    params: completed,
    request: null,
    ...chosen,
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

/** Reads the parameters of a call from a file, or from standard input for `-`. */
export function readParams(file: string): Record<string, unknown> {
  const where = file === "-" ? "standard input" : file;
  let parsed: unknown;
  try {
    parsed = JSON.parse(file === "-" ? readFileSync(0, "utf8") : readText(file));
  } catch (error) {
    const { message } = error as Error;
    throw new Error(message.includes(where) ? message : `${where}: ${message}`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error(`${where} must hold an object: the callback's parameters by name`);
  }
  return parsed as Record<string, unknown>;
}

/** Loads one module. `around` is what its api answers from. Throws an Error that says what is wrong with it. */
export async function loadAlone(
  file: string,
  options: Pick<CallOptions, "config">,
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
    const texts = problems.map(({ path: at, message }) => {
      const inConfig = at[2] === "config" ? `config ${at.slice(3).join(".")}: ` : "";
      const remedy = inConfig && options.config === undefined ? " (give a config with --config FILE)" : "";
      return inConfig + message + remedy;
    });
    throw new Error(texts.join("\n"));
  }
  const api = makeApi(module, around.synapse, around.source, catalogue);
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

/** For auth_checkers: the index of the first checker for the login type. */
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

function declaredOf(
  { name }: Callback,
  { module }: RunningModule,
  checker: number | undefined,
): Pick<Entry, "match"> {
  const entry = module.callbacks.get(name) ?? {};
  return checker === undefined ? entry : (entry.checkers?.[checker] ?? {});
}

/** A source whose state has only the events in the parameters. */
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
