// Delivers broadcasts to the modules of this thread: to each module one after another, once its `setup` has succeeded.

import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { real } from "../base/real-time.js";
import { describeThrown } from "../base/thrown.js";
import { type Broadcast, type BroadcastOutcome, type BroadcastReply, LIMITS } from "../catalogue/protocol.js";
import type { BroadcastHandler } from "../declarations/module.js";
import { runAsModule } from "../logging/current-module.js";
import { Cancellation } from "../transport/cancellation.js";
import { makeContext, type RunningModule } from "./context.js";

export class Broadcasts {
  #last = new WeakMap<RunningModule, Promise<BroadcastOutcome>>();

  /** Resolves when the handler has ended, or has had its time. Never rejects. */
  async deliver(running: RunningModule | undefined, { topic, value }: Broadcast): Promise<BroadcastReply> {
    const handler = running?.module.broadcasts.get(topic);
    if (!running || !handler) return { outcome: "undeclared" };
    const before = this.#last.get(running) ?? Promise.resolve();
    const mine = before.then(() => handle(running, handler, topic, value));
    this.#last.set(running, mine);
    return { outcome: await mine };
  }
}

async function handle(
  running: RunningModule,
  handler: BroadcastHandler,
  topic: string,
  value: unknown,
): Promise<BroadcastOutcome> {
  const { module, setup, log } = running;
  // What `setup` reads after this moment is not older than the broadcast. While it runs, it may have read already.
  if (!(await setup.settled())) return "not_set_up";
  const source = new CancellationTokenSource();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<BroadcastOutcome>((resolve) => {
    timer = real.setTimeout(() => {
      source.cancel();
      log.error(
        `${module.name}: broadcasts.${topic} has not ended within ${LIMITS.broadcast_ms / 1000} s; the next one is delivered`,
      );
      resolve("late");
    }, LIMITS.broadcast_ms);
  });
  const done = (async (): Promise<BroadcastOutcome> => {
    try {
      const context = makeContext(running, setup.data, new Cancellation(source.token), null);
      await runAsModule(module.name, null, () => handler(value, context));
      return "done";
    } catch (error) {
      log.error({ err: error }, `${module.name}: broadcasts.${topic} threw ${describeThrown(error)}`);
      return "failed";
    }
  })();
  try {
    return await Promise.race([done, late]);
  } finally {
    real.clearTimeout(timer);
  }
}
