// Runs a module's `setup`, repeats it with growing pauses until it succeeds, and lets calls wait for it.

import { real } from "../base/real-time.js";
import { describeThrown } from "../base/thrown.js";
import { LIMITS } from "../catalogue/protocol.js";
import type { LoadedModule } from "../declarations/module.js";
import { runAsModule } from "../logging/current-module.js";
import type { Logger } from "../logging/log.js";
import { cancelled, moduleUnavailable } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";

export interface SetupTimes {
  timeout: number;
  firstPause: number;
  longestPause: number;
}

// The first pause is short, so that a brief outage is over soon. The longest one suits a server that reboots.
export const SETUP_TIMES: SetupTimes = {
  timeout: LIMITS.setup_attempt_ms,
  firstPause: 1_000,
  longestPause: 60_000,
};

/** Where a debugger may pause `setup`: a day. */
export const DEBUG_SETUP_TIMES: SetupTimes = { ...SETUP_TIMES, timeout: 24 * 60 * 60 * 1000 };

export class ModuleSetup {
  /** Called when setup has succeeded, before waiting calls go on. */
  onSuccess = () => {};
  /** What the last attempt has thrown. */
  thrown: unknown;
  #state: { data: unknown } | { failed: string } | undefined;
  #waiting = new Set<() => void>();
  #pause: number;
  #timer: NodeJS.Timeout | undefined;
  #started = false;
  #attempting = false;
  #stopped = false;
  /** The log that the module's `setup` gets. */
  readonly log: Logger;

  constructor(
    private readonly module: LoadedModule,
    private readonly api: object,
    private readonly hostLog: Logger,
    private readonly times: SetupTimes = SETUP_TIMES,
  ) {
    this.#pause = times.firstPause;
    this.log = hostLog.child({ request: null });
    // Without a setup there is nothing to wait for.
    if (!module.setup) this.#state = { data: undefined };
  }

  get done(): boolean {
    return this.#state !== undefined && "data" in this.#state;
  }

  /** What `setup` has returned; undefined until it has succeeded. */
  get data(): unknown {
    return this.#state !== undefined && "data" in this.#state ? this.#state.data : undefined;
  }

  /** Why the last attempt failed, if it did. */
  get failure(): string | undefined {
    return this.#state !== undefined && "failed" in this.#state ? this.#state.failed : undefined;
  }

  /** Starts the first attempt. A second call does nothing: a host that takes over gets `start` twice. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.module.setup) void this.#try();
  }

  stop(): void {
    this.#stopped = true;
    real.clearTimeout(this.#timer);
  }

  /** Returns what setup returned. Waits for the first attempt; throws a CallError at once if the last attempt has failed. */
  async ready(cancellation: Cancellation): Promise<unknown> {
    while (this.#state === undefined) await this.#change(cancellation.signal);
    if ("data" in this.#state) return this.#state.data;
    throw moduleUnavailable(this.module.name, `its setup has not succeeded yet: ${this.#state.failed}`);
  }

  /** Resolves when no attempt is under way, with whether `setup` has succeeded. */
  async settled(): Promise<boolean> {
    while (this.#attempting || this.#state === undefined)
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#waiting.delete(done);
          resolve();
        };
        this.#waiting.add(done);
      });
    return this.done;
  }

  async #try(): Promise<void> {
    const { name } = this.module;
    this.#attempting = true;
    const failedBefore = this.#state !== undefined;
    try {
      this.#state = { data: await this.#attempt() };
      this.onSuccess();
      if (failedBefore) this.hostLog.info(`${name}: setup has succeeded now`);
    } catch (error) {
      if (this.#stopped) return;
      this.thrown = error;
      const reason = describeThrown(error);
      this.#state = { failed: reason };
      this.hostLog.error(
        { err: error },
        `${name}: setup failed: ${reason} (next try in ${this.#pause / 1000} s)`,
      );
      this.#timer = real.setTimeout(() => void this.#try(), this.#pause).unref();
      this.#pause = Math.min(this.#pause * 2, this.times.longestPause);
    }
    this.#attempting = false;
    for (const tell of this.#waiting) tell();
  }

  async #attempt(): Promise<unknown> {
    const controller = new AbortController();
    const { promise, reject } = withReject();
    const timer = real.setTimeout(() => {
      controller.abort();
      reject(new Error(`it did not finish within ${this.times.timeout / 1000} s`));
    }, this.times.timeout);
    try {
      const { log } = this;
      const context = { config: this.module.config, api: this.api, log, signal: controller.signal };
      return await Promise.race([
        runAsModule(this.module.name, null, () => this.module.setup?.(context)),
        promise,
      ]);
    } finally {
      real.clearTimeout(timer);
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
