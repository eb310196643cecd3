// Ends a thread whose event loop is blocked for too long, or which takes too much memory meanwhile, and logs where it was.
import { CAUSES, LIMITS } from "../catalogue/protocol.js";
import type { Logger } from "../logging/log.js";
import { haltThread } from "./halted-thread.js";
import type { Thread } from "./thread.js";

// Short, since a loop can take 2 GB in a second, at which Node 24 ends the whole process.
const LOOK_MS = 100;
// A thread that is silent for longer is blocked, and so does not watch its own memory (memory-watch.ts).
const BUSY_MS = LIMITS.pulse_ms + 500;
// A thread whose event loop runs sends a pulse in time, but may first read what has come. Once the loop is blocked, it reads
// nothing more.
const UNREAD_AFTER_MS = LIMITS.pulse_ms + 150;

/** Watches a thread, which may be silent for `limit` ms. Returns a function that stops watching, as the thread's end does. */
export function watch(thread: Thread, limit: number, log: Logger): () => void {
  const every = Math.min(LOOK_MS, limit / 4);
  const memory = new MemoryCheck(thread);
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const since = performance.now() - lookedAt;
    lookedAt += since;
    // If the main thread itself was blocked, it has pulses to read yet.
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

/** Ends a thread that takes too much memory while it loads modules: on Node 24, V8 would end the whole process. */
export function watchLoading(thread: Thread): () => void {
  const before = process.memoryUsage.rss();
  const memory = new MemoryCheck(thread);
  const timer = setInterval(() => memory.check(before, 2 * thread.memory), LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** Ends a thread that has too much memory. It measures the thread only when the process has grown, which is cheap to know. */
class MemoryCheck {
  #isAsking = false;

  constructor(private readonly thread: Thread) {}

  /** Whether the thread itself can be measured, and not only the process. */
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
      // Never resolves while native code runs.
      if ((await memoryHeld()) > most) this.#end();
    } catch {
      // The thread has ended meanwhile.
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
  thread.unreadSince = thread.heardAt + UNREAD_AFTER_MS;
  thread.stop({ cause: blocked, module });
  release();
}
