// Implements the command `dev`: a throw-away Synapse with a module, which is loaded again at each save.
import path from "node:path";
import { findFile } from "../loading/module-importer.js";
import { SynapseStartError } from "../testing/synapse/synapse-process.js";
import { checkTypes } from "./check-types.js";
import { Printer } from "./dev-print.js";
import { DevServer } from "./dev-server.js";
import { isYaml, readTarget } from "./dev-target.js";
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
  const server = new DevServer(print, {
    version: options.synapse,
    data: options.data,
    inspectPort: options.inspect === undefined ? undefined : portOf(options.inspect),
  });
  const types = new TypeChecks(print);
  const saves = new Saves(first.watched);
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
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
      try {
        await (isOfYaml || !server.isUp ? server.start(target) : server.reload(target));
      } finally {
        types.check(target.modules.map((module) => module.path));
      }
    });
  }
}

function portOf(given: string | true): number {
  const port = given === true ? INSPECT_PORT : Number(given);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--inspect ${given}: is no port`);
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
