// Asks calls apart that may be what has ended Node: one at a time, all of the call's modules in one thread made for it, which is
// watched for a while after the answer.

import { setTimeout as pause } from "node:timers/promises";
import { type AskElsewhere, untilAborted } from "../calls/dispatch.js";
import type {
  Call,
  Decision,
  End,
  FollowUpAnswer,
  FollowUpCall,
  SetUpApart,
  SetUpApartAnswer,
} from "../catalogue/protocol.js";
import { CallError, moduleEnded } from "../transport/call-error.js";
import type { Cancellation } from "../transport/cancellation.js";
import type { Aboard } from "./compartment.js";
import type { Placed } from "./introduce.js";
import { SetUpThread } from "./set-up-thread.js";
import { watch } from "./watchdog.js";

// What the event loop may stand still for, at most.
const MOST_SILENT_MS = 1_000;
// For the next such calls, which come together.
const KEPT_MS = 5_000;

export class Probe {
  #before: Promise<unknown> = Promise.resolve();
  #present: SetUpThread | undefined;
  #expiry: NodeJS.Timeout | undefined;
  // How a thread has ended after a call, and nobody was told.
  #untold: End | undefined;

  constructor(
    private readonly modules: readonly Placed[],
    private readonly aboard: Aboard,
  ) {}

  /** `dispatch` asks the modules in order by what it is given. Fails with a CallError. */
  async ask(
    call: Call,
    cancellation: Cancellation,
    dispatch: (askOne: AskElsewhere) => Promise<Decision>,
  ): Promise<Decision> {
    return this.#inTurn(cancellation, async () => {
      const present = await this.#of(call.modules, cancellation);
      return this.#ask(present, call, cancellation, dispatch);
    });
  }

  /**
   * Resolves once a thread has these modules, and all are set up: with how the one before it has ended, if that was between two
   * calls. Who gives up waiting leaves it to the next.
   */
  async setUp({ modules, linger_ms }: SetUpApart, cancellation: Cancellation): Promise<SetUpApartAnswer> {
    return this.#inTurn(cancellation, async () => {
      for (;;) {
        const { thread } = await this.#of(modules, cancellation);
        await untilAborted(Promise.race([thread.ended, pause(linger_ms)]), cancellation);
        const ended = this.#untold ?? null;
        if (thread.isOver && ended === null) throw unavailable(modules, (await thread.ended).cause);
        if (thread.isOver) continue;
        this.#untold = undefined;
        return { ended };
      }
    });
  }

  /** Asks for what a module has left in the thread to be done later; undefined where it is not there. */
  followUp(params: FollowUpCall, cancellation: Cancellation): Promise<FollowUpAnswer> | undefined {
    const { module } = params.follow_up;
    const { modules, isOver } = this.#present?.thread ?? { modules: [], isOver: true };
    return !isOver && modules.includes(module)
      ? this.#present?.thread.ask("follow_up", params, module, cancellation)
      : undefined;
  }

  close(): void {
    clearTimeout(this.#expiry);
    const present = this.#present;
    this.#present = undefined;
    if (!present || present.thread.isGone) return;
    present.isLetGo = true;
    present.thread.close();
  }

  async #inTurn<T>(cancellation: Cancellation, run: () => Promise<T>): Promise<T> {
    const before = this.#before;
    const turn = (async () => {
      await untilAborted(before, cancellation);
      clearTimeout(this.#expiry);
      try {
        return await run();
      } finally {
        this.#expire();
      }
    })();
    // Also who gives up waiting lets nobody go before the one that has the turn.
    this.#before = Promise.allSettled([before, turn]);
    return turn;
  }

  /** Its time begins once it is set up. */
  #expire(): void {
    const present = this.#present;
    void present?.whyNot.then(() => {
      if (this.#present !== present) return;
      clearTimeout(this.#expiry);
      this.#expiry = setTimeout(() => this.close(), KEPT_MS).unref();
    });
  }

  async #ask(
    present: SetUpThread,
    call: Call,
    cancellation: Cancellation,
    dispatch: (askOne: AskElsewhere) => Promise<Decision>,
  ): Promise<Decision> {
    const { thread } = present;
    const limit = Math.min(MOST_SILENT_MS, (call.time_left_ms ?? 2 * MOST_SILENT_MS) / 2);
    const stopWatching = watch(thread, limit, this.aboard.options.log);
    let began = false;
    const askOne: AskElsewhere = (name, callback, one, ofCall) => {
      if (!thread.modules.includes(name)) return undefined;
      began ||= !thread.isGone;
      return thread.ask(`callback/${callback}`, one, name, ofCall);
    };
    try {
      const outcome = await dispatch(askOne).then(
        (decision) => () => decision,
        (error: unknown) => () => {
          throw error;
        },
      );
      // What nobody waits for any more goes on, and must not be taken for the next call.
      if (!cancellation.requested) await Promise.race([thread.ended, pause(call.apart?.linger_ms ?? 0)]);
      else if (began) present.giveUp();
      if (!thread.isOver || cancellation.requested) return outcome();
      const { module, cause } = await thread.ended;
      this.#untold = undefined;
      throw moduleEnded(module, cause, began);
    } finally {
      stopWatching();
    }
  }

  async #of(names: readonly string[], cancellation: Cancellation): Promise<SetUpThread> {
    const has = (present: SetUpThread) => names.every((name) => present.thread.modules.includes(name));
    if (!this.#present || this.#present.thread.isGone || !has(this.#present)) {
      this.close();
      const modules = this.modules.filter(({ name }) => names.includes(name));
      this.#present = this.#make(modules);
    }
    const present = this.#present;
    const why = (await untilAborted(present.whyNot, cancellation)) as string | undefined;
    if (why === undefined) return present;
    // The next such call begins anew.
    if (this.#present === present) this.close();
    throw unavailable(names, why);
  }

  #make(modules: readonly Placed[]): SetUpThread {
    const made = new SetUpThread(modules, this.aboard);
    void made.thread.ended.then((end) => {
      if (!made.isLetGo && made.thread.served > 0) this.#untold = end;
    });
    return made;
  }
}

function unavailable(names: readonly string[], why: string): Error {
  return new CallError("module_unavailable", `there is no thread apart: ${why}`, {
    module: names[0] as string,
  });
}
