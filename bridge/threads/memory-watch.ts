// Ends a thread that holds too much memory, in good time: V8 ends a thread in order only where its heap grows bit by bit, but
// the whole process where a single allocation goes beyond the limit, as when a large Map grows.
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

interface Collection extends PerformanceEntry {
  detail?: { kind?: number };
}

const LOOK_MS = 250;

/** `over` is told where what is left after two collections in a row is more than the limit, in bytes, or all is twice as much. */
export function watchMemory(limit: number, over: () => void): void {
  const used = () => {
    const { used_heap_size, external_memory } = getHeapStatistics();
    return used_heap_size + external_memory;
  };
  let excesses = 0;
  const observer = new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (entry as Collection).detail?.kind);
    if (!kinds.includes(constants.NODE_PERFORMANCE_GC_MAJOR)) return;
    excesses = used() > limit ? excesses + 1 : 0;
    if (excesses >= 2) over();
  });
  observer.observe({ entryTypes: ["gc"] });
  // V8 may not collect for a while.
  setInterval(() => used() > 2 * limit && over(), LOOK_MS).unref();
}
