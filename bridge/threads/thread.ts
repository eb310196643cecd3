// One thread of the host, seen from the main thread: starts it with its own heap, reads its records, and ends it. It counts as
// ended at once, even if native code holds the thread itself for longer.

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { SetupTimes } from "../calls/setup.js";
import {
  CAUSES,
  type DeclaredModule,
  type End,
  LIMITS,
  type Loading,
  type LogLevels,
  type Pulse,
  type RecordKinds,
  type ShimRequests,
} from "../catalogue/protocol.js";
import { culpritOf, type Owner } from "../logging/culprit.js";
import type { Logger } from "../logging/log.js";
import type { PipedRecords } from "../logging/records.js";
import { moduleEnded } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import type { HostPeer } from "../transport/peer.js";
import { type HeldThreads, liveThreads } from "./held-threads.js";
import { type Relay, ThreadConnection } from "./thread-connection.js";
import { asWorkerData } from "./thread-data.js";
import { memoryHeldBy } from "./thread-memory.js";

export interface ThreadOptions {
  /** The file that runs in each thread. */
  entry: URL;
  records: Pick<PipedRecords, "pass" | "printed">;
  log: Logger;
  /** The memory that each thread may use, in bytes. */
  memory: number;
  setupTimes?: SetupTimes;
  /** Gets the threads that are given up. */
  held: HeldThreads;
}

const MIB = 1024 * 1024;
// V8's own heap limit, as a multiple of what the thread may use. memory-watch.ts ends the thread long before.
const HEAP_FACTOR = 4;
const LEAST_HEAP = 1024 * MIB;
// How long a thread may take to end by itself.
const CLOSE_MS = 2_000 + LIMITS.close_ms;
// How long to wait for its last records and answers after it has exited.
const FINAL_RECORDS_MS = 200;

export class Thread {
  /** Resolves when it counts as ended. */
  readonly ended: Promise<End>;
  /** Resolves when the thread itself has exited. */
  readonly exited: Promise<void>;
  /** Resolves when all of its modules are set up. */
  readonly setUp: Promise<void>;
  hasEnded = false;
  hasExited = false;
  /** The time of its last pulse. Infinite until `start`, so that it is not judged before. */
  heardAt = Number.POSITIVE_INFINITY;
  /** What was sent later was not read, since its event loop was blocked. Infinite unless it has ended of that. */
  unreadSince = Number.POSITIVE_INFINITY;
  heapUsed = 0;
  /** The memory of the whole process at its last pulse. */
  rss = 0;
  readonly memory: number;
  /** Measures its memory in bytes, even while its event loop is blocked. Undefined before Node 22.16. */
  readonly memoryHeld: (() => Promise<number>) | undefined;
  readonly #held: HeldThreads;
  notSetUp: readonly string[];
  /** The module that it is loading. */
  loading: string | null = null;
  readonly startedAt = performance.now();
  #worker: Worker;
  #connection: ThreadConnection;
  #exitRecord: End | undefined;
  #error: NodeJS.ErrnoException | undefined;
  #owners: readonly Owner[] = [];
  #settle: (end: End) => void = () => {};
  #isSetUp = () => {};

  constructor(
    readonly modules: readonly string[],
    options: ThreadOptions,
    relay: Relay,
    pulse_ms: number,
  ) {
    const { entry, setupTimes, memory, held } = options;
    const rpc = new MessageChannel();
    const records = new MessageChannel();
    const underWay = new Int32Array(new SharedArrayBuffer(4));
    const data = { rpc: rpc.port2, records: records.port2, underWay, pulse_ms, memory };
    this.notSetUp = modules;
    this.memory = memory;
    this.#held = held;
    this.#worker = new Worker(entry, {
      workerData: asWorkerData({ ...data, ...(setupTimes && { setupTimes }) }),
      transferList: [data.rpc, data.records],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(Math.max(HEAP_FACTOR * memory, LEAST_HEAP) / MIB) },
    });
    this.memoryHeld = memoryHeldBy(this.#worker);
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.setUp = new Promise((resolve) => {
      this.#isSetUp = resolve;
    });
    liveThreads.add(this);
    this.exited = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        liveThreads.delete(this);
        resolve();
      });
    });
    this.#connection = new ThreadConnection(rpc.port1, options.log, {
      request: relay.request,
      notify: (method, params) => {
        if (method === "loading") this.loading = (params as Loading).name;
        if (method === "pulse") this.#pulsed(params as Pulse);
        else relay.notify(method, params);
      },
    });
    this.#readRecords(records.port1, underWay, options.records);
    this.#watch([rpc.port1, records.port1]);
  }

  get threadId(): number {
    return this.#worker.threadId;
  }

  get peer(): HostPeer {
    return this.#connection.peer;
  }

  /** It takes no more requests: it is ending, or has ended. */
  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** How many requests it has had. */
  get served(): number {
    return this.#connection.served;
  }

  /** Sends a request on behalf of a module. Rejects at once when the call is cancelled or the thread has ended. */
  async ask<Method extends keyof ShimRequests & string>(
    method: Method,
    params: ShimRequests[Method]["params"],
    module: string,
    cancellation: Cancellation,
  ): Promise<ShimRequests[Method]["result"]> {
    if (this.isClosed) throw moduleEnded(module, (await this.ended).cause, false);
    return this.#connection.ask(method, params, module, cancellation);
  }

  /** Called when it has loaded its modules. */
  loaded(modules: readonly DeclaredModule[]): void {
    this.loading = null;
    this.#owners = modules.map(({ name, files }) => ({
      name,
      file: Object.keys(files)[0] ?? "",
      files: Object.keys(files),
    }));
  }

  /** The module whose code is on a stack. */
  culprit(stack: string): string | null {
    return culpritOf(stack.split("\n"), this.#owners) ?? null;
  }

  /** Lets the modules set up. From now on, its event loop must not be blocked. */
  start(): void {
    this.heardAt = performance.now();
    this.rss = process.memoryUsage.rss();
    void this.peer.sendNotification("start", {});
  }

  setLogLevels(levels: LogLevels): void {
    if (!this.isClosed) void this.peer.sendNotification("log_levels", levels);
  }

  /** Restarts the time since the last pulse: the main thread was blocked, and may not have read the latest one yet. */
  forgive(): void {
    if (Number.isFinite(this.heardAt)) this.heardAt = performance.now();
  }

  /** Lets it finish its work and exit. */
  close(): void {
    this.#connection.close();
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_MS).unref();
    void this.exited.then(() => clearTimeout(timer));
  }

  /** Gives the thread up: ends it now, with this cause. */
  stop(end: End): void {
    void this.#worker.terminate();
    this.#end(end);
    void this.#held.add(this);
  }

  #readRecords(port: MessagePort, underWay: Int32Array, records: ThreadOptions["records"]): void {
    const [alone = null] = this.modules.length === 1 ? this.modules : [];
    port.on("message", (text: string) => {
      Atomics.sub(underWay, 0, text.length);
      for (const line of text.split("\n")) {
        if (line === "") continue;
        const { ends, printed } = JSON.parse(line) as Partial<RecordKinds>;
        if (ends) this.#exitRecord = ends;
        else if (printed) records.printed(printed.text, printed.module ?? alone, printed.request);
        else records.pass(line);
      }
    });
    // What Node itself prints in the thread.
    for (const stream of [this.#worker.stdout, this.#worker.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        for (const line of text.split("\n")) if (line.trim() !== "") records.printed(line, alone, null);
      });
  }

  #pulsed({ memory, not_set_up }: Pulse): void {
    this.heardAt = performance.now();
    this.heapUsed = memory.heap_used;
    this.rss = memory.rss;
    this.notSetUp = not_set_up;
    if (not_set_up.length === 0) this.#isSetUp();
  }

  #watch(ports: readonly MessagePort[]): void {
    // Its answers and records arrive before its ports close.
    const closed = ports.map((port) => new Promise((resolve) => port.once("close", resolve)));
    this.#worker.once("error", (error) => {
      this.#error = error as NodeJS.ErrnoException;
    });
    this.#worker.once("exit", async (code) => {
      this.hasExited = true;
      await Promise.race([
        Promise.all(closed),
        new Promise((resolve) => setTimeout(resolve, FINAL_RECORDS_MS)),
      ]);
      this.#end(this.#exitRecord ?? { cause: describeEnd(code, this.#error), module: null });
      for (const port of ports) port.close();
    });
  }

  #end({ cause, module }: End): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const [likely = null, another] = this.modules.length === 1 ? this.modules : this.#connection.running;
    this.#connection.fail((module) => moduleEnded(module, cause, !this.notSetUp.includes(module)));
    this.#settle({ cause, module: module ?? this.loading ?? (another === undefined ? likely : null) });
  }
}

function describeEnd(code: number, error: NodeJS.ErrnoException | undefined): string {
  if (error?.code === "ERR_WORKER_OUT_OF_MEMORY") return CAUSES.memory;
  return error ? `it failed: ${error.message}` : `exit code ${code}`;
}
