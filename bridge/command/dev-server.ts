// Keeps the Synapse of `dev` running: starts it, loads the modules again, and starts it again where that is not enough.
import { mkdirSync } from "node:fs";
import { whenThisProcessEnds } from "../base/children.js";
import { temporaryFolder } from "../testing/synapse/folders.js";
import { holdPort } from "../testing/synapse/held-port.js";
import { type Prepared, prepareSynapse } from "../testing/synapse/prepared.js";
import { type Running, Server } from "../testing/synapse/server.js";
import { boot } from "../testing/synapse/start.js";
import { lastLines } from "../testing/synapse/synapse-process.js";
import type { Printer } from "./dev-print.js";
import type { Target } from "./dev-target.js";
import { introduce } from "./dev-users.js";

export interface DevServerOptions {
  readonly version: string | undefined;
  /** The absolute path of the folder to keep the data in. */
  readonly data: string | undefined;
  /** Where a debugger finds Node. */
  readonly inspectPort: number | undefined;
}

// So that lines come as they happen.
const LOOK_MS = 50;
// Far more than come between two looks, as `dev` may run for days.
const KEPT_RECORDS = 10_000;
// What Synapse takes only when it starts, such as a new callback.
const NEEDS_RESTART = /restart Synapse/;
const INSPECT = "SYNAPSE_MODULE_BRIDGE_INSPECT";

export class DevServer {
  /** Rejects when Synapse has ended by itself. */
  readonly ended: Promise<never>;
  #fail!: (error: Error) => void;
  #installation: Prepared | undefined;
  #running: Running | undefined;
  #server: Server | undefined;
  #port = 0;
  #isIntroduced = false;
  #hasEnded = false;
  #stopPrinting = () => {};
  readonly #folder: { readonly path: string; remove(): void };

  constructor(
    private readonly print: Printer,
    private readonly options: DevServerOptions,
  ) {
    this.ended = new Promise((_, reject) => {
      this.#fail = (error) => {
        this.#hasEnded = true;
        reject(error);
      };
    });
    this.ended.catch(() => undefined); // it may end while nobody waits for that
    this.#folder = options.data === undefined ? temporaryFolder() : keptFolder(options.data);
    whenThisProcessEnds(() => this.#folder.remove());
  }

  /** Where Synapse keeps its files. */
  get folder(): string {
    return this.#folder.path;
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }

  /** Whether `ended` has been rejected. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async install(): Promise<void> {
    this.#installation = await prepareSynapse(this.options.version);
  }

  /** Starts Synapse, or starts it again, on the same port and with the same data. */
  async start(target: Target): Promise<void> {
    await this.#stop();
    const installation = this.#installation ?? (await prepareSynapse(this.options.version));
    const clientPort = await holdPort(this.#port);
    this.#port = clientPort.port;
    const { inspectPort } = this.options;
    const debug = inspectPort === undefined ? {} : { debug: true, env: ["NODE_OPTIONS", INSPECT] };
    const running = await boot({
      options: { config: { ...target.config, ...debug }, homeserver: target.homeserver },
      installation,
      // It stays for the next start.
      folder: { path: this.#folder.path, remove: () => undefined },
      modules: target.modules,
      allowed: [],
      clientPort,
      keptRecords: KEPT_RECORDS,
      ...(inspectPort !== undefined && { env: inspectEnvironment(inspectPort) }),
    });
    this.#running = running;
    this.#server = new Server(running);
    void running.process.exited.then(() => {
      if (this.#running !== running) return;
      this.#fail(new Error(`Synapse has ended. Its last lines:\n${lastLines(running.process.log())}`));
    });
    this.#stopPrinting = this.#printRecords(running);
    const seconds = running.process.startedInMs / 1000;
    this.print.line(
      `Synapse ${running.version} is up after ${seconds.toFixed(1)} s: ${this.#server.baseUrl}`,
    );
    await this.#introduce();
  }

  /** Loads the modules again. Rejects with the reason where the new version is refused. */
  async reload(target: Target): Promise<void> {
    const began = performance.now();
    try {
      const changed = await this.#server?.reload();
      if (changed) this.print.reloaded((performance.now() - began) / 1000);
    } catch (error) {
      if (!NEEDS_RESTART.test((error as Error).message)) throw error;
      this.print.line("This needs a restart of Synapse:");
      return this.start(target);
    }
    await this.#introduce();
  }

  /** Makes the users, and prints them once. The module may refuse them: then the next version is asked again. */
  async #introduce(): Promise<void> {
    if (this.#isIntroduced || !this.#server) return;
    try {
      this.print.line(await introduce(this.#server));
      this.#isIntroduced = true;
    } catch (error) {
      throw new Error(`There are no users yet: ${(error as Error).message}\nSave the file to try again.`);
    }
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#server = undefined;
    await running?.process.stop();
    this.#stopPrinting();
  }

  #printRecords({ records }: Running): () => void {
    let printed = 0;
    const look = () => {
      const fresh = records.after(printed);
      printed += fresh.length;
      for (const record of fresh) this.print.record(record);
    };
    const timer = setInterval(look, LOOK_MS);
    return () => {
      clearInterval(timer);
      look();
    };
  }
}

function keptFolder(folder: string) {
  mkdirSync(folder, { recursive: true });
  return { path: folder, remove: () => undefined };
}

const inspectEnvironment = (port: number) => ({
  NODE_OPTIONS: `--import=${new URL("dev-inspect.js", import.meta.url)}`,
  [INSPECT]: String(port),
});
