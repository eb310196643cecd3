// Lets the connection begin several messages in one iteration of the event loop: an iteration costs as much as a small
// call, and vscode-jsonrpc alone takes one for each message.
import { performance } from "node:perf_hooks";
import timers from "node:timers";
import { RAL } from "vscode-jsonrpc/node";

// How long one batch may take. Cancellations come in and timers fire only after it.
const BATCH_MS = 2;

// As they are at start: a test's fake timers would stop the connection.
const [{ setImmediate }, { nextTick }] = [timers, process];
const { queueMicrotask } = globalThis;

let isInstalled = false;

/** Installs batching for all connections of this process. */
export function batchMessages(): void {
  if (isInstalled) return;
  isInstalled = true;
  const layer = RAL();
  let until = 0;
  const soon: typeof layer.timer.setImmediate = (callback, ...args) => {
    if (performance.now() < until) {
      // A tick that a microtask asks for runs after all promises that can settle now. By then the previous message has its
      // answer, unless its handler waits for something else. That matters, since the next handler may block.
      queueMicrotask(() => nextTick(callback, ...args));
      return { dispose: () => {} };
    }
    const handle = setImmediate(() => {
      until = performance.now() + BATCH_MS;
      callback(...args);
    });
    return { dispose: () => clearImmediate(handle) };
  };
  RAL.install({ ...layer, timer: { ...layer.timer, setImmediate: soon } });
}
