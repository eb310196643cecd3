// Builds a module's `api` from schemas/api.json: what can be answered from `initialize` is answered here, the rest is
// asked of the shim.
import { type ApiMethod, type Catalogue, grantFor } from "./catalogue.js";
import { type Asker, type Form, interact } from "./database.js";
import { databaseError } from "./database-error.js";
import { SynapseError } from "./errors.js";
import type { LoadedModule } from "./module.js";
import { storeForms } from "./store.js";
import { refuseInTransaction } from "./transaction.js";

/** What `initialize` tells about Synapse. */
export interface SynapseInfo {
  version: string;
  server_name: string;
  run_background_tasks: boolean;
  [property: string]: unknown;
}

export interface ApiSource {
  /** Sends `api/<method>`; fails with a WireError where the shim answers with an error. */
  request(method: string, params: { module: string; params: object }): Promise<unknown>;
  /** The handle of the call that a web request belongs to. */
  handleOf(request: unknown): number | undefined;
}

/** An error that the shim answered with, by its name in schemas/errors.json. */
export class WireError extends Error {
  constructor(
    readonly kind: string | undefined,
    message: string,
    readonly data: Record<string, unknown>,
  ) {
    super(message);
  }
}

type Params = Record<string, unknown>;

/** What a module sees, where that is not what travels. */
const FORMS: ReadonlyMap<string, Form> = new Map([["run_db_interaction", interact], ...storeForms]);

export function makeApi(
  module: Pick<LoadedModule, "name" | "grants">,
  synapse: SynapseInfo,
  source: ApiSource,
  catalogue: Catalogue,
): object {
  const asker: Asker = {
    module: module.name,
    call(path, params) {
      const method = catalogue.methods.get(path);
      if (!method) throw new Error(`api.json has no ${path}`);
      return asyncMethod(path, method, module, source, catalogue)(params);
    },
    send: (path, step, params) => send(path, `${path}/${step}`, module.name, params, source),
  };
  const formed =
    (path: string, method: ApiMethod, form: Form) =>
    async (params: Params = {}) => {
      permit(path, method, module);
      return form(asker, path, byName(path, method, params));
    };
  const api: Record<string, unknown> = {};
  for (const name of catalogue.properties.keys()) api[name] = synapse[name];
  for (const [path, method] of catalogue.methods) {
    const call =
      method.access === "sync"
        ? syncMethod(path, method, synapse, catalogue)
        : asyncMethod(path, method, module, source, catalogue);
    const form = FORMS.get(path);
    place(api, path.split("."), form ? formed(path, method, form) : call);
  }
  for (const value of Object.values(api))
    if (typeof value === "object" && value !== null) Object.freeze(value);
  return Object.freeze(api);
}

type SyncAnswer = (params: Params, synapse: SynapseInfo) => unknown;

const SYNC: ReadonlyMap<string, SyncAnswer> = new Map<string, SyncAnswer>([
  ["is_mine", ({ id }, { server_name }) => isMine(String(id), server_name)],
  ["get_qualified_user_id", ({ username }, { server_name }) => qualify(String(username), server_name)],
  ["should_run_background_tasks", (_, { run_background_tasks }) => run_background_tasks],
  ["get_current_time_msec", () => Date.now()],
]);

/** As in Synapse, which also takes aliases, room ids and garbage. */
export function isMine(id: string, server_name: string): boolean {
  const colon = id.indexOf(":");
  return colon !== -1 && id.slice(colon + 1) === server_name;
}

function qualify(username: string, server_name: string): string {
  return username.startsWith("@") ? username : `@${username}:${server_name}`;
}

function syncMethod(path: string, method: ApiMethod, synapse: SynapseInfo, catalogue: Catalogue) {
  const answer = SYNC.get(path);
  if (!answer) throw new Error(`api.json declares ${path} as synchronous, but the host has no answer to it`);
  return (params: Params = {}) => answer(checked(path, method, params, catalogue), synapse);
}

function asyncMethod(
  path: string,
  method: ApiMethod,
  module: Pick<LoadedModule, "name" | "grants">,
  source: ApiSource,
  catalogue: Catalogue,
) {
  return async (params: Params = {}) => {
    permit(path, method, module);
    const handed = checked(path, method, withHandles(path, method, params, source), catalogue);
    const result = await send(path, path, module.name, handed, source);
    return method.result === "Nothing" ? undefined : result;
  };
}

function permit(path: string, method: ApiMethod, module: Pick<LoadedModule, "name" | "grants">): void {
  refuseInTransaction(path);
  const grant = grantFor(path, method);
  // The shim checks this too: here it only fails sooner, and with a stack that shows the caller.
  if (method.access === "write" && module.grants !== "all" && !module.grants.has(grant)) {
    throw new Error(
      `${module.name} may not call api.${path}: add ${grant} to its \`grants\` in homeserver.yaml`,
    );
  }
}

async function send(path: string, wirePath: string, module: string, params: object, source: ApiSource) {
  try {
    return await source.request(wirePath, { module, params });
  } catch (error) {
    throw error instanceof WireError ? fromWire(path, error) : error;
  }
}

/** A copy without undefined parameters; throws a TypeError that names the method and the parameter. */
function checked(path: string, method: ApiMethod, params: Params, catalogue: Catalogue): Params {
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

/** A web request travels as the handle of its call. */
function withHandles(path: string, method: ApiMethod, params: Params, source: ApiSource): Params {
  const names = Object.keys(method.params).filter((name) => method.params[name] === "WebRequest");
  if (names.length === 0 || typeof params !== "object" || params === null) return params;
  const handed = { ...params };
  for (const name of names) {
    const handle = source.handleOf(params[name]);
    if (handle === undefined)
      throw new TypeError(`api.${path}: ${name} must be the Request that a web handler was given`);
    handed[name] = handle;
  }
  return handed;
}

function fromWire(path: string, error: WireError): Error {
  if (error.kind === "database_error") return databaseError(path, error);
  const { code, msg, errcode, additional_fields } = error.data;
  if (error.kind === "synapse_error") {
    try {
      return new SynapseError(
        code as number,
        msg as string,
        errcode as string,
        (additional_fields ?? {}) as never,
      );
    } catch {
      // A status that is no error, as of a redirect: not one that a module could throw on.
      return new Error(`api.${path} failed: ${code} ${errcode}: ${msg}`, { cause: error });
    }
  }
  return new Error(`api.${path} failed: ${error.message}`, { cause: error });
}

function place(api: Record<string, unknown>, [first = "", ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    api[first] = value;
    return;
  }
  api[first] ??= {};
  place(api[first] as Record<string, unknown>, rest, value);
}
