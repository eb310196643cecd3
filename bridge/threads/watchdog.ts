// Ends a thread whose event loop stands still for too long, or that takes a lot of memory meanwhile, and tells where it was.
import { CAUSES } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";
import { haltThread } from "./halted-thread.js";
import type { Thread } from "./thread.js";

// A thread in a loop may take 2 GB in a second, with which Node 24 ends the whole process.
const LOOK_MS = 100;
// A thread that is silent for longer does not watch its own memory: see memory-watch.ts.
const BUSY_MS = 600;

/** `limit` is how long it may be silent. Gives the function that ends the watch, which also ends with the thread. */
export function watch(thread: Thread, limit: number, log: Logger): () => void {
  const every = Math.min(LOOK_MS, limit / 4);
  const memory = new MemoryCheck(thread);
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const since = performance.now() - lookedAt;
    lookedAt += since;
    // Where this thread itself was held up, signs of life are still to be heard.
    if (since > 2 * every) thread.forgive();
    const silent = performance.now() - thread.heardAt;
    if (silent > limit) {
      stop();
      void endBlocked(thread, silent, log);
    } else if (silent > BUSY_MS) memory.check(thread.rss, thread.memory);
    else if (memory.knowsWhose) memory.check(thread.rss, 2 * thread.memory);
  }, every).unref();
  const stop = () => clearInterval(timer);
  void thread.ended.then(stop);
  return stop;
}

/** Ends a thread that takes a lot of memory while it loads: on Node 24, V8 would end the whole process for it. */
export function watchLoading(thread: Thread): () => void {
  const before = process.memoryUsage.rss();
  const memory = new MemoryCheck(thread);
  const timer = setInterval(() => memory.check(before, 2 * thread.memory), LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** Ends a thread that holds more than it may. What the whole process has grown by is cheap to know, and a reason to ask. */
class MemoryCheck {
  #isAsking = false;

  constructor(private readonly thread: Thread) {}

  /** Else what the whole process has grown by is all that is known. */
  get knowsWhose(): boolean {
    return this.thread.memoryHeld !== undefined;
  }

  check(rssBefore: number, most: number): void {
    if (this.#isAsking || process.memoryUsage.rss() - rssBefore <= most) return;
    if (this.thread.memoryHeld) void this.#ask(this.thread.memoryHeld, most);
    else this.#end();
  }

  async #ask(memoryHeld: () => Promise<number>, most: number): Promise<void> {
    this.#isAsking = true;
    try {
      // Native code does not answer.
      if ((await memoryHeld()) > most) this.#end();
    } catch {
      // It has ended meanwhile.
    }
    this.#isAsking = false;
  }

  #end(): void {
    this.thread.stop({ cause: CAUSES.memory, module: this.thread.loading });
  }
}

async function endBlocked(thread: Thread, silent: number, log: Logger): Promise<void> {
  const { stack, release } = await haltThread(thread.threadId);
  const blocked = `${CAUSES.blocked} for ${(silent / 1000).toFixed(1)} s`;
  const module = thread.culprit(stack);
  if (stack !== "") (module === null ? log : log.child({ module })).error({ err: { stack } }, blocked);
  thread.stop({ cause: blocked, module });
  release();
}
