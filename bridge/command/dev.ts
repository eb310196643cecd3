// Implements the command `dev`: a throw-away Synapse with a module, which is loaded again at each save.
import path from "node:path";
import { findFile } from "../loading/module-importer.js";
import { holdPort } from "../testing/synapse/held-port.js";
import { SynapseStartError } from "../testing/synapse/synapse-process.js";
import { checkTypes } from "./check-types.js";
import { Printer } from "./dev-print.js";
import { DevServer } from "./dev-server.js";
import { isYaml, readTarget, type Target } from "./dev-target.js";
import { Saves } from "./dev-watch.js";

export interface DevOptions {
  /** The version of Synapse. */
  synapse?: string;
  /** The folder to keep the data in. */
  data?: string;
  /** The file with the module's config. */
  config?: string;
  /** The port for a debugger; `true` for Node's own default. */
  inspect?: string | true;
}

// Node's own.
const INSPECT_PORT = 9229;

/** Never resolves while all is well: Ctrl-C ends this process, and Synapse with it. Rejects where Synapse ends by itself. */
export async function dev(given: string, options: DevOptions): Promise<never> {
  const print = new Printer((text) => process.stdout.write(`${text}\n`));
  const read = () => readTarget(given, options.config);
  const first = read();
  const data = options.data === undefined ? undefined : path.resolve(options.data);
  refuseData(data, first);
  const inspectPort = options.inspect === undefined ? undefined : await freePort(portOf(options.inspect));
  const server = new DevServer(print, {
    version: options.synapse,
    data,
    inspectPort,
  });
  const types = new TypeChecks(print);
  // Each start writes there, also where that is within what is watched.
  const saves = new Saves(first.watched, [server.folder]);
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      // `ended` tells why.
      if (server.hasEnded) return;
      if (error instanceof SynapseStartError)
        print.startFailed(error, !isYaml(given) && options.config === undefined);
      else print.problem((error as Error).message);
    }
  };
  await server.install();
  await attempt(() => server.start(first));
  types.check(first.modules.map((module) => module.path));
  for (;;) {
    const changed = await Promise.race([saves.next(), server.ended]);
    const isOfYaml = isYaml(given) && changed.includes(path.resolve(given));
    await attempt(async () => {
      const target = read();
      saves.watch(target.watched);
      try {
        await (isOfYaml || !server.isUp ? server.start(target) : server.reload(target));
      } finally {
        types.check(target.modules.map((module) => module.path));
      }
    });
  }
}

/** Saves in the folder of the data are not noticed. */
function refuseData(data: string | undefined, { modules }: Target): void {
  if (data === undefined) return;
  const within = modules.map((module) => path.resolve(module.path)).find((file) => isWithin(file, data));
  if (within !== undefined) throw new Error(`--data ${data}: has ${within} in it. Give a folder of its own.`);
}

const isWithin = (file: string, folder: string) => `${file}${path.sep}`.startsWith(`${folder}${path.sep}`);

function portOf(given: string | true): number {
  const port = given === true ? INSPECT_PORT : Number(given);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--inspect ${given}: is no port`);
  return port;
}

/** Node would start without a word, and no debugger could attach. */
async function freePort(port: number): Promise<number> {
  try {
    (await holdPort(port)).release();
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "EADDRINUSE" ? "is in use" : (error as Error).message;
    throw new Error(`--inspect: port ${port} ${why}. Give another with --inspect=PORT.`);
  }
  return port;
}

/** Type-checks in the background, one check at a time, and tells only of the last one. */
class TypeChecks {
  #wanted: readonly string[] | undefined;
  #isRunning = false;
  #told = "";

  constructor(private readonly print: Printer) {}

  check(files: readonly string[]): void {
    this.#wanted = files;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#wanted) {
      const files = this.#wanted;
      this.#wanted = undefined;
      const results = await this.#results(files);
      if (this.#wanted || results === this.#told) continue;
      this.#told = results;
      this.print.types(results);
    }
    this.#isRunning = false;
  }

  /** The errors, or why the types were not checked; empty if all is well. */
  async #results(files: readonly string[]): Promise<string> {
    try {
      const sources = files.map((file) => findFile(file)).map((file) => ({ file, files: [file] }));
      const found = [...(await checkTypes(sources)).values()];
      const notes = found.map(({ note }) => note).filter((note) => /not checked|elsewhere/.test(note));
      return [...found.flatMap(({ errors }) => errors), ...notes].join("\n");
    } catch (error) {
      return (error as Error).message;
    }
  }
}
