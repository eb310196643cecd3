// The host: answers `initialize`, `start`, callbacks and web requests over one JSON-RPC connection. It runs until the
// other end closes; what a process does around that is in serve.ts.
import { setImmediate } from "node:timers/promises";
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  ResponseError,
} from "vscode-jsonrpc/node";
import { type ApiSource, makeApi, type SynapseInfo } from "./api.js";
import { WireError } from "./api-errors.js";
import { CallError, type CallErrorKind } from "./call-error.js";
import { Cancellation } from "./cancellation.js";
import type { Catalogue } from "./catalogue.js";
import type { RunningModule } from "./context.js";
import { type Call, type Decision, dispatch } from "./dispatch.js";
import { type FollowUpAnswer, type FollowUpCall, runFollowUp } from "./follow-up-call.js";
import { FollowUps } from "./follow-ups.js";
import { type FrameReader, type FrameWriter, UNREADABLE } from "./framing.js";
import type { Event } from "./generated.js";
import { loadModules } from "./loader.js";
import type { Logger } from "./log.js";
import type { Fault, LoadedModule, ModuleSettings } from "./module.js";
import { UnfitParams } from "./params.js";
import { ModuleSetup, SETUP_TIMES, type SetupTimes } from "./setup.js";
import type { StateSource } from "./state.js";
import { describeThrown } from "./thrown.js";
import { shareTurns } from "./turns.js";
import { answerWeb, type WebAnswer, type WebCall } from "./web.js";

export const PROTOCOL = 1;
// -32800 is what the Language Server Protocol answers to a cancelled request.
const CANCELLED = -32800;
// More messages than can wait: requests with an unknown method are never begun, and must not be waited for.
const MAX_QUEUE = 10_000;
// The shim misses them after seconds.
const PULSE_MS = 500;

export interface HostOptions {
  catalogue: Catalogue;
  log: Logger;
  version: string;
  setupTimes?: SetupTimes;
}

interface Initialize {
  protocol: number;
  version: string;
  catalogue: string;
  synapse: SynapseInfo;
  modules: ModuleSettings[];
}

export class Host {
  readonly connection: MessageConnection;
  readonly modules = new Map<string, RunningModule>();
  #options: HostOptions;
  #initialized = false;
  #handles = new WeakMap<object, number>();
  #followUps = new FollowUps();
  #begun = 0;
  #underWay = 0;
  #whenIdle: (() => void) | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #reader: FrameReader;
  #writer: FrameWriter;

  constructor(reader: FrameReader, writer: FrameWriter, options: HostOptions) {
    this.#reader = reader;
    this.#writer = writer;
    this.#options = options;
    shareTurns();
    this.connection = createMessageConnection(reader, writer, connectionLog(options.log));
    this.#on("initialize", (params: Initialize) => this.#initialize(params));
    this.#on("web", (params: WebCall, cancellation) => this.#web(params, cancellation));
    for (const callback of options.catalogue.callbacks.values()) {
      this.#on(`callback/${callback.name}`, (params: Call, cancellation): Promise<Decision> => {
        const { catalogue } = options;
        return dispatch(callback, params, {
          catalogue,
          modules: this.modules,
          state: this.#stateOf(params.call),
          handles: this.#handles,
          followUps: this.#followUps,
          cancellation,
          notAwaited: (module) => this.#notAwaited(params.call, module),
        });
      });
    }
    this.#on("follow_up", (params: FollowUpCall, cancellation) => this.#followUp(params, cancellation));
    this.#on(UNREADABLE, async () => {
      throw new ResponseError(ErrorCodes.InvalidParams, "the parameters are not JSON");
    });
    this.#on("set_up", (_params: object, cancellation) => this.#setUp(cancellation));
    this.connection.onNotification("start", () => {
      for (const { setup } of this.modules.values()) setup.start();
      this.#pulse ??= setInterval(() => this.#tellOfLife(), PULSE_MS).unref();
      this.#tellOfLife();
    });
  }

  listen(): void {
    this.connection.listen();
  }

  /** Once the input has ended: lets what came before the end be begun and finished, and answered. */
  async finish(): Promise<void> {
    for (const { setup } of this.modules.values()) setup.stop();
    // The connection begins one message in each turn of the event loop.
    for (let turn = 0; turn < MAX_QUEUE && this.#begun < this.#reader.requests; turn++) await setImmediate();
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    // The answers are handed to the writer after that.
    await setImmediate();
    await this.#writer.drained();
    clearInterval(this.#pulse);
    this.connection.dispose();
  }

  #on<Params>(
    method: string,
    handler: (params: Params, cancellation: Cancellation) => Promise<object>,
  ): void {
    this.connection.onRequest(method, async (params: unknown, token: CancellationToken) => {
      this.#begun++;
      this.#underWay++;
      try {
        return await handler(params as Params, new Cancellation(token));
      } catch (error) {
        throw this.#toWire(error);
      } finally {
        this.#underWay--;
        if (this.#underWay === 0) this.#whenIdle?.();
      }
    });
  }

  async #initialize(params: Initialize) {
    const { catalogue, log, version } = this.#options;
    const faults: Fault[] = [];
    if (this.#initialized)
      throw new ResponseError(ErrorCodes.InvalidRequest, "the host was initialized already");
    this.#initialized = true;
    if (params.protocol !== PROTOCOL || params.version !== version || params.catalogue !== catalogue.hash) {
      faults.push({ path: [], message: describeMismatch(params, this.#options) });
    } else {
      const loaded = await loadModules(params.modules, catalogue, (text) => log.warn(text));
      faults.push(...loaded.faults);
      for (const module of loaded.modules) {
        this.modules.set(module.name, this.#run(module, params.synapse));
        warmUp(module, catalogue);
      }
    }
    const runtime = `node ${process.version}`;
    const modules = [...this.modules.values()].map(({ module }) => declare(module));
    return { version, catalogue: catalogue.hash, runtime, modules, faults };
  }

  /** Tells the shim that the event loop turns, and how the process is. */
  #tellOfLife(): void {
    const { rss, heapUsed } = process.memoryUsage();
    const running = [...this.modules.values()];
    const not_set_up = running.filter(({ setup }) => !setup.done).map(({ module }) => module.name);
    void this.#notify("pulse", { memory: { rss, heap_used: heapUsed }, not_set_up });
  }

  /** Waits until each module's setup has been tried; tells those that failed, and why. */
  async #setUp(cancellation: Cancellation) {
    const failed: Record<string, string> = {};
    for (const { module, setup } of this.modules.values()) {
      try {
        await setup.ready(cancellation);
      } catch (error) {
        failed[module.name] = setup.failure ?? describeThrown(error);
      }
    }
    return { failed };
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
    return { module, api, log, setup: new ModuleSetup(module, api, log, setupTimes) };
  }

  #notAwaited(call: number, module: string): void {
    void this.#notify("api/not_awaited", { call, module });
  }

  async #notify(method: string, params: object): Promise<void> {
    try {
      await this.connection.sendNotification(method, params);
    } catch {
      // The connection has gone, and whoever would want to know with it.
    }
  }

  #web(params: WebCall, cancellation: Cancellation): Promise<WebAnswer> {
    return answerWeb(params, { modules: this.modules, handles: this.#handles, cancellation });
  }

  async #followUp(params: FollowUpCall, cancellation: Cancellation): Promise<FollowUpAnswer> {
    const callback = this.#options.catalogue.callbacks.get(params.callback);
    if (!callback) throw new UnfitParams(`there is no callback ${params.callback}`);
    return runFollowUp(params, callback, this.modules, this.#followUps, cancellation);
  }

  #stateOf(call: number): StateSource {
    return {
      get: (keys) => this.#ask("state/get", { call, keys }) as Promise<Event[]>,
      keys: () => this.#ask("state/keys", { call }) as Promise<[string, string][]>,
    };
  }

  async #ask(method: string, params: object): Promise<unknown> {
    try {
      return await this.connection.sendRequest(method, params);
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error;
      const kinds = Object.entries(this.#options.catalogue.errors);
      const kind = kinds.find(([, { code }]) => code === error.code)?.[0];
      throw new WireError(kind, error.message, (error.data ?? {}) as Record<string, unknown>);
    }
  }

  #toWire(error: unknown): ResponseError<object> {
    if (error instanceof ResponseError) return error;
    if (error instanceof CallError)
      return new ResponseError(this.#codeOf(error.kind), error.message, error.data);
    if (error instanceof UnfitParams) return new ResponseError(ErrorCodes.InvalidParams, error.message);
    this.#options.log.error({ err: error }, "the host failed");
    return new ResponseError(
      ErrorCodes.InternalError,
      `the host failed: ${error instanceof Error ? error.message : error}`,
    );
  }

  #codeOf(kind: CallErrorKind): number {
    if (kind === "cancelled") return CANCELLED;
    return this.#options.catalogue.errors[kind]?.code ?? ErrorCodes.InternalError;
  }
}

function describeMismatch(shim: Initialize, host: HostOptions): string {
  const detail =
    shim.version === host.version ? "of the same version, but not of the same build" : "of another version";
  return (
    `the shim (${shim.version}, protocol ${shim.protocol}) has started a host ${detail} ` +
    `(${host.version}, protocol ${PROTOCOL}): install synapse-module-bridge again, so that both come from one package`
  );
}

function declare({ name, callbacks, web_resources, files }: LoadedModule) {
  // The handlers stay here: JSON leaves functions out.
  const declared = [...callbacks].map(([callback, entry]) => [callback, JSON.parse(JSON.stringify(entry))]);
  return { name, callbacks: Object.fromEntries(declared), web_resources: [...web_resources.keys()], files };
}

/** Compiles the validators now, so that the first call is not the one that pays for it. */
function warmUp({ callbacks }: LoadedModule, catalogue: Catalogue): void {
  for (const name of callbacks.keys()) {
    const callback = catalogue.callbacks.get(name);
    if (!callback) continue;
    catalogue.paramsValidator(callback.params, false)({});
    catalogue.validator(callback.result)(null);
  }
}

function connectionLog(log: Logger) {
  return {
    error: (message: string) => log.error(message),
    warn: (message: string) => log.warn(message),
    info: (message: string) => log.debug(message),
    log: (message: string) => log.debug(message),
  };
}
