/** Sends the same requests to both servers at a steady rate, until it is stopped. */
import type { Answer } from "../../support/client.js";
import type { Random } from "../../support/random.js";
import { type Actor, makeOperation, type Operation } from "./operations.js";
import type { Person } from "./people.js";
import type { Problems } from "./problems.js";
import type { Done, Verdicts } from "./verdicts.js";

/** The bridge's deadline for a local call. */
export const DEADLINE_MS = 5000;
// For Synapse's own work, on a busy machine.
const SLACK_MS = 3000;
const GIVE_UP_MS = 60_000;

export interface TrafficTools {
  readonly random: Random;
  readonly perSecond: number;
  readonly verdicts: Verdicts;
  readonly problems: Problems;
}

export class Traffic {
  sent = 0;
  /** Turns at which everybody who could have acted still waited for an answer. */
  skipped = 0;
  slowestMs = 0;
  readonly byKind = new Map<string, number>();
  readonly #free: Person[];
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #turns = 0;

  constructor(
    persons: readonly Person[],
    private readonly tools: TrafficTools,
  ) {
    this.#free = [...persons];
  }

  start(): void {
    this.#due = Date.now();
    this.#timer = setInterval(() => this.#turn(), 20);
  }

  /** Resolves when everything that was asked has been answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  #turn(): void {
    // What this process itself was late for is not made up for in a burst.
    this.#due = Math.max(this.#due, Date.now() - 500);
    for (; this.#due <= Date.now(); this.#due += 1000 / this.tools.perSecond) {
      this.#turns += 1;
      const operation = makeOperation(this.tools.random, this.#turns);
      const index = this.#free.findIndex(({ role }) => role === operation.role);
      const [person] = index < 0 ? [] : this.#free.splice(index, 1);
      if (!person) {
        this.skipped += 1;
        continue;
      }
      const running = this.#do(operation, person).finally(() => {
        this.#free.push(person);
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
  }

  async #do(operation: Operation, person: Person): Promise<void> {
    this.sent += 1;
    this.byKind.set(operation.kind, (this.byKind.get(operation.kind) ?? 0) + 1);
    const done = await onBoth(operation, person);
    const took = done.to - done.from;
    this.slowestMs = Math.max(this.slowestMs, took);
    if (took > operation.callbacks.length * DEADLINE_MS + SLACK_MS) {
      this.tools.problems.add("missed deadline", `${operation.kind} took ${took} ms`);
    }
    this.tools.verdicts.judge(done);
  }
}

/** Does it on both servers. Never rejects. */
export async function onBoth(operation: Operation, person: Person): Promise<Done> {
  const [bridge, twin] = await Promise.all([timed(operation, person.bridge), timed(operation, person.twin)]);
  const { from, to } = bridge;
  const ms = { bridge: bridge.ms, twin: twin.ms };
  const user = person.bridge.client.userId;
  return { operation, user, from, to, ms, bridge: bridge.answers, twin: twin.answers };
}

/** Never rejects: a request that fails has an answer of status 0. */
async function timed(operation: Operation, actor: Actor) {
  const from = Date.now();
  const began = performance.now();
  const failed = (error: unknown): readonly Answer[] => [
    { status: 0, body: `${error}: ${error instanceof Error ? error.cause : ""}`, text: "" },
  ];
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<readonly Answer[]>((resolve) => {
    timer = setTimeout(() => resolve(failed(`no answer after ${GIVE_UP_MS} ms`)), GIVE_UP_MS);
  });
  const answers = await Promise.race([operation.run(actor).catch(failed), tooLong]);
  clearTimeout(timer);
  return { answers, from, to: Date.now(), ms: performance.now() - began };
}
