// Watches a thread's memory from inside, and ends the thread in time. V8's own limit is not enough: it ends only the thread if
// the heap grows slowly, but the whole process if one allocation exceeds the limit, such as when a large Map grows.
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

interface Collection extends PerformanceEntry {
  detail?: { kind?: number };
}

const LOOK_MS = 250;

/** Calls `over` if two garbage collections in a row leave more than `limit` bytes, or if the memory exceeds twice the limit. */
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
  // Without a collection for a while, only this notices.
  setInterval(() => used() > 2 * limit && over(), LOOK_MS).unref();
}
