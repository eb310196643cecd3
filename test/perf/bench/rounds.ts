// Runs every measurement once a round, the sides taking turns, so that a noisy machine is noisy to all of them alike.
import { setTimeout } from "node:timers/promises";
import { echo, sendMessage, sendMessages, time } from "./measure.js";
import type { Side, SideName, Sides } from "./sides.js";

/** A figure, and its value in each round. Lower is better unless its name ends in `/s`. */
export type Figures = ReadonlyMap<string, readonly number[]>;

interface Measurement {
  readonly name: string;
  readonly sides: readonly SideName[];
  /** In so many parts, between which the sides take turns: what is taken is their median. */
  readonly parts?: number;
  take(side: Side): Promise<Readonly<Record<string, number>>>;
}

const ALL: readonly SideName[] = ["none", "python", "http", "bridge", "filtered"];
const CHAINS: readonly SideName[] = ["bridge", "bridge5", "bridge20"];
// Into the burst: long enough that it has begun, short enough that it has not ended.
export const SEND_AFTER_MS = 100;
const MEMBERS = [10, 1_000, 10_000];
const KILOBYTES = [10, 64];

const measurements: readonly Measurement[] = [
  {
    name: "alone",
    sides: ALL,
    parts: 4,
    async take(side) {
      const { p50, p99, cpu } = await time(side, { calls: 500 });
      return { p50, p99, cpu };
    },
  },
  {
    name: "32 at once",
    sides: ALL,
    parts: 4,
    async take(side) {
      const { p50, p99, cpu, per_second } = await time(side, { calls: 3_000, in_flight: 32 });
      return { p50, p99, cpu, "calls/s": per_second };
    },
  },
  {
    name: "modules in a row",
    sides: CHAINS,
    async take(side) {
      const { p50, p99, cpu } = await time(side, { calls: 300 });
      return { p50, p99, cpu };
    },
  },
  ...KILOBYTES.map((kilobytes) => ({
    name: `${kilobytes} KB event`,
    sides: ["python", "bridge"] as const,
    async take(side: Side) {
      const { p50, cpu } = await time(side, { calls: 300, kilobytes });
      return { p50, cpu };
    },
  })),
  ...MEMBERS.map((members) => ({
    name: `check_event_allowed, ${members} members`,
    sides: ["python", "bridge"] as const,
    async take(side: Side) {
      const { p50, cpu } = await time(side, { calls: 300, members });
      return { p50, cpu };
    },
  })),
  {
    name: "message of a client",
    sides: ALL,
    parts: 12,
    async take(side) {
      const { asked, none } = await sendMessages(side, 5);
      return { cpu: asked, "unasked cpu": none };
    },
  },
  {
    name: "blocking echo over a pipe",
    sides: ["none"],
    async take(side) {
      const { p50, p99 } = await echo(side, 2_000);
      return { p50, p99 };
    },
  },
];

// What it leaves behind would spoil the others, so it comes after them.
const burst: Measurement = {
  name: "10,000 at once",
  sides: ["python", "bridge", "http"],
  async take(side) {
    const burst = time(side, { calls: 10_000, in_flight: 10_000, federated: "yes" });
    await setTimeout(SEND_AFTER_MS);
    const send = await sendMessage(side);
    const { max, cpu, per_second, begun } = await burst;
    return { max, cpu, "calls/s": per_second, begun, send };
  },
};
const BURST_ROUNDS = 5;

/** The figures by `<measurement>, <side>, <figure>`. The first round warms up and is thrown away. */
export async function runRounds(sides: Sides, rounds: number): Promise<Figures> {
  const figures = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    process.stdout.write(round === 0 ? "Warming up" : `\rRound ${round} of ${rounds} `);
    for (const measurement of measurements) {
      const taken = await takeTurns(measurement, sides, round);
      if (round > 0) note(figures, taken);
    }
  }
  console.log("\nBursts");
  for (let round = 0; round < BURST_ROUNDS; round++) note(figures, await takeTurns(burst, sides, round));
  return figures;
}

/** Adds what one round has taken. */
export function note(figures: Map<string, number[]>, taken: ReadonlyMap<string, number>): void {
  for (const [key, value] of taken) figures.set(key, [...(figures.get(key) ?? []), value]);
}

async function takeTurns(
  { name, sides: wanted, parts = 1, take }: Measurement,
  sides: Sides,
  round: number,
): Promise<Map<string, number>> {
  const taken = new Map<string, number[]>();
  for (let part = 0; part < parts; part++) {
    // Another order each time: nobody is always the first after a pause.
    const order = wanted.map((_, index) => wanted[(index + part + round) % wanted.length] as SideName);
    for (const side of order) {
      for (const [figure, value] of Object.entries(await take(sides.of(side)))) {
        note(taken, new Map([[keyOf(name, side, figure), value]]));
      }
    }
  }
  return new Map([...taken].map(([key, values]) => [key, median(values)]));
}

export const keyOf = (measurement: string, side: SideName, figure: string) =>
  `${measurement}|${side}|${figure}`;

export function median(values: readonly number[] | undefined): number {
  const sorted = [...(values ?? [])].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function measurementNames(): readonly string[] {
  return [...measurements, burst].map(({ name }) => name);
}
