// One thread of the host, seen from the main thread: starts it with its own heap, sends it requests over JSON-RPC, reads its
// records, and ends it. It counts as ended at once, even if native code holds the thread itself for longer.

import type { HeapInfo } from "node:v8";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import {
  type CancellationToken,
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import type { SetupTimes } from "../calls/setup.js";
import {
  CAUSES,
  type DeclaredModule,
  type End,
  type HostNotifications,
  type HostRequests,
  type Loading,
  type LogLevels,
  type Pulse,
  type RecordKinds,
  type ShimRequests,
} from "../catalogue/protocol.js";
import { culpritOf, type Owner } from "../logging/culprit.js";
import type { Logger } from "../logging/log.js";
import type { PipedRecords } from "../logging/records.js";
import { type CallError, cancelled, moduleEnded } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import { connectionLog } from "../transport/connection-log.js";
import type { HostPeer } from "../transport/peer.js";
import { PortReader, PortWriter } from "../transport/port.js";
import { type HeldThreads, liveThreads } from "./held-threads.js";
import { asWorkerData } from "./thread-data.js";

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

/** Passes a thread's requests and notifications on to the shim. */
export interface Relay {
  request<Method extends keyof HostRequests & string>(
    method: Method,
    params: HostRequests[Method]["params"],
    token: CancellationToken,
  ): Promise<HostRequests[Method]["result"]>;
  notify<Method extends keyof HostNotifications>(method: Method, params: HostNotifications[Method]): void;
}

interface PendingRequest {
  readonly module: string;
  fail(error: CallError): void;
}

const MIB = 1024 * 1024;
// V8's own heap limit, as a multiple of what the thread may use. memory-watch.ts ends the thread long before.
const HEAP_FACTOR = 4;
const LEAST_HEAP = 1024 * MIB;
// How long a thread may take to end by itself.
const CLOSE_MS = 2_000;
// How long to wait for its last records and answers after it has exited.
const FINAL_RECORDS_MS = 200;

export class Thread {
  readonly peer: HostPeer;
  /** Resolves when it counts as ended. */
  readonly ended: Promise<End>;
  /** Resolves when the thread itself has exited. */
  readonly exited: Promise<void>;
  /** Resolves when all of its modules are set up. */
  readonly setUp: Promise<void>;
  hasEnded = false;
  /** It takes no more requests: it is ending, or has ended. */
  isClosed = false;
  hasExited = false;
  /** The time of its last pulse. Infinite until `start`, so that it is not judged before. */
  heardAt = Number.POSITIVE_INFINITY;
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
  /** How many requests it has had. */
  served = 0;
  readonly startedAt = performance.now();
  #worker: Worker;
  #connection: MessageConnection;
  #port: MessagePort;
  #pending = new Set<PendingRequest>();
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
    this.#port = rpc.port1;
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
    this.peer = this.#connection = createMessageConnection(
      new PortReader(rpc.port1),
      new PortWriter(rpc.port1),
      connectionLog(options.log),
    );
    this.#readRecords(records.port1, underWay, options.records);
    this.#relay(relay);
    this.#connection.onClose(() => {
      this.isClosed = true;
    });
    this.#connection.listen();
    this.#watch([rpc.port1, records.port1]);
  }

  get threadId(): number {
    return this.#worker.threadId;
  }

  /** The modules with unanswered requests. */
  get running(): Set<string> {
    return new Set([...this.#pending].map(({ module }) => module));
  }

  /** Sends a request on behalf of a module. Rejects at once when the call is cancelled or the thread has ended. */
  async ask<Method extends keyof ShimRequests & string>(
    method: Method,
    params: ShimRequests[Method]["params"],
    module: string,
    cancellation: Cancellation,
  ): Promise<ShimRequests[Method]["result"]> {
    if (this.isClosed) throw moduleEnded(module, (await this.ended).cause, false);
    const { signal } = cancellation;
    const source = new CancellationTokenSource();
    if (method !== "set_up") this.served++;
    return new Promise((resolve, reject) => {
      const asked = { module, fail: reject };
      const abort = () => {
        reject(cancelled());
        if (!this.isClosed) source.cancel();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#pending.add(asked);
      this.peer
        .sendRequest(method, params, source.token)
        .then(resolve, reject)
        .finally(() => {
          // Removed only now: a cancelled request may still be what the thread works on.
          this.#pending.delete(asked);
          signal.removeEventListener("abort", abort);
          source.dispose();
        });
      if (signal.aborted) abort();
    });
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
    this.#port.close();
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

  /** A thread sends the same requests and notifications as a host. */
  #relay(relay: Relay): void {
    this.#connection.onRequest((method: string, params: unknown, token: CancellationToken) =>
      relay.request(method as keyof HostRequests & string, params as never, token),
    );
    this.#connection.onNotification((name: string, params: unknown) => {
      const method = name as keyof HostNotifications;
      if (method === "loading") this.loading = (params as Loading).name;
      if (method === "pulse") this.#pulsed(params as Pulse);
      else relay.notify(method, params as never);
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
    this.isClosed = true;
    const [likely = null, another] = this.modules.length === 1 ? this.modules : this.running;
    for (const { module, fail } of this.#pending)
      fail(moduleEnded(module, cause, !this.notSetUp.includes(module)));
    this.#connection.dispose();
    this.#port.close();
    this.#settle({ cause, module: module ?? this.loading ?? (another === undefined ? likely : null) });
  }
}

/** In newer versions of Node: https://nodejs.org/api/worker_threads.html#workergetheapstatistics */
interface Measurable {
  getHeapStatistics?(): Promise<Pick<HeapInfo, "used_heap_size" | "external_memory">>;
}

function memoryHeldBy(worker: Worker & Measurable): Thread["memoryHeld"] {
  const statistics = worker.getHeapStatistics?.bind(worker);
  return (
    statistics &&
    (async () => {
      const { used_heap_size, external_memory } = await statistics();
      return used_heap_size + external_memory;
    })
  );
}

function describeEnd(code: number, error: NodeJS.ErrnoException | undefined): string {
  if (error?.code === "ERR_WORKER_OUT_OF_MEMORY") return CAUSES.memory;
  return error ? `it failed: ${error.message}` : `exit code ${code}`;
}
