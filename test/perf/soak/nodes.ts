/** Every Node that the bridge has had: which serves now, how it grew, and whether any was left behind. */
import {
  descriptorsOf,
  everyChildOf,
  isAlive,
  memoryOf,
  type Process,
  processOf,
} from "../../support/processes.js";
import type { Problems } from "./problems.js";
import { Series } from "./series.js";

const ZOMBIE_MS = 10_000;
// An old Node may finish what it works on when a new one takes over: 30 s.
const DRAINING_MS = 40_000;
// A young Node still compiles and fills its heap.
const GROWN_UP_MS = 60_000;
const SMOOTH_OVER = 15;

interface Life {
  readonly process: Process;
  readonly since: number;
  readonly descriptors: Series;
  /** Medians of some samples each, once it had grown up. */
  readonly memory: Series;
  readonly recent: number[];
  supersededAt?: number;
  zombieSince?: number;
}

export class Nodes {
  readonly memory = new Series();
  readonly descriptors = new Series();
  readonly #lives: Life[] = [];

  constructor(
    private readonly parent: number,
    private readonly problems: Problems,
  ) {}

  get started(): number {
    return this.#lives.length;
  }

  /** The one that serves: one that came later, but has ended, was a new version that could not take over. */
  current(): Process | undefined {
    return this.#latest()?.process;
  }

  #latest(): Life | undefined {
    return this.#lives.findLast(({ process }) => isAlive(process)) ?? this.#lives.at(-1);
  }

  sample(): void {
    for (const process of everyChildOf(this.parent)) this.#see(process);
    const life = this.#latest();
    for (const other of this.#lives) {
      if (other === life) delete other.supersededAt;
      else other.supersededAt ??= Date.now();
      this.#check(other);
    }
    if (!life || !isAlive(life.process)) return;
    const { pid } = life.process;
    const memory = memoryOf(pid);
    this.memory.add(memory);
    this.descriptors.add(descriptorsOf(pid));
    if (memory === undefined || Date.now() - life.since < GROWN_UP_MS) return;
    life.descriptors.add(descriptorsOf(pid));
    life.recent.push(memory);
    if (life.recent.length >= SMOOTH_OVER) {
      life.memory.add(life.recent.sort((a, b) => a - b)[SMOOTH_OVER >> 1]);
      life.recent.length = 0;
    }
  }

  #see(process: Process): void {
    if (
      this.#lives.some(({ process: { pid, started } }) => pid === process.pid && started === process.started)
    ) {
      return;
    }
    const series = { descriptors: new Series(), memory: new Series() };
    this.#lives.push({ process, since: Date.now(), ...series, recent: [] });
  }

  #check(life: Life): void {
    const now = processOf(life.process.pid);
    if (!now || now.started !== life.process.started) return;
    const who = `Node ${now.pid}`;
    if (now.parent !== this.parent) this.problems.add("orphan", `${who} has the parent ${now.parent}`);
    if (now.state === "Z") {
      life.zombieSince ??= Date.now();
      if (Date.now() - life.zombieSince > ZOMBIE_MS) this.problems.add("zombie", who);
    } else if (life.supersededAt !== undefined && Date.now() - life.supersededAt > DRAINING_MS) {
      this.problems.add("orphan", `${who} still runs ${DRAINING_MS} ms after its successor came`);
    }
  }

  /** To be asked after Synapse has ended. */
  leftOver(): readonly Process[] {
    return this.#lives.map(({ process }) => process).filter(isAlive);
  }

  /** Of the last Node, from when it had grown up: how long, and what it grew from and to. */
  lastLife(): { readonly seconds: number; readonly memory: Series; readonly descriptors: Series } {
    const life = this.#latest();
    const seconds = life ? Math.max(0, (Date.now() - life.since - GROWN_UP_MS) / 1000) : 0;
    return { seconds, memory: life?.memory ?? new Series(), descriptors: life?.descriptors ?? new Series() };
  }
}
