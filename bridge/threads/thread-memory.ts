// The memory of threads: how much each may use, and how much one has. The limit is the one that the configuration sets for
// Node's heap, else a fixed amount.
import { type HeapInfo, setFlagsFromString } from "node:v8";
import type { Worker } from "node:worker_threads";

const MIB = 1024 * 1024;
const DEFAULT = 256 * MIB;
const FLAG = "--max-old-space-size";

/** Returns the limit in bytes. Must be called once, before the process creates threads. */
export function threadMemory(): number {
  const given = process.execArgv.find((arg) => arg.startsWith(`${FLAG}=`));
  const megabytes = Number(given?.slice(FLAG.length + 1));
  if (!(megabytes > 0)) return DEFAULT;
  // The main thread's heap has been created with this flag. In other threads the flag would override their own limits.
  setFlagsFromString(`${FLAG}=0`);
  return megabytes * MIB;
}

/** In newer versions of Node: https://nodejs.org/api/worker_threads.html#workergetheapstatistics */
interface Measurable {
  getHeapStatistics?(): Promise<Pick<HeapInfo, "used_heap_size" | "external_memory">>;
}

/** Returns a function that measures a thread's memory in bytes, also while its event loop is blocked. Undefined before Node 22.16. */
export function memoryHeldBy(worker: Worker & Measurable): (() => Promise<number>) | undefined {
  const statistics = worker.getHeapStatistics?.bind(worker);
  return (
    statistics &&
    (async () => {
      const { used_heap_size, external_memory } = await statistics();
      return used_heap_size + external_memory;
    })
  );
}
