// Lets the connection begin several messages in one turn of the event loop: a turn costs as much as a small call, and
// vscode-jsonrpc alone takes one for each message.
import { performance } from "node:perf_hooks";
import { RAL } from "vscode-jsonrpc/node";

// For how long messages are begun without a turn, in which cancellations come in and timers fire.
const BATCH_MS = 2;

/** For all connections that are made from now on. */
export function shareTurns(): void {
  const layer = RAL();
  let until = 0;
  // What a message's handler does without waiting for anything else is done before the next message is begun.
  const soon: typeof layer.timer.setImmediate = (callback, ...args) => {
    if (performance.now() < until) {
      process.nextTick(callback, ...args);
      return { dispose: () => {} };
    }
    return layer.timer.setImmediate(() => {
      until = performance.now() + BATCH_MS;
      callback(...args);
    });
  };
  RAL.install({ ...layer, timer: { ...layer.timer, setImmediate: soon } });
}
