// A compartment: some modules in a thread that is replaced whenever it ends. The next thread starts at once, or after growing
// pauses if the last one ended before it was of use. Calls wait for the next thread, unless it is not known when it comes.

import { EventEmitter, once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Backoff } from "../base/backoff.js";
import {
  type Broadcast,
  type BroadcastReply,
  type End,
  LIMITS,
  type Loading,
  type LogLevels,
  type ShimRequests,
} from "../catalogue/protocol.js";
import { cancelled, moduleUnavailable } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import {
  loadInThread,
  loadInThreadInTime,
  type ManifestPart,
  type PlacedModule,
  type ThreadInitialize,
} from "./load-in-thread.js";
import { Thread, type ThreadOptions } from "./thread.js";
import type { Relay } from "./thread-connection.js";
import { watch } from "./watchdog.js";

/** What each new thread is made with. */
export interface SpawnOptions {
  options: ThreadOptions;
  relay: Relay;
  initialize: ThreadInitialize;
}

// A module in a thread gets half of a call's time, and the call must fit into that once more after a blocked thread is
// replaced. Nobody waits for a shadow module, so it may block for as long as the shim allows Node.
const SILENT_MS = LIMITS.thread_blocked_ms;
const SHADOW_SILENT_MS = LIMITS.interrupt_after_ms;
// After this time, a thread counts as stable.
const STEADY_MS = 10_000;
// After so many ends within CROWDED_MS, each further one is followed by a short pause: starting a thread takes CPU time.
const MOST_ENDS = 10;
const CROWDED_MS = 10_000;
const CROWDED_PAUSE_MS = 500;

export class Compartment {
  readonly names: readonly string[];
  restarts = 0;
  thread: Thread | undefined;
  #events = new EventEmitter().setMaxListeners(0);
  #backoff = new Backoff();
  #ends: number[] = [];
  /** Why there is no thread, if it is not known when the next one comes. */
  #down: string | undefined;
  #logLevels: LogLevels | undefined;
  #started = false;
  #closed = false;

  constructor(
    readonly modules: readonly PlacedModule[],
    private readonly spawnOptions: SpawnOptions,
  ) {
    this.names = modules.map(({ name }) => name);
  }

  /** Starts the first thread. If it ends while loading, that is a startup problem of the module that it was loading. */
  async load(): Promise<ManifestPart> {
    const thread = this.#spawn();
    const answer = await loadInThread(thread, this.spawnOptions.initialize, this.modules);
    if ("cause" in answer) return { modules: [], faults: [this.#endedWhileLoading(answer)] };
    this.#take(thread);
    return answer;
  }

  start(): void {
    this.#started = true;
    if (this.thread) this.#run(this.thread);
  }

  setLogLevels(levels: LogLevels): void {
    this.#logLevels = levels;
    if (this.#started) this.thread?.setLogLevels(levels);
  }

  /** Asks the thread, and waits for one if necessary. Throws a CallError, or the error of the thread. */
  async ask<Method extends keyof ShimRequests & string>(
    method: Method,
    params: ShimRequests[Method]["params"],
    module: string,
    cancellation: Cancellation,
  ): Promise<ShimRequests[Method]["result"]> {
    for (let isFirst = true; ; ) {
      if (this.#down !== undefined) throw moduleUnavailable(module, `its thread is down: ${this.#down}`);
      const { thread } = this;
      if (thread && !thread.isClosed) {
        const sentAt = performance.now();
        try {
          return await thread.ask(method, params, module, cancellation);
        } catch (error) {
          // A blocked thread has not read it, so it has not ended the thread. Once only, lest it was read all the same.
          if (!isFirst || sentAt < thread.unreadSince || cancellation.signal.aborted) throw error;
          isFirst = false;
          continue;
        }
      }
      try {
        await once(this.#events, "change", { signal: cancellation.signal });
      } catch {
        throw cancelled();
      }
    }
  }

  /** Passes a broadcast on. While there is no thread, nobody gets it: the `setup` of the next thread reads anew. */
  async broadcast(broadcast: Broadcast, cancellation: Cancellation): Promise<BroadcastReply> {
    const { thread } = this;
    if (!thread || thread.isClosed) return { outcome: "not_set_up" };
    return thread.ask("broadcast", broadcast, broadcast.module, cancellation);
  }

  /** Lets the thread finish its work. Resolves when it has exited. */
  async close(): Promise<void> {
    this.#closed = true;
    this.thread?.close();
    await this.thread?.exited;
  }

  #spawn(): Thread {
    const { options, relay } = this.spawnOptions;
    const own: Relay = {
      request: relay.request,
      notify: (method, params) => {
        if (method !== "loading") relay.notify(method, params);
        // At the first start, the shim wants to know which module is being loaded.
        else if (this.restarts === 0) relay.notify("loading", this.#placed(params as Loading));
      },
    };
    const thread = new Thread(this.names, options, own, LIMITS.pulse_ms);
    void thread.ended.then((end) => this.#ended(thread, end));
    return thread;
  }

  /** Undefined if the machine cannot create a thread. Node goes on without it. */
  #trySpawn(): Thread | undefined {
    try {
      return this.#spawn();
    } catch (error) {
      this.#down = `it cannot be made: ${(error as Error).message}`;
      this.#events.emit("change");
      this.spawnOptions.options.log.error(`the thread of ${this.names.join(", ")}: ${this.#down}`);
      return undefined;
    }
  }

  #placed({ index, name }: Loading): Loading {
    return { name, index: this.modules[index]?.index ?? index };
  }

  #take(thread: Thread): void {
    this.thread = thread;
    if (this.#started) this.#run(thread);
    this.#events.emit("change");
  }

  #run(thread: Thread): void {
    if (this.#logLevels) thread.setLogLevels(this.#logLevels);
    thread.start();
    if (this.spawnOptions.initialize.debug) return;
    const isShadow = this.modules.every(({ settings }) => settings.mode === "shadow");
    watch(thread, isShadow ? SHADOW_SILENT_MS : SILENT_MS, this.spawnOptions.options.log);
  }

  #ended(thread: Thread, { cause, module }: End): void {
    const wasLoaded = this.thread === thread;
    this.thread = undefined;
    if (this.#closed || (!wasLoaded && !this.#started)) return;
    const pause = this.#pauseAfter(thread, module);
    const names = this.names.join(", ");
    const next = pause === 0 ? "another takes its place" : `another takes its place in ${pause / 1000} s`;
    const {
      options: { log },
      relay,
    } = this.spawnOptions;
    this.restarts++;
    (module === null ? log : log.child({ module })).error(
      `the thread of ${names} has ended (${cause}): ${next}`,
    );
    relay.notify("thread_ended", { modules: this.names, module, cause });
    this.#down = pause > CROWDED_PAUSE_MS ? cause : undefined;
    this.#events.emit("change");
    void this.#replace(pause);
  }

  #pauseAfter(thread: Thread, culprit: string | null): number {
    const now = performance.now();
    const suspects = culprit === null ? this.names : [culprit];
    const wasOfUse = thread.served > 0 && !suspects.some((name) => thread.notSetUp.includes(name));
    if (wasOfUse || now - thread.startedAt > STEADY_MS) this.#backoff.reset();
    if (!wasOfUse) return this.#backoff.pause();
    this.#ends = [...this.#ends.filter((at) => now - at < CROWDED_MS), now];
    return this.#ends.length > MOST_ENDS ? CROWDED_PAUSE_MS : 0;
  }

  async #replace(pause: number): Promise<void> {
    const began = performance.now();
    await setTimeout(pause, undefined, { ref: false });
    const { held } = this.spawnOptions.options;
    const refused = held.refuses(this.names);
    if (refused !== undefined) {
      this.#down = refused;
      this.#events.emit("change");
      await held.until(this.names);
    }
    if (this.#closed) return;
    const thread = this.#trySpawn();
    if (!thread) return this.#replace(this.#backoff.pause());
    const answer = await loadInThreadInTime(thread, this.spawnOptions.initialize, this.modules);
    if (thread.hasEnded || "cause" in answer) return;
    const [problem] = answer.faults;
    if (problem) return thread.stop({ cause: `it cannot be loaded: ${problem.message}`, module: null });
    this.#take(thread);
    await Promise.race([thread.setUp, thread.ended, setTimeout(STEADY_MS, undefined, { ref: false })]);
    if (thread.isClosed) return;
    this.#down = undefined;
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    this.spawnOptions.options.log.warn(`the thread of ${this.names.join(", ")} is back after ${seconds} s`);
  }

  #endedWhileLoading({ cause, module }: End) {
    const at = this.modules.find(({ name }) => name === module) ?? this.modules[0];
    const message = `${at?.settings.path}: its thread ended while it loaded this module (${cause})`;
    return { path: ["modules", at?.index ?? 0, "path"], message };
  }
}
