// Lets modules run worker threads in TypeScript: `new Worker("file.ts")` starts the host's own entry, which runs the file as the
// host runs modules.
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import workerThreads, { type WorkerOptions } from "node:worker_threads";

interface ModuleWorkerData {
  file: string;
  /** What the module gave as `workerData`. */
  given: unknown;
}

/** The key in workerData. */
const KEY = "synapse-module-bridge/worker";
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** From now on, Node's `Worker` takes TypeScript. `entry` calls `runModuleWorker`. */
export function acceptTypeScriptWorkers(entry: URL): void {
  const { Worker } = workerThreads;
  workerThreads.Worker = class extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const found = options.eval ? undefined : typeScriptFile(file);
      const workerData = { [KEY]: { file: found, given: options.workerData } };
      if (found === undefined) super(file, options);
      else super(entry, { ...options, workerData });
    }
  };
  syncBuiltinESMExports();
}

/** The path of a file in TypeScript; undefined for all else, about which Node decides. */
function typeScriptFile(file: unknown): string | undefined {
  const text = file instanceof URL ? file.href : file;
  if (typeof text !== "string" || (file instanceof URL && !text.startsWith("file:"))) return undefined;
  const name = text.startsWith("file:") ? fileURLToPath(text) : text;
  return TYPESCRIPT.test(name) ? path.resolve(name) : undefined;
}

/** If this is such a thread, runs its file, and returns true. Throws what the file throws. */
export async function runModuleWorker(): Promise<boolean> {
  const data = (workerThreads.workerData as Record<string, ModuleWorkerData> | null)?.[KEY];
  if (!data) return false;
  Object.assign(workerThreads, { workerData: data.given });
  syncBuiltinESMExports();
  const { ModuleImporter } = await import("./module-importer.js");
  await new ModuleImporter().import(data.file, path.basename(data.file));
  return true;
}
