// Implements `createTester`: plays the shim for the modules of a test. It loads them through the host's own code, asks them
// as the shim would, and tells what Synapse would get.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkKeys } from "../base/known-words.js";
import { didYouMean } from "../base/nearest.js";
import { real } from "../base/real-time.js";
import { type Callback, type Catalogue, catalogue as readCatalogue } from "../catalogue/catalogue.js";
import {
  type Broadcast,
  type FollowUpReply,
  LIMITS,
  type Reply,
  type WebAnswer,
} from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";
import { isSynapseError } from "../sdk/errors.js";
import type { JsonObject } from "../sdk/json.js";
import type { StoreEntry } from "../sdk/storage-types.js";
import { matches } from "../shim-rules/match.js";
import { outcomeOf } from "../shim-rules/outcome.js";
import { Chain, entriesFor, type Progress } from "./chain.js";
import { Clock } from "./clock.js";
import { Exchange } from "./exchange.js";
import { FakeStore } from "./fake-store.js";
import { FakeSynapse } from "./fake-synapse.js";
import { closeAll, type Loaded, load } from "./loaded.js";
import type {
  AskedName,
  AskParams,
  AskResult,
  Checked,
  ConfigInput,
  FetchOptions,
  Tester,
  TesterInput,
  TesterOptions,
  Write,
} from "./options.js";
import { completeParams, type Question, request } from "./params.js";
import { type Wanted, wantedModules } from "./wanted.js";
import { World } from "./world.js";

type Params = Record<string, unknown>;

const OPTIONS: Readonly<Record<keyof TesterOptions, true>> = {
  ...{ config: true, server_name: true, grants: true, now: true, users: true, rooms: true },
  ...{ api: true, timeout: true },
};

const TIMEOUT: Readonly<Record<"local" | "federated", true>> = { local: true, federated: true };

// After its limit, a host answers that a handler is late.
const REPLY_MS = 500;

// Where the runner's realm lacks the symbol, as in jest on Node 20, compiled `await using` looks for it there.
if (!Symbol.asyncDispose)
  Object.defineProperty(Symbol, "asyncDispose", { value: Symbol.for("Symbol.asyncDispose") });
const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose;

/** Implements Tester, and what the command `call` needs besides. */
export class KitTester<What = unknown> implements Tester<What> {
  readonly store: { entries(module?: string): StoreEntry[] };
  readonly logs: Record<string, unknown>[] = [];
  readonly #catalogue: Catalogue;
  readonly #wanted: readonly Wanted[];
  readonly #options: TesterOptions;
  readonly #clock: Clock;
  readonly #world: World;
  readonly #synapse: FakeSynapse;
  readonly #exchange: Exchange;
  readonly #chain: Chain;
  #folder: string | undefined;
  #loaded: Loaded = { links: [], entries: new Map(), web: [] };
  #loads = 0;
  #closed = false;
  /** Broadcasts that are being delivered. */
  #deliveries = new Set<Promise<unknown>>();

  /**
   * With `remedy`, which says how to give the answer of a method of the api, it serves the
   * command `call`: files run in this process, too, without a deadline, and errors have the host's own words.
   */
  constructor(
    wanted: readonly Wanted[],
    options: TesterOptions,
    private readonly remedy?: (path: string) => string,
  ) {
    this.#catalogue = readCatalogue();
    this.#wanted = wanted;
    this.#options = options;
    this.#clock = new Clock(options.now);
    const server_name = options.server_name ?? "example.org";
    this.#world = new World(server_name, this.#clock, this.#catalogue, options.users, options.rooms);
    const store = new FakeStore(this.#clock);
    this.store = { entries: (module) => store.entries(module) };
    this.#synapse = new FakeSynapse(this.#world, store, options.api ?? {}, remedy);
    this.#synapse.onBroadcast = (broadcast) => this.#broadcast(broadcast);
    this.#exchange = new Exchange(this.#synapse, options.timeout, remedy);
    this.#chain = new Chain(this.#catalogue, this.#world, this.#exchange);
  }

  get writes(): readonly Write[] {
    return this.#synapse.writes;
  }

  /** The callbacks that the modules declare. */
  get callbacks(): string[] {
    return [...this.#loaded.entries.keys()];
  }

  /** Loads the modules and runs their `setup`; between the two it calls `onLoaded`. Throws an Error with all that is wrong with them, or what `setup` throws. */
  async start(log?: Logger, onLoaded?: () => void): Promise<this> {
    try {
      this.#loaded = await this.#load(log, onLoaded);
      return this;
    } catch (error) {
      this.#removeFolder();
      throw error;
    }
  }

  async ask<Name extends AskedName<What>, const Given extends AskParams<Name>>(
    name: Name,
    params: Given & Checked<Given, Name>,
  ): Promise<AskResult<Name>> {
    const result = await this.askByName(name, params);
    return result as unknown as AskResult<Name>;
  }

  /** As `ask`, for a name that is not known to the compiler. */
  async askByName(name: string, given: object): Promise<AskResult> {
    this.#checkOpen();
    const callback = this.#catalogue.callbacks.get(name);
    if (!callback) {
      const known = didYouMean(name, this.#catalogue.callbacks.keys());
      throw new TypeError(`there is no callback ${name}${known}`);
    }
    const question = completeParams(
      callback,
      await readRequests(callback, given),
      this.#world,
      this.#catalogue,
    );
    try {
      return await this.#ask(callback, question);
    } finally {
      await this.#delivered();
      question.cleanUp();
    }
  }

  /** Delivers a broadcast to the module that has sent it. */
  #broadcast(broadcast: Broadcast): void {
    for (const link of this.#loaded.links) {
      const delivery = link.request("broadcast", broadcast).catch(() => {});
      this.#deliveries.add(delivery);
      void delivery.then(() => this.#deliveries.delete(delivery));
    }
  }

  /** Waits for the broadcasts that have been sent so far, not longer than a handler may take. */
  async #delivered(): Promise<void> {
    if (this.#deliveries.size === 0) return;
    await real.atMost(LIMITS.broadcast_ms + REPLY_MS, Promise.all(this.#deliveries));
  }

  async #ask(callback: Callback, question: Question): Promise<AskResult> {
    const declared = entriesFor(callback, question.params, this.#loaded);
    if (declared.length === 0) return { asked: false, why: "undeclared" };
    const entries = declared.filter(({ declared: { match } }) => {
      return match === undefined || matches(callback, match, question.params, this.#world.server_name);
    });
    if (entries.length === 0) return { asked: false, why: "match" };
    const progress: Progress = { asked: false, cached: false };
    let reply: Reply;
    try {
      reply = await this.#chain.ask(callback, question, entries, progress);
    } catch (error) {
      // A notification has no answer, so that it refuses nothing.
      if (!isSynapseError(error) || callback.delivery === "notify") throw error;
      return { asked: true, outcome: "refused", error };
    }
    return this.#result(callback, reply, progress);
  }

  #result(callback: Callback, reply: Reply, progress: Progress): AskResult {
    const { answer: given, module } = reply;
    const isFollowed = this.#catalogue.type(callback.result).follow_up === true && Array.isArray(given);
    const answer = isFollowed ? given[0] : given;
    if (!progress.asked) {
      const why = progress.cached ? "cached" : "template";
      return { asked: false, why, answer } as AskResult;
    }
    const outcome = outcomeOf(callback, answer, module !== null, this.#catalogue);
    const edits = callback.edits !== undefined && module !== null ? { edits: answer as JsonObject } : {};
    const result = { asked: true as const, outcome, ...(outcome !== "done" && { answer }), ...edits };
    if (isFollowed && module !== null) {
      const followUp = (params?: object) => this.#followUp(callback, module, given[1], params);
      Object.defineProperty(result, "followUp", { value: followUp });
    }
    const { given_reason: reason } = reply;
    if (reason) {
      const { text, details } = reason;
      const value = { text, ...(details !== undefined && { details: JSON.parse(details) }) };
      Object.defineProperty(result, "reason", { value });
    }
    return result as AskResult;
  }

  async #followUp(callback: Callback, module: string, key: unknown, given?: object): Promise<JsonObject> {
    const entry = this.#loaded.entries.get(callback.name)?.find((one) => one.module === module);
    if (!entry) throw new Error(`${module} is not loaded any more`);
    const response = given ?? { user_id: "@a:example.org", access_token: "syt_test", device_id: "DEVICE" };
    const params = callback.result === "Authenticated" ? { login_response: response } : {};
    const { edited } = (await this.#exchange.send(
      entry.link,
      "follow_up",
      callback.name,
      [module],
      true,
      {},
      () => ({ callback: callback.name, follow_up: key, params }),
    )) as FollowUpReply;
    const { login_response = response } = (edited ?? {}) as { login_response?: object };
    return login_response as JsonObject;
  }

  async fetch(url: string | URL, options: FetchOptions = {}): Promise<Response> {
    this.#checkOpen();
    const { as: user, json, headers = {}, body = json === undefined ? "" : JSON.stringify(json) } = options;
    const { method = body === "" ? "GET" : "POST" } = options;
    const own = {
      ...(user !== undefined && { authorization: "Bearer syt_test" }),
      ...(json !== undefined && { "content-type": "application/json" }),
    };
    const asked = new URL(String(url), `https://${this.#world.server_name}`);
    const parts = request({ method, url: asked.href, headers: { ...own, ...headers }, body }, this.#world);
    const found = this.#loaded.web
      .filter((one) => asked.pathname === one.path || asked.pathname.startsWith(`${one.path}/`))
      .sort((a, b) => b.path.length - a.path.length)[0];
    if (!found)
      return Response.json({ errcode: "M_UNRECOGNIZED", error: "Unrecognized request" }, { status: 404 });
    try {
      const answer = (await this.#exchange.send(
        found.link,
        "web",
        found.path,
        [found.module],
        true,
        { user },
        (call) => ({ ...parts, ...{ call, module: found.module, path: found.path } }),
      )) as WebAnswer;
      const bytes = Buffer.from(answer.body, "base64");
      const init = { status: answer.status, headers: answer.headers as [string, string][] };
      return new Response(bytes.length === 0 ? null : new Uint8Array(bytes), init);
    } catch (error) {
      if (!isSynapseError(error)) throw error;
      const { code, msg, errcode, additional_fields } = error;
      return Response.json({ errcode, error: msg, ...additional_fields }, { status: code });
    } finally {
      await this.#delivered();
    }
  }

  setState(room_id: string, type: string, content: object, state_key = ""): void {
    this.#checkOpen();
    this.#world.setState(room_id, type, content, state_key);
  }

  advance(duration: string | number): void {
    this.#clock.advance(duration);
  }

  async reload(): Promise<void> {
    this.#checkOpen();
    const before = this.#loaded;
    this.#loaded = await this.#load();
    await this.#synapse.abandon();
    await closeAll(before.links);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const pending = [...this.#synapse.pending.values()];
    await this.#synapse.abandon();
    await closeAll(this.#loaded.links);
    this.#removeFolder();
    if (pending.length === 0) return;
    const [writes, they] = pending.length === 1 ? ["a write", "it"] : ["writes", "them"];
    throw new Error(
      `${writes} of the module to the api had not ended at close: ${pending.join(", ")}. Await ${they} in the module`,
    );
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("this tester is closed");
  }

  #makeFolder(): string {
    this.#folder ??= mkdtempSync(path.join(tmpdir(), "module-bridge-"));
    return this.#folder;
  }

  #removeFolder(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #load(log?: Logger, onLoaded?: () => void): Promise<Loaded> {
    return load({
      ...{ wanted: this.#wanted, catalogue: this.#catalogue, clock: this.#clock, world: this.#world },
      ...{ synapse: this.#synapse, api: this.#options.api, remedy: this.remedy, log, onLoaded },
      clockFile: () => path.join(this.#makeFolder(), `clock-${++this.#loads}`),
      record: (record) => void this.logs.push(record),
    });
  }
}

/** The parameters, with the body of a Request read. */
async function readRequests(callback: Callback, given: object): Promise<object> {
  const read: Params = { ...given };
  for (const [name, type] of Object.entries(callback.params)) {
    const value = read[name];
    if (type !== "HttpRequest" || !(value instanceof Request)) continue;
    const { method, url, headers } = value;
    read[name] = { method, url, headers, body: new Uint8Array(await value.arrayBuffer()) };
  }
  return read;
}

/**
 * Loads a module for tests: a path as in production, in a process of its own; or an imported module in this process, as the
 * test's runner has compiled it; or a list of either, which is asked in order. Close it at the end, or write `await using`.
 * @example
 * ```ts fragment testing
 * const t = await createTester("src/policy.ts", {
 *   config: { per_hour: 1 },
 *   now: "2026-01-10T00:00:00Z",
 *   users: { "@a:example.org": { created: "2026-01-09", admin: false } },
 *   rooms: { "!r:example.org": { state: [event.create(), event.member("@a:example.org", "join")] } },
 * });
 * await t.close();
 * ```
 */
export async function createTester<const What extends TesterInput>(
  what: What,
  options: TesterOptions<ConfigInput<What>> = {},
): Promise<Tester<What>> {
  checkKeys("createTester", options, OPTIONS);
  const given = options as TesterOptions;
  if (typeof given.timeout === "object") checkKeys("createTester: timeout", given.timeout, TIMEOUT);
  return new KitTester<What>(wantedModules(what, given), given).start();
}
