// Records what the modules of one thread are asked and answer. It puts itself around their handlers, their `setup` and their
// api when they are loaded, so that calls cost nothing where nothing is recorded.
import { AsyncLocalStorage } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { exactJson } from "../base/exact-json.js";
import { describeThrown } from "../base/thrown.js";
import { VERSION } from "../base/version.js";
import { RoomState } from "../calls/state.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type { Recording, SynapseInfo } from "../catalogue/protocol.js";
import type { Entry, Handler, LoadedModule, Outcome } from "../declarations/module.js";
import { currentModule } from "../logging/current-module.js";
import type { Logger } from "../logging/log.js";
import type { ApiSource } from "../module-api/api.js";
import { WireError } from "../module-api/api-errors.js";
import type { StateEvents } from "../sdk/objects.js";
import {
  digest,
  FORMAT,
  isSecretMethod,
  MOST_LINE,
  mayFit,
  recordedJson,
  type Verdict,
  verdictOf,
  whyUnrecorded,
} from "./format.js";
import { SeenState } from "./seen-state.js";
import { RecordingWriter } from "./writer.js";

// In characters: what `setup` was told, which each file begins with; and as a part of the limit for the folder.
const MOST_HEADS = 1024 * 1024;
const PART_FOR_HEADS = 1 / 128;

const TOO_LONG = "longer than a recording takes";

/** What a function of a module was told by the api: JSON, since the module may change what it gets. */
interface Told {
  kind: "call" | "setup" | "unrecorded";
  module: string;
  api: string[];
  length: number;
  /** It has settled. What it has left running belongs to no call. */
  over: boolean;
}

export class Recorder {
  #current = new AsyncLocalStorage<Told>();
  #writer: RecordingWriter;
  #callbacks: ReadonlySet<string>;
  readonly #mostHeads: number;
  #ends = new Map<string, string>();
  #headLengths = new Map<string, number>();

  constructor(
    settings: Recording,
    private readonly synapse: SynapseInfo,
    private readonly catalogue: Catalogue,
    log: Logger,
  ) {
    this.#writer = new RecordingWriter({ settings, worker: synapse.worker_name ?? "main", log });
    this.#callbacks = new Set(settings.callbacks);
    this.#mostHeads = Math.min(MOST_HEADS, settings.limit_bytes * PART_FOR_HEADS);
  }

  /** Resolves when all that was recorded is written. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  /** The module with recording handlers. `files` are the digests of its files. */
  around(module: LoadedModule, files: readonly string[]): LoadedModule {
    const { name, config, setup } = module;
    const versions = {
      ...{ bridge: VERSION, node: process.version, files: digest(files), config: digest(config) },
    };
    const { synapse } = this;
    // The end of each line of this module.
    this.#ends.set(name, `,"versions":${exactJson(versions)},"synapse":${exactJson(synapse)}}`);
    const callbacks = [...module.callbacks].map(([callback, entry]) => {
      const { handler, checkers } = entry;
      const declared = this.catalogue.callbacks.get(callback);
      if (!declared) return [callback, entry] as const;
      const around = (inner: Handler | undefined) => inner && this.#around(declared, name, inner);
      const listed = checkers?.map((checker) => ({ ...checker, ...around(checker.handler) }));
      return [callback, { ...entry, ...around(handler), ...(listed && { checkers: listed }) }] as const;
    });
    const resources = [...module.web_resources].map(([path, handler]): [string, typeof handler] => {
      return [path, (request, context) => this.unrecorded(() => handler(request, context))];
    });
    const broadcasts = [...module.broadcasts].map(([topic, handler]): [string, typeof handler] => {
      return [topic, (value, context) => this.unrecorded(() => handler(value, context))];
    });
    return {
      ...module,
      callbacks: new Map(callbacks),
      web_resources: new Map(resources),
      broadcasts: new Map(broadcasts),
      ...(setup && { setup: (context) => this.#setUp(name, () => setup(context)) }),
    };
  }

  /** The source, of which answers outside of secret methods are recorded. */
  over(source: ApiSource): ApiSource {
    const request: ApiSource["request"] = async (method, params) => {
      const told = this.#current.getStore();
      const from = told?.over ? undefined : told;
      if (from?.kind === "unrecorded" || isSecretMethod(method, this.catalogue))
        return source.request(method, params);
      const at = new Date().toISOString();
      const tell = (end: object) => {
        const told = { method, params: params.params, ...end };
        const isTold = this.#unlessItFails(() => this.#tell(from, params.module, at, told) ?? true);
        // Without this answer the call could not be asked again, so the call is left out.
        if (!isTold && from) from.length = Number.POSITIVE_INFINITY;
      };
      try {
        const answer = await source.request(method, params);
        tell({ answer });
        return answer;
      } catch (error) {
        if (error instanceof WireError) {
          const { kind = null, message, data } = error;
          tell({ error: { kind, message, data } });
        }
        throw error;
      }
    };
    return { ...source, request };
  }

  /** Runs what is not recorded. */
  unrecorded<T>(run: () => T): T {
    return this.#current.run(newTold("unrecorded", ""), run);
  }

  #tell(into: Told | undefined, module: string, at: string, told: object): void {
    const json = mayFit(told, MOST_LINE) ? recordedJson(told) : undefined;
    if (into?.kind === "call") {
      // Without this answer the call could not be asked again, so the call is left out.
      into.length += json?.length ?? Number.POSITIVE_INFINITY;
      if (json !== undefined && into.length <= MOST_LINE) into.api.push(json);
      return;
    }
    if (json === undefined) {
      this.#writer.dropped(TOO_LONG);
      return;
    }
    const during = into?.kind === "setup" ? "setup" : "later";
    const line = `${begin(at, module)},"during":"${during}","api":[${json}]${this.#ends.get(module)}`;
    const length = (this.#headLengths.get(module) ?? 0) + line.length;
    if (during === "later" || length > this.#mostHeads) this.#writer.write(line);
    else {
      this.#headLengths.set(module, length);
      this.#writer.setHead(`${module}\n${length}`, line);
    }
  }

  #setUp(module: string, setup: () => unknown): unknown {
    const told = newTold("setup", module);
    // The attempt before has failed.
    this.#writer.dropHeads(`${module}\n`);
    this.#headLengths.delete(module);
    return this.#current.run(told, async () => {
      try {
        return await setup();
      } finally {
        told.over = true;
      }
    });
  }

  #around(callback: Callback, module: string, handler: Handler): Pick<Entry, "handler" | "settled"> {
    const apart: Handler = (params, context) => this.unrecorded(() => handler(params, context));
    if (whyUnrecorded(callback) !== undefined || !this.#callbacks.has(callback.name))
      return { handler: apart };
    const open = new WeakMap<object, CallInProgress>();
    return {
      handler: (params, context) => {
        const call = this.#unlessItFails(() => new CallInProgress(callback, module, params));
        if (call === undefined) return apart(params, context);
        open.set(context, call);
        return this.#current.run(call.told, () => handler(call.params, context));
      },
      settled: (context, outcome) => {
        const call = open.get(context);
        if (call === undefined) return;
        call.told.over = true;
        this.#unlessItFails(() => {
          const line = call.line(outcome, this.#ends.get(module) ?? "}");
          if (line === undefined) this.#writer.dropped(TOO_LONG);
          else this.#writer.write(line);
        });
      },
    };
  }

  /** What it returns. A call that cannot be recorded is answered all the same. */
  #unlessItFails<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#writer.dropped(`they cannot be written as JSON (${describeThrown(error)})`);
      return undefined;
    }
  }
}

function newTold(kind: Told["kind"], module: string): Told {
  return { kind, module, api: [], length: 0, over: false };
}

function begin(at: string, module: string): string {
  return `{"recording":${FORMAT},"at":"${at}","module":${JSON.stringify(module)}`;
}

/** One call of one module, from its parameters to its line. */
class CallInProgress {
  readonly told: Told;
  /** What the handler gets. */
  readonly params: object;
  #started = performance.now();
  #at = new Date().toISOString();
  #request = currentModule()?.request ?? null;
  /** Undefined if they are too long. */
  #paramsJson: string | undefined;
  #seen: SeenState | undefined;

  constructor(
    private readonly callback: Callback,
    module: string,
    params: object,
  ) {
    this.told = newTold("call", module);
    const given = params as Record<string, unknown>;
    const own: Record<string, unknown> = { ...given };
    const recorded: Record<string, unknown> = {};
    for (const [name, type] of Object.entries(callback.params)) {
      const value = given[name];
      if (type === "StateEvents") {
        this.#seen = new SeenState(value as StateEvents, RoomState.known(value));
        own[name] = this.#seen;
      } else recorded[name] = type === "FileWrapper" ? { path: (value as { path: string }).path } : value;
    }
    this.params = this.#seen ? Object.freeze(own) : params;
    // Now, since a module may change its copy of some parameters.
    if (mayFit(recorded, MOST_LINE)) this.#paramsJson = recordedJson(recorded);
  }

  /** The line; undefined if it is too long. */
  line(outcome: Outcome, end: string): string | undefined {
    const { callback, told } = this;
    if (this.#paramsJson === undefined || told.length > MOST_LINE) return undefined;
    const state = this.#seen?.recorded;
    if (!mayFit(state, MOST_LINE)) return undefined;
    const { reason } = outcome;
    const ms = Math.round((performance.now() - this.#started) * 1000) / 1000;
    const parts = [
      begin(this.#at, told.module),
      `"callback":"${callback.name}"`,
      `"request":${JSON.stringify(this.#request)}`,
      `"params":${this.#paramsJson}`,
      ...(state ? [`"state":${recordedJson(state)}`] : []),
      ...(told.api.length > 0 ? [`"api":[${told.api.join(",")}]`] : []),
      `"verdict":${verdictJson(this.#verdict(outcome))}`,
      ...(reason === undefined ? [] : [`"reason":${JSON.stringify(reason)}`]),
      `"ms":${ms}`,
    ];
    const line = parts.join(",") + end;
    return line.length > MOST_LINE ? undefined : line;
  }

  #verdict(outcome: Outcome): Verdict {
    if ("failure" in outcome) return verdictOf(outcome.failure);
    const { answer } = outcome;
    const { edits } = this.callback;
    if (edits === undefined) return { answer };
    // What this module has left as it was it has not edited.
    const { [edits]: before } = JSON.parse(this.#paramsJson ?? "{}");
    return { answer: recordedJson(answer) === exactJson(before) ? null : answer };
  }
}

function verdictJson(verdict: Verdict): string {
  return mayFit(verdict, MOST_LINE) ? recordedJson(verdict) : " ".repeat(MOST_LINE);
}
