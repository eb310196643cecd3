// The data that a thread of the host gets when it starts.
import type { MessagePort } from "node:worker_threads";
import type { SetupTimes } from "../calls/setup.js";

export interface ThreadData {
  /** Carries JSON-RPC, as between shim and host. */
  rpc: MessagePort;
  /** Carries records to the main thread, as lines of text. */
  records: MessagePort;
  /** One number: how many characters of records the main thread has not read yet. */
  underWay: Int32Array;
  pulse_ms: number;
  /** How much memory it may use, in bytes. */
  memory: number;
  setupTimes?: SetupTimes;
}

/** The key in workerData. */
const KEY = "synapse-module-bridge";

export function asWorkerData(data: ThreadData): object {
  return { [KEY]: data };
}

/** Undefined if this is not a thread of the host. */
export function threadData(workerData: unknown): ThreadData | undefined {
  return (workerData as Record<string, ThreadData> | null)?.[KEY];
}
