// The kit's end of a host: in this process, or in a child as Synapse starts it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Duplex, Readable } from "node:stream";
import {
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";
import { endWithThisProcess } from "../base/children.js";
import { LONGEST_TIMER_MS } from "../base/duration.js";
import { OWN_FOLDER } from "../base/own-folder.js";
import { real } from "../base/real-time.js";
import { VERSION } from "../base/version.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { LIMITS } from "../catalogue/protocol.js";
import { THROWN } from "../host/for-tests.js";
import { Host } from "../host/host.js";
import type { Importer } from "../loading/loader.js";
import type { Logger } from "../logging/log.js";
import { FrameReader, FrameWriter } from "../transport/framing.js";
import { batchMessages } from "../transport/message-batching.js";
import type { Clock } from "./clock.js";
import { MemoryReader, MemoryWriter } from "./in-memory.js";

export interface LinkOptions {
  catalogue: Catalogue;
  clock: Clock;
  /** Answers the host's requests. */
  serve(method: string, params: unknown): Promise<unknown>;
  /** Gets each of the host's log records, and what modules print in a child. */
  record(record: Record<string, unknown>): void;
}

/** A host, as the kit talks to it. */
export interface HostLink {
  /** Rejects with a ResponseError if the host answers with an error, and with a MissedDeadline. */
  request(method: string, params: unknown, deadline_ms?: number): Promise<unknown>;
  notify(method: string, params: unknown): Promise<void>;
  /** What the module has thrown in a call or in its setup; undefined if it is not known. */
  thrownIn(request: string | null, module: string | undefined): Promise<unknown>;
  close(): Promise<void>;
}

export class MissedDeadline extends Error {
  override readonly name = "MissedDeadline";
}

// An answer is written in one turn of the event loop, and read in the next.
const TURNS_TO_DELIVER = 3;
// A child whose event loop is blocked does not answer a cancellation.
const GRACE_MS = 1_000;
// How long to wait for a record that a child has written before its answer.
const RECORD_MS = 500;
// How long to read what a child has written before it ended.
const REST_MS = 1_000;
// In characters: the last words of a child that has ended.
const MOST_PRINTED = 2_000;

abstract class Link {
  protected readonly connection: MessageConnection;
  /** The requests that have no answer. Racing each with one lasting promise would keep all that they have brought. */
  readonly #waiting = new Set<(error: Error) => void>();
  #ended: Error | undefined;

  constructor(reader: MessageReader, writer: MessageWriter, options: LinkOptions) {
    batchMessages();
    this.connection = createMessageConnection(reader, writer);
    this.connection.onRequest((method, params) => options.serve(method, params));
    this.connection.onError(() => {
      // The host has gone; `ended` tells why.
    });
    this.connection.listen();
  }

  /** Lets all requests reject that have no answer by now. */
  protected async closeConnection(): Promise<void> {
    // The last answers are on their way.
    for (let turns = 0; turns < TURNS_TO_DELIVER; turns++) await real.turn();
    this.end(new Error("the module was closed or loaded again before it had answered"));
    this.connection.dispose();
  }

  /** Lets all requests reject: the host can answer nothing any more. */
  protected end(error: Error): void {
    this.#ended = error;
    for (const reject of this.#waiting) reject(error);
  }

  async request(method: string, params: unknown, deadline_ms?: number): Promise<unknown> {
    const source = new CancellationTokenSource();
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    let fail = (_: Error) => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
      this.#waiting.add(fail);
      if (this.#ended) reject(this.#ended);
      if (deadline_ms === undefined) return;
      timer = real.setTimeout(
        () => {
          isLate = true;
          source.cancel();
          timer = real.setTimeout(() => reject(new MissedDeadline()), GRACE_MS);
        },
        Math.min(deadline_ms, LONGEST_TIMER_MS),
      );
    });
    failed.catch(() => {});
    try {
      const answer = this.connection.sendRequest(method, params, source.token);
      answer.catch(() => {});
      return await Promise.race([answer, failed]);
    } catch (error) {
      throw isLate ? new MissedDeadline() : error;
    } finally {
      this.#waiting.delete(fail);
      real.clearTimeout(timer);
    }
  }

  notify(method: string, params: unknown): Promise<void> {
    return this.connection.sendNotification(method, params);
  }
}

/** A host in this process. It imports modules by `importer`; without it, from files. */
export class HostHere extends Link implements HostLink {
  readonly #host: Host;
  readonly #thrown = new Map<string | null, unknown>();

  constructor(importer: Importer | undefined, log: Logger, options: LinkOptions) {
    const [toHost, toKit] = [new MemoryReader(), new MemoryReader()];
    super(toKit, new MemoryWriter(toHost), options);
    const { catalogue, clock } = options;
    this.#host = new Host(toHost, new MemoryWriter(toKit), {
      ...{ catalogue, log, version: VERSION },
      forTests: {
        now: () => clock.now(),
        ...(importer && { importer }),
        onFailure: (request, error) => this.#thrown.set(request, error),
      },
    });
    this.#host.listen();
  }

  async thrownIn(request: string | null, module: string | undefined): Promise<unknown> {
    const thrown = this.#thrown.get(request);
    this.#thrown.delete(request);
    if (module === undefined || request !== null) return thrown;
    return this.#host.modules.byName.get(module)?.setup.thrown;
  }

  async close(): Promise<void> {
    await this.#host.finish(LIMITS.finish_ms);
    await this.closeConnection();
  }
}

/** A host in a child process, as Synapse starts it. */
export class HostInChild extends Link implements HostLink {
  readonly #child;
  readonly #wire: Duplex;
  readonly #exited: Promise<void>;
  readonly #thrown: { request?: unknown; module?: unknown; msg?: unknown; error: Error }[] = [];

  constructor(clockFile: string, options: LinkOptions) {
    const share = () => writeFileSync(clockFile, JSON.stringify(options.clock.shared));
    share();
    const child = spawn(
      process.execPath,
      ["--enable-source-maps", hostProgram(), "host", "--records", "3", "--for-tests", clockFile],
      // As in production: what a runner has in its environment, such as NODE_OPTIONS, is not for the module.
      { stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"], env: {} },
    );
    const [, output, errors, records, wire] = child.stdio as unknown as [
      null,
      Readable,
      Readable,
      Readable,
      Duplex,
    ];
    super(new FrameReader(wire), new FrameWriter(wire), options);
    this.#child = child;
    this.#share = share;
    let cause = "";
    let printed = "";
    for (const stream of [output, errors])
      stream.on("data", (text) => (printed = `${printed}${text}`.slice(-MOST_PRINTED)));
    createInterface({ input: records, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      const { log, ends, printed: text } = recordOf(line);
      if (ends) cause = [ends.module, ends.cause].filter(Boolean).join(": ");
      if (log?.err) this.#thrown.push({ ...log, error: rebuilt(log.err) });
      if (log?.msg !== THROWN && (log ?? text)) options.record(log ?? text ?? {});
    });
    // A module that blocks its process would not notice that this one has gone.
    const forget = endWithThisProcess(child, () => undefined);
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    this.#exited = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", async () => {
        forget();
        // What the module has started may hold the pipes for as long as it runs.
        await real.atMost(REST_MS, closed);
        for (const stream of [output, errors, records, wire]) stream.destroy();
        resolve();
      });
    });
    child.on("error", (error) => (cause = `${process.execPath} cannot be started: ${error.message}`));
    this.#wire = wire;
    void this.#exited.then(
      () =>
        !this.#isClosing &&
        this.end(new Error(`the module's process has ended: ${cause || printed || howEnded(child)}`)),
    );
  }

  readonly #share: () => void;
  #isClosing = false;

  override request(method: string, params: unknown, deadline_ms?: number): Promise<unknown> {
    this.#share();
    return super.request(method, params, deadline_ms);
  }

  async thrownIn(request: string | null, module: string | undefined): Promise<unknown> {
    const until = real.now() + RECORD_MS;
    for (;;) {
      const found = this.#thrown.findIndex((one) =>
        request === null
          ? one.module === module && !one.request
          : one.request === request && one.msg === THROWN,
      );
      if (found !== -1) return this.#thrown.splice(found, 1)[0]?.error;
      if (real.now() > until) return undefined;
      await real.pause(5);
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wire.end();
    const timer = real.setTimeout(() => this.#child.kill("SIGKILL"), LIMITS.finish_ms + LIMITS.close_ms);
    await this.#exited;
    real.clearTimeout(timer);
    await this.closeConnection();
  }
}

interface HostRecord {
  log?: Record<string, unknown> & { err?: Record<string, unknown> };
  ends?: { module?: string; cause?: string };
  printed?: Record<string, unknown>;
}

function howEnded({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `exit code ${exitCode}` : `killed by ${signalCode}`;
}

/** A record of the host. A process that is killed may leave half a line behind. */
function recordOf(line: string): HostRecord {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

const NATIVE = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

/** The error that a module has thrown in another process. */
function rebuilt({ type, message, stack, ...fields }: Record<string, unknown>): Error {
  const Class = NATIVE.find(({ name }) => name === type) ?? Error;
  const error = Object.assign(new Class(String(message)), fields);
  Object.defineProperty(error, "name", { value: type, configurable: true, writable: true });
  Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  return error;
}

/** The built host: beside this file, above its CommonJS form, or, for the project's own tests, in dist/. */
function hostProgram(): string {
  const files = ["cli.js", "cli.mjs", "../cli.js", "../dist/cli.js"].map((file) =>
    path.join(OWN_FOLDER, file),
  );
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error("the host of synapse-module-bridge is missing: install it again");
  return found;
}
