// Plays Synapse for the modules of a test: answers what the host asks, from the test's `api`, users, rooms and store.

import { ResponseError } from "vscode-jsonrpc/node";
import { isObject } from "../base/is-object.js";
import { real } from "../base/real-time.js";
import type { ApiMethod } from "../catalogue/catalogue.js";
import {
  type ApiRequest,
  type Broadcast,
  ERROR_CODES,
  type ErrorName,
  LIMITS,
} from "../catalogue/protocol.js";
import { bytesOf } from "../module-api/api-values.js";
import { isApiError, isHttpResponseException, isSynapseError, SynapseError } from "../sdk/errors.js";
import type { FakeStore } from "./fake-store.js";
import { checkApi } from "./given.js";
import { knownApi } from "./known-api.js";
import type { FakeApi, Write } from "./options.js";
import type { Room, World } from "./world.js";

type Params = Record<string, unknown>;
type Given = (params: Params) => unknown;

// An answer is written in one turn of the event loop, and read in the next.
const TURNS_TO_DELIVER = 3;

const ROOM_READS = new Set(["get_room_state", "get_state_events_in_room", "get_canonical_room_alias"]);

/** What a call of the kit lends to the modules that it asks. */
export interface Lent {
  room?: Room | undefined;
  /** Who makes its web request. */
  user?: string | undefined;
  request?: object | undefined;
}

export class FakeSynapse {
  readonly lent = new Map<number, Lent>();
  readonly writes: Write[] = [];
  /** The writes of modules that have no answer yet. */
  readonly pending = new Map<object, string>();
  /** Gets what modules broadcast. Must not throw. */
  onBroadcast: (broadcast: Broadcast) => void = () => {};
  /** Answers what is pending, one by one: racing with one lasting promise would keep all that has been answered. */
  #abandon = new Set<(nothing: null) => void>();
  #templates = new Map<string, { render?: (variables: object) => unknown }>();
  #transactions = new Map<number, string>();

  constructor(
    private readonly world: World,
    private readonly store: FakeStore,
    private readonly api: FakeApi,
    /** For calls by hand: says how to give what is not given. Users and rooms are not made up then. */
    private readonly remedy?: (path: string) => string,
  ) {
    checkApi(api, world.catalogue);
  }

  /** Answers what is pending with nothing: a rejection that no module awaits would end the test's process. */
  async abandon(): Promise<void> {
    for (const answer of this.#abandon) answer(null);
    for (let turns = 0; turns < TURNS_TO_DELIVER; turns++) await real.turn();
  }

  /** Answers a request of the host. Rejects with a ResponseError, as the shim answers with one. */
  async serve(method: string, params: unknown): Promise<unknown> {
    let answer: (nothing: null) => void = () => {};
    const abandoned = new Promise<null>((resolve) => {
      answer = resolve;
    });
    this.#abandon.add(answer);
    try {
      return await Promise.race([this.#serve(method, params), abandoned]);
    } finally {
      this.#abandon.delete(answer);
    }
  }

  async #serve(method: string, params: unknown): Promise<unknown> {
    const asked = params as Params & { call: number };
    switch (method) {
      case "state/get":
        return this.#roomOf(asked.call).get(asked.keys as never);
      case "state/keys":
        return this.#roomOf(asked.call).all.map(({ type, state_key }) => [type, state_key ?? ""]);
      case "templates/render":
        return this.#render(asked);
      default:
        return this.#call(method.slice("api/".length), params as ApiRequest);
    }
  }

  #roomOf(call: number): Room {
    const { room } = this.lent.get(call) ?? {};
    if (!room) throw wireError("call_over", "the call has ended", {});
    return room;
  }

  async #call(path: string, { module, params }: ApiRequest): Promise<unknown> {
    const [name = "", step] = path.split("/");
    if (step !== undefined) return this.#step(step, params as Params);
    const method = this.world.catalogue.methods.get(name);
    if (!method) throw wireError(undefined, `there is no method ${path}`, {});
    if (method.access !== "write") return this.#answer(name, method, module, params as Params);
    const pending = {};
    this.pending.set(pending, `api.${name} of ${module}`);
    try {
      // As long as Synapse at least: whoever does not await it, goes on without it.
      await real.turn();
      await real.turn();
      return await this.#answer(name, method, module, params as Params);
    } finally {
      this.pending.delete(pending);
    }
  }

  async #answer(path: string, method: ApiMethod, module: string, params: Params): Promise<unknown> {
    if (path.startsWith("store.")) {
      const given = this.#given(path);
      if (!given) return this.#stored(path, module, params);
    }
    if (path === "broadcast") checkBroadcast(params);
    if (method.access === "write" && !path.startsWith("store.")) {
      const write = { method: path, params: structuredCopy(params) };
      this.writes.push(Object.defineProperty(write, "module", { value: module }) as Write);
    }
    try {
      const answer = await this.#find(path, method, params);
      if (path === "broadcast")
        this.onBroadcast({ module, topic: String(params.topic), value: params.value });
      return answer;
    } catch (error) {
      throw thrownAsWire(error);
    }
  }

  async #find(path: string, method: ApiMethod, params: Params): Promise<unknown> {
    const given = this.#given(path);
    if (given) return this.#check(path, method, await given(this.#handed(method, params)));
    if (this.remedy && !this.#isOfRoom(path, params)) throw wireError(undefined, this.remedy(path), {});
    if (path === "get_user_by_req") return this.#requester(params);
    const known = knownApi.get(path);
    if (known) return known(params, this.world);
    if (method.access === "write" && method.result === "Nothing") return null;
    throw wireError(undefined, lineFor(path, method), {});
  }

  /** Whether the given state of a room answers this. */
  #isOfRoom(path: string, { room_id }: Params): boolean {
    const room = ROOM_READS.has(path) ? this.world.rooms.get(String(room_id)) : undefined;
    return room !== undefined && room.all.length > 0;
  }

  #stored(path: string, module: string, params: Params): unknown {
    try {
      return this.store.methods[path]?.(module, params);
    } catch (error) {
      throw wireError("api_error", (error as Error).message, { class: "ValueError" });
    }
  }

  /** What the test has written for a method. */
  #given(path: string): Given | undefined {
    const [first = "", second] = path.split(".");
    const api = this.api as Record<string, unknown>;
    const group = api[first];
    const found = second === undefined ? group : isObject(group) ? group[second] : undefined;
    return typeof found === "function"
      ? (found.bind(second === undefined ? api : group) as Given)
      : undefined;
  }

  /** The parameters as the module has written them. */
  #handed(method: ApiMethod, params: Params): Params {
    const types = Object.entries(method.params).map(
      ([name, type]) => [name.replace(/\?$/, ""), type] as const,
    );
    const handed = { ...params };
    for (const [name, type] of types) {
      const value = params[name];
      if (type.startsWith("Bytes") && typeof value === "string") handed[name] = bytesOf(value);
      if (type === "WebRequest") handed[name] = this.lent.get(Number(value))?.request;
    }
    return handed;
  }

  /** The answer of a test's function, as it travels. */
  #check(path: string, method: ApiMethod, answer: unknown): unknown {
    const wire = this.#toWire(method.result.replace(/\?$/, ""), answer);
    const validate = this.world.catalogue.validator(method.result);
    if (method.result === "Nothing" || path === "run_db_interaction" || validate(wire ?? null))
      return wire ?? null;
    const [error] = validate.errors ?? [];
    const place = (error?.instancePath ?? "").replaceAll("/", ".");
    throw new TypeError(
      `the test's answer of api.${path} does not fit ${method.result}: answer${place} ${error?.message}`,
    );
  }

  #toWire(type: string, answer: unknown): unknown {
    const base64 = (bytes: unknown) =>
      ArrayBuffer.isView(bytes)
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
        : bytes;
    if (type === "Bytes") return base64(answer);
    if (type === "HttpResponse" && isObject(answer)) return { ...answer, body: base64(answer.body) };
    if (type === "StoreValue") return answer === undefined ? null : { value: answer };
    if (type === "DatabaseResults" && Array.isArray(answer)) return answer.map(statementResult);
    if (type === "Templates" && Array.isArray(answer))
      return answer.map((template) => {
        this.#templates.set(template.filename, template);
        return template.filename;
      });
    return answer;
  }

  async #render({ filename, variables }: Params): Promise<unknown> {
    const render = this.#templates.get(String(filename))?.render;
    if (!render)
      throw wireError("api_error", `the test gives no template ${String(filename)}`, {
        class: "ConfigError",
      });
    return String(await render(variables as object));
  }

  /** One step of a transaction with a function. The test's `run_db_interaction` gets each statement for itself. */
  async #step(step: string, params: Params): Promise<unknown> {
    const given = this.#given("run_db_interaction");
    const method = this.world.catalogue.methods.get("run_db_interaction") as ApiMethod;
    if (!given)
      throw wireError(
        undefined,
        this.remedy?.("run_db_interaction") ?? lineFor("run_db_interaction", method),
        {},
      );
    if (step === "begin") {
      const transaction = this.#transactions.size + 1;
      this.#transactions.set(transaction, String(params.desc));
      return { transaction };
    }
    if (step !== "execute") return null;
    const desc = this.#transactions.get(Number(params.transaction));
    try {
      const results = (await given({ desc, statements: [params.statement] })) as unknown[];
      return statementResult(results[0]);
    } catch (error) {
      throw thrownAsWire(error);
    }
  }

  #requester({ req, allow_guest = false }: Params): object {
    const { user } = this.lent.get(Number(req)) ?? {};
    if (user === undefined) throw new SynapseError(401, "Missing access token", "M_MISSING_TOKEN");
    const { guest = false, shadow_banned = false, appservice_id = null } = this.world.users.get(user) ?? {};
    if (guest && !allow_guest)
      throw new SynapseError(403, "Guest access not allowed", "M_GUEST_ACCESS_FORBIDDEN");
    return {
      ...{ user_id: user, access_token_id: guest ? null : 1, is_guest: guest, scope: [], shadow_banned },
      ...{ device_id: "DEVICE", app_service_id: appservice_id, authenticated_entity: user },
    };
  }
}

/** Throws as the shim does. */
function checkBroadcast({ topic, value }: Params): void {
  const bytes = Buffer.byteLength(JSON.stringify([topic, value]));
  if (bytes <= LIMITS.broadcast_bytes) return;
  const message = `a broadcast may have ${LIMITS.broadcast_bytes} bytes of JSON, and this one has ${bytes}: keep the value in api.store, and broadcast its key`;
  throw wireError("api_error", message, { class: "ValueError" });
}

/** The line that a test has to add. */
function lineFor(path: string, method: ApiMethod): string {
  const [first = "", second] = path.split(".");
  const names = Object.keys(method.params).map((name) => name.replace(/\?$/, ""));
  const result = method.result === "Nothing" ? "{}" : `(/* ${method.result} */)`;
  const line = `async ({ ${names.join(", ")} }) => ${result}`;
  const code = second === undefined ? `${first}: ${line}` : `${first}: { ${second}: ${line} }`;
  return `the test does not say what it answers: give it to createTester: api: { ${code} }`;
}

function wireError(kind: ErrorName | undefined, message: string, data: object): ResponseError<object> {
  // -32603 is JSON-RPC's internal error, which the module gets as a host_error.
  return new ResponseError(kind === undefined ? -32603 : ERROR_CODES[kind], message, data);
}

/** What a test's function has thrown, as the shim sends it. */
function thrownAsWire(error: unknown): ResponseError<object> {
  if (error instanceof ResponseError) return error;
  if (isSynapseError(error)) {
    const { code, msg, errcode, additional_fields } = error;
    return wireError("synapse_error", msg, { code, msg, errcode, additional_fields });
  }
  if (isHttpResponseException(error)) {
    const response = Buffer.from(error.response).toString("base64");
    const { code, msg } = error;
    return wireError("http_response_exception", `${code} ${msg}`, { code, msg, response });
  }
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  if (isApiError(error)) return wireError("api_error", message, { class: error.exception ?? error.kind });
  return wireError("api_error", message, { class: name });
}

function statementResult(result: unknown): object {
  const { rows = [], rowcount = 0 } = (result ?? {}) as {
    rows?: Record<string, unknown>[];
    rowcount?: number;
  };
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return { columns, rows: rows.map((row) => columns.map((name) => cell(row[name]))), rowcount };
}

function cell(value: unknown): unknown {
  if (ArrayBuffer.isView(value))
    return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  return typeof value === "object" && value !== null ? { json: value } : (value ?? null);
}

/** A copy that later changes of the module do not reach. */
function structuredCopy(params: Params): Params {
  return JSON.parse(JSON.stringify(params));
}
