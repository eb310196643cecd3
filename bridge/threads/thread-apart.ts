// Asks suspects, one at a time: all of a call's modules in one thread made for it, which is watched for a while after the
// answer.

import { setTimeout as pause } from "node:timers/promises";
import type { AskThread } from "../calls/dispatch.js";
import {
  type Broadcast,
  type Call,
  type End,
  type FollowUpCall,
  type FollowUpReply,
  LIMITS,
  type Reply,
  type SetUpApart,
  type SetUpApartReply,
} from "../catalogue/protocol.js";
import { CallError, moduleEnded } from "../transport/call-error.js";
import { type Cancellation, untilAborted } from "../transport/cancellation.js";
import type { SpawnOptions } from "./compartment.js";
import type { PlacedModule } from "./load-in-thread.js";
import { PreparedThread } from "./prepared-thread.js";
import { watch } from "./watchdog.js";

const MOST_SILENT_MS = LIMITS.suspect_blocked_ms;
// How long an idle thread is kept, since suspects come one after another.
const KEPT_MS = 5_000;

export class ThreadApart {
  #previous: Promise<unknown> = Promise.resolve();
  #current: PreparedThread | undefined;
  #expiry: NodeJS.Timeout | undefined;
  // How a thread has ended between two calls, until that is reported.
  #unreported: End | undefined;

  constructor(
    private readonly modules: readonly PlacedModule[],
    private readonly spawnOptions: SpawnOptions,
  ) {}

  /** Asks one suspect. `dispatch` asks its modules in order with the function that it gets. Throws a CallError. */
  async ask(
    call: Call,
    cancellation: Cancellation,
    dispatch: (askOne: AskThread) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#inTurn(cancellation, async () => {
      const current = await this.#of(call.modules, cancellation);
      return this.#ask(current, call, cancellation, dispatch);
    });
  }

  /**
   * Resolves when a thread has these modules and all are set up. The reply tells how the previous thread has ended, if that was
   * between two calls. A cancellation leaves the thread to the next caller.
   */
  async setUp({ modules, linger_ms }: SetUpApart, cancellation: Cancellation): Promise<SetUpApartReply> {
    return this.#inTurn(cancellation, async () => {
      for (;;) {
        const { thread } = await this.#of(modules, cancellation);
        await untilAborted(Promise.race([thread.ended, pause(linger_ms)]), cancellation);
        const ended = this.#unreported ?? null;
        if (thread.hasEnded && ended === null) throw unavailable(modules, (await thread.ended).cause);
        if (thread.hasEnded) continue;
        this.#unreported = undefined;
        return { ended };
      }
    });
  }

  /** Runs a follow-up that a module has left in this thread; undefined if the thread does not have the module. */
  followUp(params: FollowUpCall, cancellation: Cancellation): Promise<FollowUpReply> | undefined {
    const { module } = params.follow_up;
    const { modules, hasEnded } = this.#current?.thread ?? { modules: [], hasEnded: true };
    return !hasEnded && modules.includes(module)
      ? this.#current?.thread.ask("follow_up", params, module, cancellation)
      : undefined;
  }

  /** Passes a broadcast on to the module's instance in this thread, if there is one. Its outcome is not told. */
  broadcast(broadcast: Broadcast): void {
    const thread = this.#current?.thread;
    if (!thread || thread.isClosed || !thread.modules.includes(broadcast.module)) return;
    // Not by `thread.ask`: a broadcast is no call that the thread was made for.
    thread.peer.sendRequest("broadcast", broadcast).catch(() => {});
  }

  close(): void {
    clearTimeout(this.#expiry);
    const current = this.#current;
    this.#current = undefined;
    if (!current || current.thread.isClosed) return;
    current.isReleased = true;
    current.thread.close();
  }

  async #inTurn<T>(cancellation: Cancellation, run: () => Promise<T>): Promise<T> {
    const before = this.#previous;
    const turn = (async () => {
      await untilAborted(before, cancellation);
      clearTimeout(this.#expiry);
      try {
        return await run();
      } finally {
        this.#expire();
      }
    })();
    // Even if this caller gives up waiting, the next one must wait for the one before.
    this.#previous = Promise.allSettled([before, turn]);
    return turn;
  }

  /** Starts the idle time. It begins when the thread is set up. */
  #expire(): void {
    const current = this.#current;
    void current?.notReady.then(() => {
      if (this.#current !== current) return;
      clearTimeout(this.#expiry);
      this.#expiry = setTimeout(() => this.close(), KEPT_MS).unref();
    });
  }

  async #ask(
    current: PreparedThread,
    call: Call,
    cancellation: Cancellation,
    dispatch: (askOne: AskThread) => Promise<Reply>,
  ): Promise<Reply> {
    const { thread } = current;
    const limit = Math.min(MOST_SILENT_MS, (call.time_left_ms ?? 2 * MOST_SILENT_MS) / 2);
    const stopWatching = watch(thread, limit, this.spawnOptions.options.log);
    let began = false;
    const askOne: AskThread = (name, callback, one, ofCall) => {
      if (!thread.modules.includes(name)) return undefined;
      began ||= !thread.isClosed;
      return thread.ask(`callback/${callback}`, one, name, ofCall);
    };
    try {
      const outcome = await dispatch(askOne).then(
        (reply) => () => reply,
        (error: unknown) => () => {
          throw error;
        },
      );
      // A cancelled call may go on in the thread, and must not be mistaken for the next call.
      if (!cancellation.requested) await Promise.race([thread.ended, pause(call.apart?.linger_ms ?? 0)]);
      else if (began) current.giveUp();
      if (!thread.hasEnded || cancellation.requested) return outcome();
      const { module, cause } = await thread.ended;
      this.#unreported = undefined;
      throw moduleEnded(module, cause, began);
    } finally {
      stopWatching();
    }
  }

  async #of(names: readonly string[], cancellation: Cancellation): Promise<PreparedThread> {
    const has = (current: PreparedThread) => names.every((name) => current.thread.modules.includes(name));
    if (!this.#current || this.#current.thread.isClosed || !has(this.#current)) {
      this.close();
      const modules = this.modules.filter(({ name }) => names.includes(name));
      this.#current = this.#make(modules);
    }
    const current = this.#current;
    const why = (await untilAborted(current.notReady, cancellation)) as string | undefined;
    if (why === undefined) return current;
    // The next call starts a new thread.
    if (this.#current === current) this.close();
    throw unavailable(names, why);
  }

  #make(modules: readonly PlacedModule[]): PreparedThread {
    const made = new PreparedThread(modules, this.spawnOptions);
    void made.thread.ended.then((end) => {
      if (!made.isReleased && made.thread.served > 0) this.#unreported = end;
    });
    return made;
  }
}

function unavailable(names: readonly string[], why: string): Error {
  return new CallError("module_unavailable", `there is no thread apart: ${why}`, {
    module: names[0] as string,
  });
}
