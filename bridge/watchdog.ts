// Lets a thread of its own watch the event loop: a module that blocks it is named, with its stack, and ends the process,
// which the shim restarts. A thread, since nothing else in this process runs then.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Watched } from "./watchdog-worker.js";

// A beat costs nothing, and is short beside the time that counts as blocked.
const BEAT_MS = 250;

/** Starts to watch. `modules` are the files by which a stack tells whose it is. */
export function watchEventLoop(modules: Watched["modules"]): void {
  const worker = ["./watchdog-worker.mjs", "./watchdog-worker.js"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  // Sources that were not built (unit tests) have no such file.
  if (worker === undefined) return;
  const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const counter = new Int32Array(beats);
  setInterval(() => Atomics.add(counter, 0, 1), BEAT_MS).unref();
  const workerData: Watched = { beats, modules };
  new Worker(worker, { workerData, stdin: false }).unref();
}
