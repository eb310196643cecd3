// What a thread of the host is given when it starts: the terms between the two sides.
import type { MessagePort } from "node:worker_threads";
import type { SetupTimes } from "../calls/setup.js";

export interface ThreadData {
  /** Speaks JSON-RPC, as the shim does with the host. */
  rpc: MessagePort;
  /** Takes records, as text: lines as they go to the shim. */
  records: MessagePort;
  /** One number: how many characters of them are under way. */
  underWay: Int32Array;
  pulse_ms: number;
  /** How much memory it may use, in bytes. */
  memory: number;
  setupTimes?: SetupTimes;
}

/** The key of a worker's data under which a thread finds its own. */
const KEY = "synapse-module-bridge";

export function asWorkerData(data: ThreadData): object {
  return { [KEY]: data };
}

/** Undefined where this is no thread of the host. */
export function threadData(workerData: unknown): ThreadData | undefined {
  return (workerData as Record<string, ThreadData> | null)?.[KEY];
}
