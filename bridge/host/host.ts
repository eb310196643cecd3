// The host: answers the shim's requests with the modules of this thread and of its own threads. serve.ts runs it as a process,
// thread-host.ts in a thread.

import { ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { real } from "../base/real-time.js";
import { Broadcasts } from "../calls/broadcast.js";
import { type DispatchEnvironment, dispatch } from "../calls/dispatch.js";
import { runFollowUp } from "../calls/follow-up-call.js";
import { FollowUps } from "../calls/follow-ups.js";
import { UnfitParams } from "../calls/params.js";
import type { SetupTimes } from "../calls/setup.js";
import type { StateSource } from "../calls/state.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import {
  type Call,
  type FollowUpCall,
  type FollowUpReply,
  type Initialize,
  LIMITS,
  type Manifest,
  type Reply,
  type WebAnswer,
  type WebCall,
} from "../catalogue/protocol.js";
import { mismatch } from "../loading/manifest.js";
import type { Logger } from "../logging/log.js";
import type { ApiSource } from "../module-api/api.js";
import { sanitizeEvents } from "../module-api/sanitize-events.js";
import type { ThreadOptions } from "../threads/thread.js";
import { Threads } from "../threads/threads.js";
import type { CallError } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import { answerWeb } from "../web/web.js";
import { HostConnection, type Reader, type Writer } from "./connection.js";
import type { ForTests } from "./for-tests.js";
import { RunningModules } from "./running-modules.js";

export interface HostOptions {
  catalogue: Catalogue;
  log: Logger;
  version: string;
  setupTimes?: SetupTimes;
  /** How often it sends `pulse`. */
  pulse_ms?: number;
  /** How to make threads. Without it, all modules run on this thread. */
  threads?: Omit<ThreadOptions, "log">;
  /** For the authors' kit. */
  forTests?: ForTests;
}

export class Host {
  readonly connection: HostConnection;
  readonly modules: RunningModules;
  #options: HostOptions;
  #initialized = false;
  #threads: Threads | undefined;
  #handles = new WeakMap<object, number>();
  #followUps = new FollowUps();
  #environment: DispatchEnvironment;
  #broadcasts = new Broadcasts();
  #pulse: NodeJS.Timeout | undefined;

  constructor(reader: Reader, writer: Writer, options: HostOptions) {
    const { catalogue, log, setupTimes, threads, forTests } = options;
    const connection = new HostConnection(reader, writer, log);
    this.#options = options;
    this.connection = connection;
    this.modules = new RunningModules({
      ...{ catalogue, log, setupTimes, forTests },
      source: this.#apiSource(),
      onLoading: (index, name) => this.#sendLoading(index, name),
      // A thread's supervisor must know that it is set up before a call can end it.
      onSetUp: () => this.#sendPulse(),
    });
    if (threads) this.#threads = new Threads({ ...threads, log }, connection.relay, catalogue);
    this.#environment = {
      catalogue,
      modules: this.modules.byName,
      stateOf: (call) => this.#stateOf(call),
      handles: this.#handles,
      followUps: this.#followUps,
      askThread: this.#threads?.ask,
      notAwaited: (call, module) => void connection.notify("api/not_awaited", { call, module }),
    };
    connection.onRequest("initialize", (params) => this.#initialize(params));
    for (const callback of catalogue.callbacks.values())
      connection.onRequest(`callback/${callback.name}`, (call, cancellation) =>
        forTests
          ? this.#told(call.request, this.#callForTests(callback, call, cancellation))
          : this.#call(callback, call, cancellation, this.#environment),
      );
    connection.onRequest("follow_up", (call, cancellation) =>
      this.#told(call.request, this.#followUp(call, cancellation)),
    );
    connection.onRequest("web", (call, cancellation) =>
      this.#told(call.request, this.#web(call, cancellation)),
    );
    connection.onRequest("broadcast", (broadcast, cancellation) => {
      const inThread = this.#threads?.broadcast(broadcast, cancellation);
      return inThread ?? this.#broadcasts.deliver(this.modules.byName.get(broadcast.module), broadcast);
    });
    connection.onRequest("set_up", async (_, cancellation) => ({
      failed: {
        ...(await this.modules.setUp(cancellation)),
        ...(await this.#threads?.setUp(cancellation)),
      },
    }));
    const own = this.#threads;
    if (own)
      connection.onRequest("set_up_apart", (params, cancellation) => own.setUpApart(params, cancellation));
    connection.onNotification("start", () => this.#start());
    connection.onNotification("log_levels", (levels) => {
      this.modules.setLogLevels(levels);
      this.#threads?.setLogLevels(levels);
    });
  }

  listen(): void {
    this.connection.listen();
  }

  /**
   * After the end of the input: finishes and answers the requests that came before, within `limit_ms`, and then runs the
   * modules' `close`.
   */
  async finish(limit_ms: number): Promise<void> {
    this.modules.stop();
    await real.atMost(limit_ms, this.connection.finish());
    clearInterval(this.#pulse);
    await Promise.all([this.#threads?.close(), this.modules.close()]);
    this.connection.dispose();
  }

  async #initialize(params: Initialize): Promise<Manifest> {
    const { catalogue, version } = this.#options;
    if (this.#initialized)
      throw new ResponseError(ErrorCodes.InvalidRequest, "the host was initialized already");
    this.#initialized = true;
    const { modules } = this;
    const problem = mismatch(params, { version, catalogue: catalogue.hash });
    const loaded = problem
      ? { modules: [], faults: [problem] }
      : await (this.#threads?.load(params, modules.load.bind(modules)) ?? modules.load(params));
    return { version, catalogue: catalogue.hash, runtime: `node ${process.version}`, broken: [], ...loaded };
  }

  #start(): void {
    this.modules.start();
    this.#threads?.start();
    // The authors' kit watches nothing, and a runner's fake clock would send thousands.
    if (this.#options.forTests) return;
    this.#pulse ??= setInterval(() => this.#sendPulse(), this.#options.pulse_ms ?? LIMITS.pulse_ms).unref();
    this.#sendPulse();
  }

  #call(
    callback: Callback,
    call: Call,
    cancellation: Cancellation,
    environment: DispatchEnvironment,
  ): Promise<Reply> {
    return call.apart !== undefined && this.#threads
      ? this.#threads.askApart(callback, call, cancellation, environment)
      : dispatch(callback, call, cancellation, environment);
  }

  /** Also throws the faults in notifications, which nobody waits for in production. */
  async #callForTests(callback: Callback, call: Call, cancellation: Cancellation): Promise<Reply> {
    const unseen: CallError[] = [];
    const reply = await this.#call(callback, call, cancellation, {
      ...this.#environment,
      onNotifyError: (error) => void unseen.push(error),
    });
    const [first] = unseen;
    if (first) throw first;
    return reply;
  }

  #web(call: WebCall, cancellation: Cancellation): Promise<WebAnswer> {
    return (
      this.#threads?.web(call, cancellation) ??
      answerWeb(call, { modules: this.modules.byName, handles: this.#handles, cancellation })
    );
  }

  async #followUp(params: FollowUpCall, cancellation: Cancellation): Promise<FollowUpReply> {
    const callback = this.#options.catalogue.callbacks.get(params.callback);
    if (!callback) throw new UnfitParams(`there is no callback ${params.callback}`);
    const isHere = this.#followUps.has(callback.name, params.follow_up);
    const inThread = isHere ? undefined : this.#threads?.followUp(params, cancellation);
    const run = () => runFollowUp(params, callback, this.modules.byName, this.#followUps, cancellation);
    return inThread ?? this.modules.unrecorded(run);
  }

  /** Tells the authors' kit why a call has failed. */
  #told<T>(request: string | null, answer: Promise<T>): Promise<T> {
    const { forTests } = this.#options;
    if (!forTests?.onFailure) return answer;
    return answer.catch((error: Error) => {
      forTests.onFailure?.(request, error.cause ?? error);
      throw error;
    });
  }

  #apiSource(): ApiSource {
    const { connection } = this;
    const { forTests } = this.#options;
    return {
      ...(forTests && { now: () => forTests.now() }),
      request: (method, params) => connection.request(`api/${method}`, params),
      handleOf: (request) =>
        typeof request === "object" && request !== null ? this.#handles.get(request) : undefined,
      render: (params) => connection.request("templates/render", params),
    };
  }

  #stateOf(call: number): StateSource {
    const { connection } = this;
    return {
      get: async (keys) =>
        sanitizeEvents(await connection.request("state/get", { call, keys }), this.#options.catalogue),
      keys: () => connection.request("state/keys", { call }),
    };
  }

  /** Sends `loading`, so that the shim can name the module if it ends or hangs the process. */
  async #sendLoading(index: number, name: string): Promise<void> {
    await this.connection.notify("loading", { index, name });
    await this.connection.drained();
  }

  /** Sends `pulse`: the event loop is not blocked, and the state of the process. */
  #sendPulse(): void {
    const { rss, heapUsed } = process.memoryUsage();
    const not_set_up = [...this.modules.notSetUp, ...(this.#threads?.notSetUp ?? [])];
    const threads = this.#threads && { threads: this.#threads.pulse };
    void this.connection.notify("pulse", { memory: { rss, heap_used: heapUsed }, not_set_up, ...threads });
  }
}
