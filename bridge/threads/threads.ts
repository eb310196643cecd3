// Manages all threads of the host: starts them, and passes requests on to the thread that has the module.

import { type AskThread, type DispatchEnvironment, dispatch } from "../calls/dispatch.js";
import { withTimeLimit } from "../calls/time-limit.js";
import type { Callback, Catalogue } from "../catalogue/catalogue.js";
import type {
  Broadcast,
  BroadcastReply,
  Call,
  DeclaredModule,
  FollowUpCall,
  FollowUpReply,
  Initialize,
  LogLevels,
  Reply,
  SetUpApart,
  SetUpApartReply,
  ThreadState,
  WebAnswer,
  WebCall,
} from "../catalogue/protocol.js";
import { partsOf, withinLimit } from "../loading/snapshot-parts.js";
import { type CallError, moduleUnavailable } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import { Compartment, type SpawnOptions } from "./compartment.js";
import { declareOff } from "./declare-off.js";
import { type ManifestPart, namesOf, type PlacedModule, relocated } from "./load-in-thread.js";
import { mergeManifests, place, withOff } from "./placement.js";
import type { ThreadOptions } from "./thread.js";
import { ThreadApart } from "./thread-apart.js";
import type { Relay } from "./thread-connection.js";

const NO_MODULES: DispatchEnvironment["modules"] = new Map();

/** Loads modules on the main thread. */
export type LoadHere = (params: Initialize, placed: readonly PlacedModule[]) => Promise<ManifestPart>;

export class Threads {
  #compartments: readonly Compartment[] = [];
  #compartmentOf = new Map<string, Compartment>();
  /** Shadow modules. Nobody waits for them, so they may use all the time that a call has left. */
  #withoutTimeLimit = new Set<string>();
  #threadApart: ThreadApart | undefined;

  constructor(
    private readonly options: ThreadOptions,
    private readonly relay: Relay,
    private readonly catalogue: Catalogue,
  ) {}

  /** Loads all modules, one thread after another, so that the shim always knows which module is being loaded. */
  async load(params: Initialize, loadHere: LoadHere): Promise<ManifestPart> {
    const { modules: all, ...initialize } = params;
    const { options, relay } = this;
    const spawnOptions: SpawnOptions = { options, relay, initialize };
    options.held.patience_ms = params.held_patience_ms ?? 0;
    const { here, apart, off } = place(all);
    this.#threadApart = new ThreadApart([here, apart].flat(2), spawnOptions);
    const { snapshot: given } = params;
    const own = await loadHere(
      {
        ...initialize,
        ...(given && { snapshot: partsOf(given, namesOf(here)) }),
        modules: here.map(({ settings }) => settings),
      },
      here,
    );
    const parts = [{ ...own, faults: relocated(own.faults, here) }];
    this.#compartments = apart.map((modules) => this.#compartment(modules, spawnOptions));
    for (const compartment of this.#compartments) parts.push(await compartment.load());
    const isAllHere = apart.length + off.length === 0;
    const running = isAllHere ? own : mergeManifests(parts, all, this.catalogue);
    if (given !== undefined) return running;
    const declared = await declareOff(off, spawnOptions);
    const loaded = withOff(running, declared, all, this.catalogue);
    const recorded = [...parts, ...declared].flatMap(({ snapshot = [] }) => snapshot);
    const { parts: snapshot, dropped } = withinLimit(recorded, (message) => options.log.warn(message));
    // A later thread loads the same from this snapshot.
    spawnOptions.initialize = { ...initialize, snapshot };
    return { ...loaded, modules: loaded.modules.map((module) => withDropped(module, dropped)), snapshot };
  }

  #compartment(modules: readonly PlacedModule[], spawnOptions: SpawnOptions): Compartment {
    const compartment = new Compartment(modules, spawnOptions);
    for (const { name, settings } of modules) {
      this.#compartmentOf.set(name, compartment);
      if (settings.mode === "shadow") this.#withoutTimeLimit.add(name);
    }
    return compartment;
  }

  start(): void {
    for (const compartment of this.#compartments) compartment.start();
  }

  setLogLevels(levels: LogLevels): void {
    for (const compartment of this.#compartments) compartment.setLogLevels(levels);
  }

  /** Asks a module; undefined if no thread has it. */
  readonly ask: AskThread = (name, callback, call, cancellation) => {
    const compartment = this.#compartmentOf.get(name);
    if (!compartment) return undefined;
    const left = this.#withoutTimeLimit.has(name) ? undefined : call.time_left_ms;
    const share = left === undefined ? undefined : left / 2;
    return withTimeLimit(
      cancellation,
      share,
      () => tooLate(name),
      (limit) => compartment.ask(`callback/${callback}`, call, name, limit),
    );
  };

  /** Passes a web request on; undefined if no thread has the module. */
  web(call: WebCall, cancellation: Cancellation): Promise<WebAnswer> | undefined {
    return this.#compartmentOf.get(call.module)?.ask("web", call, call.module, cancellation);
  }

  /** Passes a broadcast on; undefined if only the thread apart has the module, or none. */
  broadcast(broadcast: Broadcast, cancellation: Cancellation): Promise<BroadcastReply> | undefined {
    this.#threadApart?.broadcast(broadcast);
    return this.#compartmentOf.get(broadcast.module)?.broadcast(broadcast, cancellation);
  }

  /** Runs a follow-up; undefined if no thread has the module. */
  followUp(call: FollowUpCall, cancellation: Cancellation): Promise<FollowUpReply> | undefined {
    const { module } = call.follow_up;
    const compartment = this.#compartmentOf.get(module);
    if (compartment) return compartment.ask("follow_up", call, module, cancellation);
    // The module may have left it there when it was a suspect.
    return this.#threadApart?.followUp(call, cancellation);
  }

  /** Asks all modules of a suspect in the thread apart. */
  async askApart(
    callback: Callback,
    call: Call,
    cancellation: Cancellation,
    environment: DispatchEnvironment,
  ): Promise<Reply> {
    if (!this.#threadApart) throw moduleUnavailable(call.modules[0] ?? "", "the host was not initialized");
    return this.#threadApart.ask(call, cancellation, (askThread) =>
      dispatch(callback, call, cancellation, { ...environment, modules: NO_MODULES, askThread }),
    );
  }

  /** Prepares the thread apart for these modules. */
  async setUpApart(params: SetUpApart, cancellation: Cancellation): Promise<SetUpApartReply> {
    if (!this.#threadApart) throw moduleUnavailable(params.modules[0] ?? "", "the host was not initialized");
    return this.#threadApart.setUp(params, cancellation);
  }

  /** Waits for the first `setup` of each module. Returns why it has failed, by module. */
  async setUp(cancellation: Cancellation): Promise<Record<string, string>> {
    const failed: Record<string, string> = {};
    for (const compartment of this.#compartments) {
      const [name = ""] = compartment.names;
      try {
        const answer = await compartment.ask("set_up", {}, name, cancellation);
        Object.assign(failed, answer.failed);
      } catch (error) {
        for (const one of compartment.names) failed[one] = (error as Error).message;
      }
    }
    return failed;
  }

  get notSetUp(): string[] {
    return this.#compartments.flatMap(({ names, thread }) => thread?.notSetUp ?? names);
  }

  /** The state of each thread, for the host's pulse. */
  get pulse(): ThreadState[] {
    return this.#compartments.map(({ names, thread, restarts }) => ({
      modules: names,
      restarts,
      heap_used: thread?.heapUsed ?? 0,
    }));
  }

  async close(): Promise<void> {
    this.#threadApart?.close();
    await Promise.all(this.#compartments.map((compartment) => compartment.close()));
  }
}

function withDropped(module: DeclaredModule, dropped: readonly string[]): DeclaredModule {
  if (!dropped.includes(module.name)) return module;
  return { ...module, not_kept: [...module.not_kept, "all that it was loaded from"] };
}

function tooLate(name: string): CallError {
  return moduleUnavailable(name, "it has not answered within half of the time that was left", "deadline");
}
