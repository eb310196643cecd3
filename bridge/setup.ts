// Runs a module's `setup`, again and again with growing pauses until it succeeds, and lets calls wait for it.
import { cancelled, moduleUnavailable } from "./call-error.js";
import type { Cancellation } from "./cancellation.js";
import type { Logger } from "./log.js";
import type { LoadedModule } from "./module.js";
import { describeThrown } from "./thrown.js";

export interface SetupTimes {
  timeout: number;
  firstPause: number;
  longestPause: number;
}

// Long enough for a slow list server, short enough to be noticed; then as patient as a reboot needs.
export const SETUP_TIMES: SetupTimes = { timeout: 30_000, firstPause: 1_000, longestPause: 60_000 };

export class ModuleSetup {
  #state: { data: unknown } | { failed: string } | undefined;
  #waiting = new Set<() => void>();
  #pause: number;
  #timer: NodeJS.Timeout | undefined;
  #started = false;
  #stopped = false;

  constructor(
    private readonly module: LoadedModule,
    private readonly api: object,
    private readonly log: Logger,
    private readonly times: SetupTimes = SETUP_TIMES,
  ) {
    this.#pause = times.firstPause;
    // Nothing to wait for.
    if (!module.setup) this.#state = { data: undefined };
  }

  get done(): boolean {
    return this.#state !== undefined && "data" in this.#state;
  }

  /** Why the last attempt failed, if it did. */
  get failure(): string | undefined {
    return this.#state !== undefined && "failed" in this.#state ? this.#state.failed : undefined;
  }

  /** Once: a host that takes over from another is told twice. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.module.setup) void this.#try();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** What setup returned. Waits for the first attempt; fails at once while the last attempt has failed. */
  async ready(cancellation: Cancellation): Promise<unknown> {
    while (this.#state === undefined) await this.#change(cancellation.signal);
    if ("data" in this.#state) return this.#state.data;
    throw moduleUnavailable(this.module.name, `its setup has not succeeded yet: ${this.#state.failed}`);
  }

  async #try(): Promise<void> {
    const { name } = this.module;
    const failedBefore = this.#state !== undefined;
    try {
      this.#state = { data: await this.#attempt() };
      if (failedBefore) this.log.info(`${name}: setup has succeeded now`);
    } catch (error) {
      if (this.#stopped) return;
      const reason = describeThrown(error);
      this.#state = { failed: reason };
      this.log.error(
        { err: error },
        `${name}: setup failed: ${reason} (next try in ${this.#pause / 1000} s)`,
      );
      this.#timer = setTimeout(() => void this.#try(), this.#pause).unref();
      this.#pause = Math.min(this.#pause * 2, this.times.longestPause);
    }
    for (const tell of this.#waiting) tell();
  }

  async #attempt(): Promise<unknown> {
    const controller = new AbortController();
    const { promise, reject } = withReject();
    const timer = setTimeout(() => {
      controller.abort();
      reject(new Error(`it did not finish within ${this.times.timeout / 1000} s`));
    }, this.times.timeout);
    try {
      const context = { config: this.module.config, api: this.api, log: this.log, signal: controller.signal };
      return await Promise.race([this.module.setup?.(context), promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        if (signal.aborted) reject(cancelled());
        else resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  return { promise, reject };
}
