// Ends the processes that this one has started, and removes their folders, when it ends by Ctrl-C or otherwise.

interface Killable {
  kill(signal: "SIGKILL"): unknown;
}

const running = new Map<Killable, () => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let isWatching = false;

/** Returns what to call when the child has been ended in an orderly way. */
export function endWithThisProcess(child: Killable, cleanUp: () => void): () => void {
  running.set(child, cleanUp);
  watch();
  return () => {
    running.delete(child);
    if (running.size === 0) unwatch();
  };
}

/** Calls this when this process ends, however it does, unless it is killed. Returns what to call when that is not needed any more. */
export function whenThisProcessEnds(cleanUp: () => void): () => void {
  return endWithThisProcess({ kill: () => undefined }, cleanUp);
}

function watch(): void {
  if (isWatching) return;
  isWatching = true;
  process.on("exit", endAll);
  for (const signal of signals) process.on(signal, onSignal);
}

function unwatch(): void {
  isWatching = false;
  process.off("exit", endAll);
  for (const signal of signals) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  process.off(signal, onSignal);
  endAll();
  // Whoever else listens decides what happens next; if nobody does, it is what would have happened without us.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function endAll(): void {
  for (const child of running.keys()) child.kill("SIGKILL");
  for (const cleanUp of running.values()) {
    try {
      cleanUp();
    } catch {
      // A child that is just ending may still write into its folder. The others are cleaned up all the same.
    }
  }
  running.clear();
}
