// Builds a module's `api` from schemas/api.json. Synchronous methods and properties are answered from `initialize`; all other
// methods are requests to the shim.

import { whatJsonLoses } from "../base/json-check.js";
import { type ApiMethod, type Catalogue, grantsFor } from "../catalogue/catalogue.js";
import type { ApiRequest, SynapseInfo, TemplateRender } from "../catalogue/protocol.js";
import type { LoadedModule } from "../declarations/module.js";
import { ApiError } from "../sdk/errors.js";
import type { ApiClient, MethodAdapter, TransactionSteps } from "./api-client.js";
import { thrownFor, WireError } from "./api-errors.js";
import { fromWire, toWire, type ValueSource } from "./api-values.js";
import { broadcast } from "./broadcast.js";
import { interact } from "./database.js";
import { currentOrigin } from "./origin.js";
import { sanitizeEvent, sanitizeEvents } from "./sanitize-events.js";
import { storeAdapters } from "./store.js";
import { refuseInTransaction, TRANSACTION } from "./transaction.js";

export interface ApiSource extends ValueSource {
  /** Sends `api/<method>`. Rejects with a WireError if the shim answers with an error. */
  request(method: string, params: ApiRequest): Promise<unknown>;
  /** The clock, in milliseconds. Without it, it is that of the process. */
  now?(): number;
}

type Params = Record<string, unknown>;

/** The methods that modules call in another shape than the wire's. */
const ADAPTERS: ReadonlyMap<string, MethodAdapter> = new Map([
  ["run_db_interaction", interact],
  ["broadcast", broadcast],
  ...storeAdapters,
]);

export function makeApi(
  module: Pick<LoadedModule, "name" | "grants"> & Partial<Pick<LoadedModule, "broadcasts">>,
  synapse: SynapseInfo,
  source: ApiSource,
  catalogue: Catalogue,
): object {
  const methodOf = (path: string) => {
    const method = catalogue.methods.get(path);
    if (!method) throw new Error(`api.json has no ${path}`);
    return method;
  };
  const client: ApiClient = {
    module: module.name,
    topics: [...(module.broadcasts?.keys() ?? [])],
    check: (path, params) => void checkParams(path, methodOf(path), params, catalogue),
    call: (path, params) => asyncMethod(path, methodOf(path), module, source, catalogue)(params),
    step: async (step, params) => {
      const result = await send(TRANSACTION, `${TRANSACTION}/${step}`, module.name, params, source);
      return result as TransactionSteps[typeof step]["result"];
    },
  };
  const adapted =
    (path: string, method: ApiMethod, adapter: MethodAdapter) =>
    async (params: Params = {}) => {
      checkAllowed(path, method, module);
      return adapter(client, path, byName(path, method, params));
    };
  const api: Record<string, unknown> = {};
  for (const name of catalogue.properties.keys()) api[name] = synapse[name];
  for (const [path, method] of catalogue.methods) {
    const call =
      method.access === "sync"
        ? syncMethod(path, method, synapse, source, catalogue)
        : asyncMethod(path, method, module, source, catalogue);
    const adapter = ADAPTERS.get(path);
    setAt(api, path.split("."), adapter ? adapted(path, method, adapter) : call);
  }
  for (const value of Object.values(api))
    if (typeof value === "object" && value !== null) Object.freeze(value);
  return Object.freeze(api);
}

type SyncAnswer = (params: Params, synapse: SynapseInfo, source: ApiSource) => unknown;

const SYNC: ReadonlyMap<string, SyncAnswer> = new Map<string, SyncAnswer>([
  ["is_mine", ({ id }, { server_name }) => isMine(String(id), server_name)],
  ["get_qualified_user_id", ({ username }, { server_name }) => qualify(String(username), server_name)],
  ["should_run_background_tasks", (_, { run_background_tasks }) => run_background_tasks],
  ["get_current_time_msec", (_, __, { now }) => now?.() ?? Date.now()],
]);

/** As Synapse's is_mine, which also accepts aliases, room ids and any other text. */
export function isMine(id: string, server_name: string): boolean {
  const colon = id.indexOf(":");
  return colon !== -1 && id.slice(colon + 1) === server_name;
}

function qualify(username: string, server_name: string): string {
  return username.startsWith("@") ? username : `@${username}:${server_name}`;
}

function syncMethod(
  path: string,
  method: ApiMethod,
  synapse: SynapseInfo,
  source: ApiSource,
  catalogue: Catalogue,
) {
  const answer = SYNC.get(path);
  if (!answer) throw new Error(`api.json declares ${path} as synchronous, but the host has no answer to it`);
  return (params: Params = {}) => answer(checkParams(path, method, params, catalogue), synapse, source);
}

function asyncMethod(
  path: string,
  method: ApiMethod,
  module: Pick<LoadedModule, "name" | "grants">,
  source: ApiSource,
  catalogue: Catalogue,
) {
  return async (params: Params = {}) => {
    checkAllowed(path, method, module);
    const handed = checkParams(path, method, withWireValues(path, method, params, source), catalogue);
    const problem = whatJsonLoses(handed);
    if (problem) throw new TypeError(`api.${path}: ${problem}, which cannot be sent`);
    const result = await send(path, path, module.name, handed, source);
    const type = method.result.replace(/\?$/, "");
    if (type === "Events") sanitizeEvents(result, catalogue);
    if (type === "Event") sanitizeEvent(result, catalogue);
    return fromWire(type, result, handed, rendering(source));
  };
}

/** A source whose `render` fails like a method of the api. */
function rendering(source: ApiSource): ValueSource {
  const render = async (params: TemplateRender) => {
    refuseInTransaction("read_templates");
    return source.render(params).catch((error) => {
      throw error instanceof WireError ? thrownFor("read_templates", error) : error;
    });
  };
  return { handleOf: source.handleOf, render };
}

function checkAllowed(path: string, method: ApiMethod, module: Pick<LoadedModule, "name" | "grants">): void {
  refuseInTransaction(path);
  const { name, grants } = module;
  // The shim checks grants too. This check only fails sooner.
  if (method.access !== "write" || grants === "all") return;
  const enough = grantsFor(path, method);
  if (enough.some((grant) => grants.has(grant))) return;
  const line = [...grants, enough[0]].join(", ");
  const message = `${name} may not call ${path}: write \`grants: [${line}]\` beside its \`path\` in homeserver.yaml`;
  throw new ApiError(message, path, "not_granted");
}

async function send(
  path: string,
  wirePath: string,
  module: string,
  params: ApiRequest["params"],
  source: ApiSource,
) {
  const origin = currentOrigin();
  if (origin) origin.pending++;
  try {
    const from = origin && { call: origin.call };
    return await source.request(wirePath, { module, ...from, params });
  } catch (error) {
    throw error instanceof WireError ? thrownFor(path, error) : error;
  } finally {
    if (origin) origin.pending--;
  }
}

/** Returns a copy without undefined parameters. Throws a TypeError that names the method and the parameter. */
function checkParams(path: string, method: ApiMethod, params: Params, catalogue: Catalogue): Params {
  const given = Object.fromEntries(
    Object.entries(byName(path, method, params)).filter(([, value]) => value !== undefined),
  );
  const validate = catalogue.paramsValidator(method.params, true);
  if (validate(given)) return given;
  const [error] = validate.errors ?? [];
  const extra = error?.params.additionalProperty;
  if (extra !== undefined) throw new TypeError(`api.${path} has no parameter ${extra}`);
  const place = error?.instancePath.slice(1).replaceAll("/", ".") || error?.params.missingProperty;
  const what = error?.keyword === "required" ? "is missing" : error?.message;
  throw new TypeError(`api.${path}: ${place} ${what}`);
}

function byName(path: string, method: ApiMethod, params: Params): Params {
  if (typeof params === "object" && params !== null && !Array.isArray(params)) return params;
  throw new TypeError(
    `api.${path} takes its parameters by name: api.${path}({ ${Object.keys(method.params).join(", ")} })`,
  );
}

function withWireValues(path: string, method: ApiMethod, params: Params, source: ApiSource): Params {
  if (typeof params !== "object" || params === null) return params;
  const handed = { ...params };
  for (const [declared, type] of Object.entries(method.params)) {
    const name = declared.replace(/\?$/, "");
    if (!(name in params)) continue;
    handed[name] = toWire(type.replace(/\?$/, ""), params[name], `api.${path}: ${name}`, source);
  }
  return handed;
}

function setAt(api: Record<string, unknown>, [first = "", ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    api[first] = value;
    return;
  }
  api[first] ??= {};
  setAt(api[first] as Record<string, unknown>, rest, value);
}
