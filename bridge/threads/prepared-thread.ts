// A prepared thread, in which suspects are asked: it loads its modules and runs their `setup`. It is ready when all have
// succeeded, and nothing that `setup` has left running has ended it.
import { setTimeout as pause } from "node:timers/promises";
import { type End, LIMITS } from "../catalogue/protocol.js";
import type { SpawnOptions } from "./compartment.js";
import { loadInThreadInTime, type PlacedModule } from "./load-in-thread.js";
import { Thread } from "./thread.js";
import type { Relay } from "./thread-connection.js";
import { watch } from "./watchdog.js";

const PULSE_MS = 100;
// How long `setup` may block the event loop: as long as the shim allows Node.
const MOST_SILENT_MS = LIMITS.interrupt_after_ms;
// What `setup` does not await (such as opening a port that is in use) fails soon after it.
const STEADY_MS = 100;

const GIVEN_UP = { cause: "nobody waits for its call any more", module: null };

export class PreparedThread {
  readonly thread: Thread;
  /** Resolves with undefined when the thread is ready, else with the reason why it is not. */
  readonly notReady: Promise<string | undefined>;
  /** Set when the host ends the thread on purpose: no module is to blame. */
  isReleased = false;

  constructor(
    modules: readonly PlacedModule[],
    private readonly spawnOptions: SpawnOptions,
  ) {
    const { options, relay } = spawnOptions;
    const notify: Relay["notify"] = (method, params) => {
      if (method !== "loading") relay.notify(method, params);
    };
    const names = modules.map(({ name }) => name);
    this.thread = new Thread(names, options, { ...relay, notify }, PULSE_MS);
    this.notReady = this.#setUp(modules);
  }

  /** Ends the thread, since nobody waits for its work. */
  giveUp(): void {
    this.isReleased = true;
    this.thread.stop(GIVEN_UP);
  }

  async #setUp(modules: readonly PlacedModule[]): Promise<string | undefined> {
    const { thread } = this;
    const loaded = await loadInThreadInTime(thread, this.spawnOptions.initialize, modules);
    if ("cause" in loaded) return describeEnd(loaded);
    if (loaded.faults[0]) return loaded.faults[0].message;
    if (thread.isClosed) return describeEnd(await thread.ended);
    thread.start();
    const stopWatching = watch(thread, MOST_SILENT_MS, this.spawnOptions.options.log);
    try {
      const asked = thread.peer.sendRequest("set_up", {});
      const answer = await Promise.race([asked.catch(() => thread.ended), thread.ended]);
      if ("cause" in answer) return describeEnd(answer);
      const [failure] = Object.entries(answer.failed);
      if (failure) return `the setup of ${failure.join(" has failed: ")}`;
      const end = await Promise.race([thread.ended, pause(STEADY_MS, undefined)]);
      return end && describeEnd(end);
    } finally {
      stopWatching();
    }
  }
}

function describeEnd({ module, cause }: End): string {
  return `it has ended (${cause})${module === null ? "" : ` in ${module}`}`;
}
