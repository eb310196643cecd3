// Implements `createTester`: plays the shim for the modules of a test. It loads them through the host's own code, asks them
// as the shim would, and tells what Synapse would get.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ResponseError } from "vscode-jsonrpc/node";
import { formatDuration, parseDuration } from "../base/duration.js";
import { isObject } from "../base/is-object.js";
import { didYouMean } from "../base/nearest.js";
import { VERSION } from "../base/version.js";
import { kindOf } from "../calls/wire-errors.js";
import { type Callback, type Catalogue, catalogue as readCatalogue } from "../catalogue/catalogue.js";
import {
  type Broadcast,
  type ConfiguredModule,
  type DeclaredCallback,
  type DeclaredLogin,
  type FollowUpReply,
  LIMITS,
  type Manifest,
  PROTOCOL,
  type Reply,
  type SetUpReply,
  type SynapseInfo,
  type WebAnswer,
} from "../catalogue/protocol.js";
import type { Importer } from "../loading/loader.js";
import { createLogger, type Logger } from "../logging/log.js";
import { isSynapseError, SynapseError } from "../sdk/errors.js";
import type { JsonObject } from "../sdk/json.js";
import type { StoreEntry } from "../sdk/storage-types.js";
import { AnswerCache, questionOf } from "../shim-rules/answer-cache.js";
import { isLocal, matches } from "../shim-rules/match.js";
import { isPerModule, mergeAnswers, outcomeOf } from "../shim-rules/outcome.js";
import { fillTemplate } from "../shim-rules/template.js";
import { Clock } from "./clock.js";
import { FakeStore } from "./fake-store.js";
import { FakeSynapse, type Lent } from "./fake-synapse.js";
import { HostHere, HostInChild, type HostLink, type LinkOptions, MissedDeadline } from "./host-link.js";
import { LoadProblems } from "./load-problems.js";
import type {
  AskedName,
  AskParams,
  AskResult,
  Checked,
  FakeApi,
  FetchOptions,
  Tester,
  TesterInput,
  TesterOptions,
  Write,
} from "./options.js";
import { completeParams, type Question, request } from "./params.js";
import { World } from "./world.js";

type Params = Record<string, unknown>;

// Where the runner's realm lacks the symbol, as in jest on Node 20, compiled `await using` looks for it there.
if (!Symbol.asyncDispose)
  Object.defineProperty(Symbol, "asyncDispose", { value: Symbol.for("Symbol.asyncDispose") });
const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose;

/** One module of the chain, before it is loaded. */
interface Wanted {
  settings: ConfiguredModule;
  /** The module itself; without it, `settings.path` is a file. */
  exported?: unknown;
}

/** One module's declaration of one callback. */
interface Entry {
  module: string;
  link: HostLink;
  declared: DeclaredCallback | DeclaredLogin;
  /** Of a list of entries: its index. */
  index?: number;
  cache?: AnswerCache<Reply>;
}

/** The modules that run now. */
interface Loaded {
  links: readonly HostLink[];
  entries: ReadonlyMap<string, readonly Entry[]>;
  web: readonly { module: string; path: string; link: HostLink }[];
}

/** How a group of modules is to be told apart from others that answer in the same round trip. */
interface Progress {
  asked: boolean;
  cached: boolean;
}

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
  readonly #folder = mkdtempSync(path.join(tmpdir(), "module-bridge-"));
  readonly #importer: Importer | undefined;
  #loaded: Loaded = { links: [], entries: new Map(), web: [] };
  #calls = 0;
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
    const here = new Map(wanted.map(({ settings, exported }) => [settings.path, exported]));
    this.#importer = remedy
      ? undefined
      : {
          find: (file) => file,
          import: async (file) => ({ exported: here.get(file), files: [file], packages: [] }),
        };
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

  /** Waits for the broadcasts that have been sent so far. */
  async #delivered(): Promise<void> {
    await Promise.all(this.#deliveries);
  }

  async #ask(callback: Callback, question: Question): Promise<AskResult> {
    const declared = this.#declared(callback, question.params);
    if (declared.length === 0) return { asked: false, why: "undeclared" };
    const entries = declared.filter(({ declared: { match } }) => {
      return match === undefined || matches(callback, match, question.params, this.#world.server_name);
    });
    if (entries.length === 0) return { asked: false, why: "match" };
    const progress: Progress = { asked: false, cached: false };
    let reply: Reply;
    try {
      reply = isPerModule(callback, this.#catalogue)
        ? await this.#askEach(callback, question, entries, progress)
        : await this.#askInOrder(callback, question, entries, progress);
    } catch (error) {
      if (!isSynapseError(error)) throw error;
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

  /** The entries for a call. For a login: those of its type, whose fields must fit. */
  #declared(callback: Callback, { login_type, login_dict }: Params): readonly Entry[] {
    const entries = this.#loaded.entries.get(callback.name) ?? [];
    if (!callback.listed) return entries;
    const checkers = entries.filter(({ declared }) => (declared as DeclaredLogin).login_type === login_type);
    const fields = new Set(checkers.flatMap(({ declared }) => (declared as DeclaredLogin).fields));
    if (checkers.length === 0) return [];
    const given = Object.keys(isObject(login_dict) ? login_dict : {});
    const declared = [...fields].join(", ") || "none";
    const undeclared = given.filter((field) => !fields.has(field));
    if (undeclared.length > 0)
      throw new TypeError(
        `auth_checkers: login_dict.${undeclared[0]} is not among the fields that are declared for ${String(login_type)} (${declared}): Synapse does not pass it`,
      );
    const lacking = [...fields].filter((field) => !given.includes(field));
    if (lacking.length > 0)
      throw new TypeError(
        `auth_checkers: login_dict lacks ${lacking.join(", ")}: Synapse refuses such a login of the type ${String(login_type)} before it asks`,
      );
    return checkers;
  }

  /** As the shim's pipeline: in order until one decides, with one round trip for entries that stand together. */
  async #askInOrder(
    callback: Callback,
    question: Question,
    entries: readonly Entry[],
    progress: Progress,
  ): Promise<Reply> {
    let reply: Reply = { answer: null, module: null, asked: [] };
    let editor: string | null = null;
    for (let left = entries; left.length > 0; ) {
      const end = left.findIndex(
        ({ cache, link }, i) => i > 0 && (cache || left[0]?.cache || link !== left[0]?.link),
      );
      const together = end === -1 ? left : left.slice(0, end);
      reply = await this.#reply(callback, question, together, progress);
      if (callback.edits !== undefined && reply.module !== null) {
        question.params[callback.edits] = reply.answer;
        editor = reply.module;
      } else if (reply.module !== null) return reply;
      left = left.slice(together.length);
    }
    return callback.edits === undefined || editor === null
      ? reply
      : { answer: question.params[callback.edits], module: editor, asked: [] };
  }

  /** As Synapse, where it asks each module for itself. */
  async #askEach(
    callback: Callback,
    question: Question,
    entries: readonly Entry[],
    progress: Progress,
  ): Promise<Reply> {
    const merges = this.#catalogue.type(callback.result).merge === true;
    const replies: Reply[] = [];
    for (const entry of entries) {
      const { fields } = entry.declared as DeclaredCallback;
      const reply =
        callback.listed || fields === undefined
          ? await this.#reply(callback, question, [entry], progress)
          : { answer: fillTemplate(callback, fields, question.params), module: entry.module, asked: [] };
      if (!merges && reply.module !== null) return reply;
      replies.push(reply);
      if (reply.answer === "ALL") break;
    }
    if (!merges) return replies.at(-1) ?? { answer: null, module: null, asked: [] };
    const answer = mergeAnswers(
      callback,
      replies.map((one) => one.answer),
    );
    return { answer, module: replies.find(({ module }) => module !== null)?.module ?? null, asked: [] };
  }

  async #reply(
    callback: Callback,
    question: Question,
    entries: readonly Entry[],
    progress: Progress,
  ): Promise<Reply> {
    const ask = () => this.#send(callback, question, entries);
    const [{ cache } = {}] = entries;
    if (!cache) {
      progress.asked = true;
      return ask();
    }
    const state = question.room?.all.map(({ event_id }) => event_id) ?? [];
    const { reply, cached } = await cache.ask(questionOf(callback, question.params, state), ask);
    if (cached) progress.cached = true;
    else progress.asked = true;
    return cached ? { ...reply, answer: structuredClone(reply.answer) } : reply;
  }

  /** One round trip. Throws the module's own error, or a SynapseError. */
  async #send(callback: Callback, question: Question, entries: readonly Entry[]): Promise<Reply> {
    const [first] = entries as readonly [Entry, ...Entry[]];
    const modules = entries.map(({ module }) => module);
    const params = { ...question.params };
    for (const [name, type] of Object.entries(callback.params)) {
      if (type !== "StateEvents") continue;
      const keys = entries.flatMap(({ declared }) => (declared as DeclaredCallback).room_state ?? []);
      params[name] = { events: question.room?.get(keys) ?? [] };
    }
    const local = isLocal(callback, question.params, this.#world.server_name);
    const lent = { room: question.room, user: question.user };
    return this.#exchange(
      first.link,
      `callback/${callback.name}`,
      callback.name,
      modules,
      local,
      lent,
      (call) => ({
        ...{ call, modules, params, request: `test-${call}` },
        ...(first.index !== undefined && { entry: first.index }),
      }),
    ) as Promise<Reply>;
  }

  async #followUp(callback: Callback, module: string, key: unknown, given?: object): Promise<JsonObject> {
    const entry = this.#loaded.entries.get(callback.name)?.find((one) => one.module === module);
    if (!entry) throw new Error(`${module} is not loaded any more`);
    const response = given ?? { user_id: "@a:example.org", access_token: "syt_test", device_id: "DEVICE" };
    const params = callback.result === "Authenticated" ? { login_response: response } : {};
    const { edited } = (await this.#exchange(
      entry.link,
      "follow_up",
      callback.name,
      [module],
      true,
      {},
      (call) => ({
        ...{ callback: callback.name, follow_up: key, params, request: `test-${call}` },
      }),
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
      const answer = (await this.#exchange(
        found.link,
        "web",
        found.path,
        [found.module],
        true,
        { user },
        (call) => ({
          ...parts,
          ...{ call, module: found.module, path: found.path, request: `test-${call}` },
        }),
      )) as WebAnswer;
      const bytes = Buffer.from(answer.body, "base64");
      const init = { status: answer.status, headers: answer.headers as [string, string][] };
      return new Response(bytes.length === 0 ? null : new Uint8Array(bytes), init);
    } catch (error) {
      if (!isSynapseError(error)) throw error;
      const { code, msg, errcode, additional_fields } = error;
      return Response.json({ errcode, error: msg, ...additional_fields }, { status: code });
    }
  }

  /** One request to a host, with what it lends to the module meanwhile. */
  async #exchange(
    link: HostLink,
    method: string,
    what: string,
    modules: readonly string[],
    local: boolean,
    lent: Lent,
    params: (call: number) => object,
  ): Promise<unknown> {
    const call = ++this.#calls;
    const deadline = this.#deadline(local);
    this.#synapse.lent.set(call, lent);
    try {
      return await link.request(method, params(call), deadline);
    } catch (error) {
      throw await this.#ownError(link, error, `test-${call}`, `${modules.join(", ")}: ${what}`, deadline);
    } finally {
      this.#synapse.lent.delete(call);
      if (method === "web") await this.#delivered();
    }
  }

  /** The error for the test: what the module has thrown, where it is that. */
  async #ownError(
    link: HostLink,
    error: unknown,
    request: string,
    what: string,
    deadline: number | undefined,
  ): Promise<unknown> {
    if (
      error instanceof MissedDeadline ||
      (error instanceof ResponseError && kindOf(error.code) === "cancelled")
    )
      return Object.assign(new Error(`${what}: no answer within ${formatDuration(deadline ?? 0)}`), {
        name: "MissedDeadline",
      });
    if (!(error instanceof ResponseError)) return error;
    const { message, data = {} } = error as ResponseError<Record<string, unknown>>;
    const kind = kindOf(error.code);
    const plain = new Error(message);
    if (kind === "synapse_error") {
      const { code, msg, errcode, additional_fields } = data ?? {};
      const thrown = link instanceof HostHere ? await link.thrownIn(request, undefined) : undefined;
      if (this.remedy) return plain;
      if (isSynapseError(thrown)) return thrown;
      return new SynapseError(
        code as number,
        msg as string,
        errcode as string,
        additional_fields as JsonObject,
      );
    }
    const { module } = (data ?? {}) as { module?: string };
    if (this.remedy) return plain;
    if (kind === "module_fault" && data?.kind === "threw")
      return (await link.thrownIn(request, module)) ?? plain;
    if (kind === "module_unavailable") return (await link.thrownIn(null, module)) ?? plain;
    return plain;
  }

  #deadline(local: boolean): number | undefined {
    if (this.remedy) return undefined;
    const { timeout = {} } = this.#options;
    const own = typeof timeout === "object" ? timeout : { local: timeout, federated: timeout };
    return parseDuration(local ? (own.local ?? "5s") : (own.federated ?? "2s"));
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

  #removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #load(log?: Logger, onLoaded?: () => void): Promise<Loaded> {
    const here = this.#wanted.filter((one) => this.remedy || "exported" in one);
    const inChild = this.#wanted.filter((one) => !here.includes(one));
    const own = log ?? createLogger({ write: (line) => void this.logs.push(JSON.parse(line)) });
    const options: LinkOptions = {
      catalogue: this.#catalogue,
      clock: this.#clock,
      serve: (method, params) => this.#synapse.serve(method, params),
      record: (record) => void this.logs.push(record),
    };
    const parts: [HostLink, readonly Wanted[]][] = [];
    if (here.length > 0) parts.push([new HostHere(this.#importer, own, options), here]);
    if (inChild.length > 0)
      parts.push([new HostInChild(path.join(this.#folder, `clock-${++this.#calls}`), options), inChild]);
    try {
      const manifests: [HostLink, Manifest][] = [];
      for (const [link, wanted] of parts)
        manifests.push([link, await this.#initialize(link, wanted, onLoaded)]);
      return this.#entriesOf(manifests);
    } catch (error) {
      await closeAll(parts.map(([link]) => link));
      throw error;
    }
  }

  async #initialize(link: HostLink, wanted: readonly Wanted[], onLoaded?: () => void): Promise<Manifest> {
    const modules = wanted.map(({ settings }) => settings);
    const manifest = (await link.request("initialize", {
      ...{ protocol: PROTOCOL, version: VERSION, catalogue: this.#catalogue.hash },
      ...{ synapse: this.#synapseInfo(), start_timeout_ms: LIMITS.start_timeout_ms, modules },
    })) as Manifest;
    if (manifest.faults.length > 0) throw new LoadProblems(manifest.faults);
    onLoaded?.();
    await link.notify("start", {});
    const { failed } = (await link.request("set_up", {})) as SetUpReply;
    const [first] = Object.entries(failed);
    if (first) {
      const [module, why] = first;
      throw (await link.thrownIn(null, module)) ?? new Error(`${module}: setup failed: ${why}`);
    }
    return manifest;
  }

  #entriesOf(manifests: readonly [HostLink, Manifest][]): Loaded {
    const entries = new Map<string, Entry[]>();
    const order = this.#wanted.map(({ settings }) => settings.name);
    const declared = manifests.flatMap(([link, manifest]) =>
      manifest.modules.map((module) => ({ link, module })),
    );
    declared.sort((a, b) => order.indexOf(a.module.name) - order.indexOf(b.module.name));
    for (const { link, module } of declared) {
      for (const [name, one] of Object.entries(module.callbacks)) {
        const known = entries.get(name) ?? [];
        entries.set(name, known);
        const make = (part: DeclaredCallback | DeclaredLogin, index?: number): Entry => ({
          ...{ module: module.name, link, declared: part },
          ...(index !== undefined && { index }),
          ...(part.ttl !== undefined && {
            cache: new AnswerCache<Reply>(parseDuration(part.ttl), () => this.#clock.now()),
          }),
        });
        if (one.checkers) known.push(...one.checkers.map((checker, index) => make(checker, index)));
        else known.push(make(one));
      }
    }
    const web = declared.flatMap(({ link, module }) =>
      module.web_resources.map((one) => ({ module: module.name, path: one, link })),
    );
    return { links: manifests.map(([link]) => link), entries, web };
  }

  /** What the synchronous part of the api answers with. */
  #synapseInfo(): SynapseInfo {
    const { server_name } = this.#world;
    const { api = {} } = this.#options;
    const { should_run_background_tasks: background } = api as FakeApi;
    const properties = [...this.#catalogue.properties.keys()].filter((name) => name in api);
    return {
      ...{ version: "0.0.0", server_name, worker_name: null, worker_app: null },
      ...{ public_baseurl: `https://${server_name}/`, email_app_name: "Matrix", custom_template_dir: null },
      ...Object.fromEntries(properties.map((name) => [name, api[name as keyof FakeApi]])),
      run_background_tasks: background ? Boolean(background()) : true,
    };
  }
}

async function closeAll(links: readonly HostLink[]): Promise<void> {
  await Promise.all(links.map((link) => link.close()));
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

function entryOf(one: unknown): InputEntry {
  if (one instanceof URL) return { path: fileURLToPath(one) };
  if (typeof one === "string") return { path: one.startsWith("file:") ? fileURLToPath(one) : one };
  if (!isObject(one)) throw new TypeError("createTester: give a path, an imported module, or a list of them");
  if ("path" in one || "module" in one) {
    const { path: file, module } = one as InputEntry;
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
  options: TesterOptions = {},
): Promise<Tester<What>> {
  return new KitTester<What>(wantedModules(what, options), options).start();
}
