// The host: answers the shim's requests over one JSON-RPC connection, until the other end closes it. serve.ts runs it as a
// process, thread-host.ts in a thread.

import { setImmediate } from "node:timers/promises";
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  type MessageReader,
  type MessageWriter,
  ResponseError,
} from "vscode-jsonrpc/node";
import { markExact } from "../base/exact-json.js";
import { describeThrown } from "../base/thrown.js";
import type { RunningModule } from "../calls/context.js";
import { type DispatchEnvironment, dispatch } from "../calls/dispatch.js";
import { runFollowUp } from "../calls/follow-up-call.js";
import { FollowUps } from "../calls/follow-ups.js";
import { UnfitParams } from "../calls/params.js";
import { ModuleSetup, SETUP_TIMES, type SetupTimes } from "../calls/setup.js";
import type { StateSource } from "../calls/state.js";
import { kindOf, tooLargeAsFault, toWire } from "../calls/wire-errors.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import {
  type FollowUpCall,
  type FollowUpReply,
  type HostNotifications,
  type HostRequests,
  type Initialize,
  LIMITS,
  type LogLevels,
  type Manifest,
  type SetUpReply,
  type ShimNotifications,
  type ShimRequests,
  type SynapseInfo,
  type WebAnswer,
  type WebCall,
} from "../catalogue/protocol.js";
import { type LoadedModule, nameOf } from "../declarations/module.js";
import { conditionsTooNew } from "../declarations/since.js";
import { loadModules } from "../loading/loader.js";
import { declare, mismatch } from "../loading/manifest.js";
import { Snapshot } from "../loading/snapshot.js";
import { type Logger, setLevel } from "../logging/log.js";
import { type ApiSource, makeApi } from "../module-api/api.js";
import { WireError } from "../module-api/api-errors.js";
import { sanitizeEvents } from "../module-api/sanitize-events.js";
import type { ManifestPart, PlacedModule } from "../threads/load-in-thread.js";
import type { Relay, ThreadOptions } from "../threads/thread.js";
import { Threads } from "../threads/threads.js";
import { Cancellation } from "../transport/cancellation.js";
import { connectionLog } from "../transport/connection-log.js";
import { type TooLarge, UNREADABLE } from "../transport/framing.js";
import { batchMessages } from "../transport/message-batching.js";
import { answerWeb } from "../web/web.js";

// More iterations than waiting messages can need. Without a limit, a request with an unknown method would never be counted as
// begun.
const MAX_QUEUE = 10_000;

export interface HostOptions {
  catalogue: Catalogue;
  log: Logger;
  version: string;
  setupTimes?: SetupTimes;
  /** How often it sends `pulse`. */
  pulse_ms?: number;
  /** How to make threads. Without it, all modules run on this thread. */
  threads?: Omit<ThreadOptions, "log">;
}

/** A reader that counts the requests that have come in so far. */
export type Reader = MessageReader & { readonly requests: number };
/** A writer whose `drained` resolves when everything written so far has left, or cannot leave. */
export type Writer = MessageWriter & { drained(): Promise<void>; tooLarge: TooLarge };

export class Host {
  readonly connection: MessageConnection;
  readonly modules = new Map<string, RunningModule>();
  /** The module that is being loaded. */
  loading: string | undefined;
  #options: HostOptions;
  #initialized = false;
  #threads: Threads | undefined;
  #handles = new WeakMap<object, number>();
  #followUps = new FollowUps();
  #begun = 0;
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #reader: Reader;
  #writer: Writer;

  constructor(reader: Reader, writer: Writer, options: HostOptions) {
    this.#reader = reader;
    this.#writer = writer;
    this.#options = options;
    writer.tooLarge = tooLargeAsFault(options.log);
    batchMessages();
    this.connection = createMessageConnection(reader, writer, connectionLog(options.log));
    if (options.threads)
      this.#threads = new Threads({ ...options.threads, log: options.log }, this.#relay(), options.catalogue);
    this.#on("initialize", (params) => this.#initialize(params));
    this.#on("web", (params, cancellation) => this.#web(params, cancellation));
    for (const callback of options.catalogue.callbacks.values()) {
      this.#on(`callback/${callback.name}`, (params, cancellation) => {
        const { catalogue } = options;
        const environment: DispatchEnvironment = {
          catalogue,
          modules: this.modules,
          state: this.#stateOf(params.call),
          handles: this.#handles,
          followUps: this.#followUps,
          cancellation,
          askThread: this.#threads?.ask,
          notAwaited: (module) => this.#notAwaited(params.call, module),
        };
        const asked =
          params.apart !== undefined && this.#threads
            ? this.#threads.askApart(callback, params, environment)
            : dispatch(callback, params, environment);
        return asked.then((reply) => markExact(reply, reply.answer));
      });
    }
    this.#on("follow_up", (params, cancellation) => this.#followUp(params, cancellation));
    this.#serve(UNREADABLE, async () => {
      throw new ResponseError(ErrorCodes.InvalidParams, "the parameters are not JSON");
    });
    this.#on("set_up", (_params, cancellation) => this.#setUp(cancellation));
    const threads = this.#threads;
    if (threads) this.#on("set_up_apart", (params, cancellation) => threads.setUpApart(params, cancellation));
    this.#onTold("start", () => {
      for (const { setup } of this.modules.values()) setup.start();
      this.#threads?.start();
      this.#pulse ??= setInterval(() => this.#tellOfLife(), options.pulse_ms ?? LIMITS.pulse_ms).unref();
      this.#tellOfLife();
    });
    this.#onTold("log_levels", (params) => this.#setLogLevels(params));
  }

  #setLogLevels({ levels }: LogLevels): void {
    for (const { module, log, setup } of this.modules.values())
      for (const logger of [log, setup.log]) setLevel(logger, levels[module.name]);
    this.#threads?.setLogLevels({ levels });
  }

  listen(): void {
    this.connection.listen();
  }

  /** After the end of the input: finishes and answers the requests that came before. */
  async finish(): Promise<void> {
    for (const { setup } of this.modules.values()) setup.stop();
    // The connection may begin only one message in each iteration of the event loop.
    for (let waited = 0; waited < MAX_QUEUE && this.#begun < this.#reader.requests; waited++)
      await setImmediate();
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    // vscode-jsonrpc hands the answers to the writer after that.
    await setImmediate();
    await this.#writer.drained();
    clearInterval(this.#pulse);
    await this.#threads?.close();
    this.connection.dispose();
  }

  #on<Method extends keyof ShimRequests & string>(
    method: Method,
    handler: (
      params: ShimRequests[Method]["params"],
      cancellation: Cancellation,
    ) => Promise<ShimRequests[Method]["result"]>,
  ): void {
    this.#serve(method, handler);
  }

  #onTold<Method extends keyof ShimNotifications & string>(
    method: Method,
    handler: (params: ShimNotifications[Method]) => void,
  ): void {
    this.connection.onNotification(method, handler);
  }

  #serve<Params>(
    method: string,
    handler: (params: Params, cancellation: Cancellation) => Promise<object>,
  ): void {
    this.connection.onRequest(method, async (params: unknown, token: CancellationToken) => {
      this.#begun++;
      this.#underWay++;
      try {
        return await handler(params as Params, new Cancellation(token));
      } catch (error) {
        throw toWire(error, this.#options.log);
      } finally {
        this.#underWay--;
        if (this.#underWay === 0) this.#whenIdle?.();
      }
    });
  }

  async #initialize(params: Initialize): Promise<Manifest> {
    const { catalogue, version } = this.#options;
    if (this.#initialized)
      throw new ResponseError(ErrorCodes.InvalidRequest, "the host was initialized already");
    this.#initialized = true;
    const problem = mismatch(params, { version, catalogue: catalogue.hash });
    const loaded = problem
      ? { modules: [], faults: [problem] }
      : await (this.#threads?.load(params, this.#load.bind(this)) ?? this.#load(params));
    return { version, catalogue: catalogue.hash, runtime: `node ${process.version}`, ...loaded };
  }

  async #load(
    { modules, synapse, snapshot: given }: Initialize,
    placed?: readonly PlacedModule[],
  ): Promise<ManifestPart> {
    const { catalogue, log } = this.#options;
    const snapshot = given === undefined ? new Snapshot() : Snapshot.from(given);
    const watch = {
      warn: (text: string) => log.warn(text),
      loading: (index: number, name: string) => this.#tellLoading(placed?.[index]?.index ?? index, name),
    };
    const loaded = await loadModules(modules, catalogue, watch, snapshot);
    this.loading = undefined;
    for (const module of loaded.modules) {
      this.modules.set(module.name, this.#run(module, synapse));
      warmUp(module, catalogue);
    }
    const problems = [...loaded.problems, ...conditionsTooNew(loaded.modules, synapse.version, catalogue)];
    // Before `declare`, since serializing decides what the snapshot leaves out.
    const text = given === undefined ? snapshot.serialize(watch.warn) : undefined;
    const own = text === undefined ? {} : { snapshot: [{ names: modules.map(nameOf), text }] };
    const declared = loaded.modules.map((module) => declare(module, snapshot));
    snapshot.dropContents();
    return { modules: declared, faults: problems, ...own };
  }

  /** Sends `loading`, so that the shim can name the module if it ends or hangs the process. */
  async #tellLoading(index: number, name: string): Promise<void> {
    this.loading = name;
    await this.#notify("loading", { index, name });
    await this.#writer.drained();
  }

  /** Sends `pulse`: the event loop is not blocked, and the state of the process. */
  #tellOfLife(): void {
    const { rss, heapUsed } = process.memoryUsage();
    const running = [...this.modules.values()];
    const not_set_up = running.filter(({ setup }) => !setup.done).map(({ module }) => module.name);
    if (this.#threads) not_set_up.push(...this.#threads.notSetUp);
    const threads = this.#threads && { threads: this.#threads.pulse };
    void this.#notify("pulse", { memory: { rss, heap_used: heapUsed }, not_set_up, ...threads });
  }

  /** Waits for the first setup of each module. Returns which ones have failed, and why. */
  async #setUp(cancellation: Cancellation): Promise<SetUpReply> {
    const failed: Record<string, string> = {};
    for (const { module, setup } of this.modules.values()) {
      try {
        await setup.ready(cancellation);
      } catch (error) {
        failed[module.name] = setup.failure ?? describeThrown(error);
      }
    }
    return { failed: { ...failed, ...(await this.#threads?.setUp(cancellation)) } };
  }

  #run(module: LoadedModule, synapse: SynapseInfo): RunningModule {
    const { catalogue, log: logger, setupTimes = SETUP_TIMES } = this.#options;
    const source: ApiSource = {
      request: (method, params) => this.#ask(`api/${method}`, params),
      handleOf: (request) =>
        typeof request === "object" && request !== null ? this.#handles.get(request) : undefined,
      render: (params) => this.#ask("templates/render", params),
    };
    const api = makeApi(module, synapse, source, catalogue);
    const log = logger.child({ module: module.name });
    const setup = new ModuleSetup(module, api, log, setupTimes);
    // The main thread must know it before a call can end this thread.
    setup.onSuccess = () => this.#tellOfLife();
    return { module, api, log, setup };
  }

  #notAwaited(call: number, module: string): void {
    void this.#notify("api/not_awaited", { call, module });
  }

  async #notify<Method extends keyof HostNotifications>(
    method: Method,
    params: HostNotifications[Method],
  ): Promise<void> {
    try {
      await this.connection.sendNotification(method, params);
    } catch {
      // The connection is closed: nobody is there to be notified.
    }
  }

  #relay(): Relay {
    return {
      request: (method, params, token) => this.connection.sendRequest(method, params, token),
      notify: (method, params) => void this.#notify(method, params),
    };
  }

  #web(params: WebCall, cancellation: Cancellation): Promise<WebAnswer> {
    const elsewhere = this.#threads?.web(params, cancellation);
    if (elsewhere !== undefined) return elsewhere;
    return answerWeb(params, { modules: this.modules, handles: this.#handles, cancellation });
  }

  async #followUp(params: FollowUpCall, cancellation: Cancellation): Promise<FollowUpReply> {
    const callback = this.#options.catalogue.callbacks.get(params.callback);
    if (!callback) throw new UnfitParams(`there is no callback ${params.callback}`);
    const elsewhere = this.#followUps.has(callback.name, params.follow_up)
      ? undefined
      : this.#threads?.followUp(params, cancellation);
    if (elsewhere !== undefined) return elsewhere;
    return runFollowUp(params, callback, this.modules, this.#followUps, cancellation);
  }

  #stateOf(call: number): StateSource {
    return {
      get: async (keys) =>
        sanitizeEvents(await this.#ask("state/get", { call, keys }), this.#options.catalogue),
      keys: () => this.#ask("state/keys", { call }),
    };
  }

  async #ask<Method extends keyof HostRequests & string>(
    method: Method,
    params: HostRequests[Method]["params"],
  ): Promise<HostRequests[Method]["result"]> {
    try {
      return await this.connection.sendRequest(method, params);
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
      throw new WireError(kindOf(error.code), error.message, (error.data ?? {}) as Record<string, unknown>);
    }
  }
}

/** Compiles the validators now, so that the first call does not take longer. */
function warmUp({ callbacks }: LoadedModule, catalogue: Catalogue): void {
  for (const name of callbacks.keys()) {
    const callback = catalogue.callbacks.get(name);
    if (!callback) continue;
    catalogue.paramsValidator(callback.params, false)({});
    catalogue.validator(callback.result)(null);
  }
}
