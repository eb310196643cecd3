// When a thread is ended because it stands still or takes too much memory, and what is told about it.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { type End, LIMITS } from "../../../../bridge/catalogue/protocol.js";
import { createLogger } from "../../../../bridge/logging/log.js";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import type { Thread } from "../../../../bridge/threads/thread.js";
import { watch, watchLoading } from "../../../../bridge/threads/watchdog.js";

const MIB = 1 << 20;
const LIMIT = 2_000;
const PULSE = 500;

let lines: Record<string, unknown>[];
const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
/** The memory of the process. */
let rss: number;
/** How long the main thread was blocked in all. */
let blocked: number;

beforeEach(() => {
  lines = [];
  rss = 100 * MIB;
  blocked = 0;
  jest.useFakeTimers();
  const now = performance.now.bind(performance);
  jest.spyOn(performance, "now").mockImplementation(() => now() + blocked);
  jest.spyOn(process.memoryUsage, "rss").mockImplementation(() => rss);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** A thread that may use 10 MiB, and was ended when `ends` has an entry. */
function thread(more: Partial<Thread> = {}) {
  const ends: End[] = [];
  const fake = {
    ...{ threadId: -1, heardAt: performance.now(), rss, memory: 10 * MIB, loading: null },
    ...{ memoryHeld: undefined, ended: new Promise(() => {}), culprit: () => null },
    forgive() {
      fake.heardAt = performance.now();
    },
    stop(end: End) {
      ends.push(end);
    },
    ...more,
  };
  return { thread: fake as unknown as Thread, fake, ends };
}

/** Waits for the end of a thread, of which the watchdog has first asked where it is. */
const ended = (ends: readonly End[]) => waitFor("the thread to be ended", () => ends.length > 0);

/** Blocks a thread with the code of a module. Returns once it has ended. */
async function blockThread(module: string | null): Promise<{ stack: string | undefined; ends: End[] }> {
  const worker = new Worker("(function spin() { for (;;); })()", { eval: true });
  await once(worker, "online");
  const ends: End[] = [];
  let stack: string | undefined;
  const more: Partial<Thread> = {
    // On a busy machine, this thread may be late.
    forgive() {},
    culprit(found) {
      stack = found;
      return module;
    },
    stop(end) {
      ends.push(end);
      void worker.terminate();
    },
  };
  const heardAt = performance.now() - 1_000;
  watch(thread({ threadId: worker.threadId, heardAt, ...more }).thread, 40, log);
  try {
    await once(worker, "exit", { signal: AbortSignal.timeout(10_000) });
  } finally {
    await worker.terminate();
  }
  return { stack, ends };
}

/** Lets time pass; the thread gives its sign of life as long as it runs. */
async function pass(ms: number, running?: { heardAt: number }): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    if (running && at % PULSE === 0) running.heardAt = performance.now();
    await jest.advanceTimersByTimeAsync(10);
  }
}

describe("a thread that gives no sign of life", () => {
  test("is ended after the limit, and not before", async () => {
    const { thread: watched, fake, ends } = thread();
    watch(watched, LIMIT, log);
    await pass(LIMIT);
    expect(jest.getTimerCount()).toBe(1);
    await pass(100);
    expect(jest.getTimerCount()).toBe(0);
    await ended(ends);
    // Native code holds it, so that nobody knows where it is.
    expect(ends).toEqual([{ cause: "event loop blocked for 2.1 s", module: null }]);
    expect(lines).toEqual([]);
    // What it may have read before its next sign of life.
    expect(watched.unreadSince).toBe(fake.heardAt + LIMITS.pulse_ms + 150);
  });

  test("is looked at four times within a limit that is short", async () => {
    const { thread: watched, ends } = thread();
    watch(watched, 200, log);
    await pass(200);
    expect(jest.getTimerCount()).toBe(1);
    await pass(50);
    await ended(ends);
    expect(ends).toEqual([{ cause: "event loop blocked for 0.3 s", module: null }]);
  });

  test.each([
    ["of a module", "m"],
    ["of nobody", null],
  ])("is told with the place where it was, and ends: code %s", async (_, module) => {
    jest.useRealTimers();
    let told = await blockThread(module);
    // A busy machine may not halt a thread in time.
    for (let times = 1; told.stack === "" && times < 5; times++) told = await blockThread(module);
    expect(told.stack).toContain("at spin (");
    expect(told.ends).toEqual([{ cause: expect.stringMatching(/^event loop blocked for 1\.\d s$/), module }]);
    const { level, msg, err, ...more } = lines.at(-1) ?? {};
    expect([level, msg, err]).toEqual([50, told.ends[0]?.cause, { stack: told.stack }]);
    // A line that is of no module does not name one.
    expect("module" in more).toBe(module !== null);
    expect(more.module ?? null).toBe(module);
  });

  test.each(["it has ended", "nobody watches it any more"])("is left alone once %s", async (why) => {
    let end = (_: End) => {};
    const over = new Promise<End>((resolve) => {
      end = resolve;
    });
    const { thread: watched } = thread({ ended: over });
    const stop = watch(watched, LIMIT, log);
    await pass(100);
    if (why === "it has ended") end({ cause: "x", module: null });
    else stop();
    await pass(10);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("is forgiven where the main thread was blocked itself", async () => {
    const { thread: watched, fake, ends } = thread();
    watch(watched, LIMIT, log);
    await pass(1_000);
    blocked += 5_000;
    await pass(1_900);
    expect([ends, jest.getTimerCount()]).toEqual([[], 1]);
    expect(performance.now() - fake.heardAt).toBeLessThan(LIMIT);
  });

  test.each([50, 100])("is not forgiven where the main thread was late by %i ms", async (late) => {
    const { thread: watched, ends } = thread();
    watch(watched, LIMIT, log);
    await pass(1_050);
    blocked += late;
    await pass(950);
    expect(jest.getTimerCount()).toBe(0);
    await ended(ends);
  });
});

describe("memory", () => {
  const OUT = { cause: "out of memory", module: null };

  test("that a silent thread may have taken ends it, once the process has grown by more than it may use", async () => {
    const { thread: watched, ends } = thread();
    watch(watched, LIMIT, log);
    rss += 10 * MIB;
    await pass(1_000);
    expect(ends).toEqual([]);
    rss++;
    await pass(100);
    expect(ends).toEqual([OUT]);
  });

  test("that a thread may have taken ends it only once it has been silent for longer than it may", async () => {
    const { thread: watched, ends } = thread();
    watch(watched, LIMIT, log);
    rss += 11 * MIB;
    await pass(LIMITS.pulse_ms + 500);
    expect(ends).toEqual([]);
    await pass(100);
    expect(ends).toEqual([OUT]);
  });

  test("that may be anyone's ends no thread that gives its sign of life", async () => {
    const { thread: watched, fake, ends } = thread();
    watch(watched, LIMIT, log);
    rss += 1_000 * MIB;
    await pass(5_000, fake);
    expect(ends).toEqual([]);
  });

  test("that a thread is known to hold ends it, if it runs with twice of what it may use", async () => {
    let held = 20 * MIB;
    let asked = 0;
    const {
      thread: watched,
      fake,
      ends,
    } = thread({
      loading: "m",
      memoryHeld: async () => {
        asked++;
        return held;
      },
    });
    watch(watched, LIMIT, log);
    await pass(1_000, fake);
    rss += 20 * MIB;
    await pass(1_000, fake);
    expect(asked).toBe(0);
    rss++;
    await pass(1_000, fake);
    expect([asked > 1, ends]).toEqual([true, []]);
    held++;
    await pass(100, fake);
    expect(ends).toEqual([{ ...OUT, module: "m" }]);
  });

  test("that a silent thread is known to hold ends it, if it is more than it may use", async () => {
    let held = 10 * MIB;
    const { thread: watched, ends } = thread({ memoryHeld: async () => held });
    watch(watched, LIMIT, log);
    rss += 11 * MIB;
    await pass(1_000);
    expect(ends).toEqual([]);
    held++;
    await pass(100);
    expect(ends).toEqual([OUT]);
  });

  test("is asked for once at a time, and again after a question that failed", async () => {
    const questions: ((error: Error) => void)[] = [];
    const memoryHeld = () => new Promise<number>((_, reject) => questions.push(reject));
    const { thread: watched, fake, ends } = thread({ memoryHeld });
    watch(watched, LIMIT, log);
    rss += 30 * MIB;
    await pass(1_000, fake);
    expect(questions).toHaveLength(1);
    questions[0]?.(new Error("it has ended"));
    await pass(100, fake);
    expect(questions).toHaveLength(2);
    expect(ends).toEqual([]);
  });

  test("that a thread takes while it loads ends it, until it has loaded", async () => {
    const { thread: watched, ends } = thread({ loading: "m", rss: 0 });
    const stop = watchLoading(watched);
    rss += 20 * MIB;
    await pass(200);
    expect(ends).toEqual([]);
    rss++;
    await pass(100);
    expect(ends).toEqual([{ ...OUT, module: "m" }]);
    stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});
