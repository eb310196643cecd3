/** Users who attack during the whole soak, each as often as Synapse's default rate limits let them. */
import { hostileText } from "./hostile-texts.js";
import type { Killers } from "./killers.js";
import type { Person } from "./people.js";
import { onBoth } from "./traffic.js";
import type { Verdicts } from "./verdicts.js";

/** Synapse's default for messages. */
const EVERY_MS = 5000;

export class Attackers {
  texts = 0;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(
    private readonly killers: Killers,
    /** Writes hostile texts. */
    private readonly writer: Person,
    private readonly verdicts: Verdicts,
  ) {}

  start(durationMs: number): void {
    this.killers.all.forEach((killer, index) => {
      // One after the other, since they do not know of each other; those who join later have learned the message.
      const from = killer.joins * durationMs + ((index + 0.5) * EVERY_MS) / this.killers.all.length;
      this.#every(from, () => this.killers.send(killer));
    });
    this.#every(0, async () => {
      this.verdicts.judge(await onBoth(hostileText(this.texts++), this.writer));
    });
  }

  /** Resolves when everything that was asked has been answered. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  #every(from: number, act: () => Promise<void>): void {
    const index = this.#timers.length;
    const again = () => {
      const running = act().finally(() => this.#running.delete(running));
      this.#running.add(running);
      this.#timers[index] = setTimeout(again, EVERY_MS);
    };
    this.#timers[index] = setTimeout(again, from);
  }
}
