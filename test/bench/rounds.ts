// Runs every measurement once a round, the sides taking turns, so that a noisy machine is noisy to all of them alike.
import { echo, sendMessages, time } from "./measure.js";
import type { Side, SideName, Sides } from "./sides.js";

/** A figure, and its value in each round. Lower is better unless its name ends in `/s`. */
export type Figures = ReadonlyMap<string, readonly number[]>;

interface Measurement {
  readonly name: string;
  readonly sides: readonly SideName[];
  take(side: Side): Promise<Readonly<Record<string, number>>>;
}

const ALL: readonly SideName[] = ["none", "python", "http", "bridge", "filtered"];
const MEMBERS = [10, 1_000, 10_000];
const KILOBYTES = [10, 64];

const measurements: readonly Measurement[] = [
  {
    name: "alone",
    sides: ALL,
    async take(side) {
      const { p50, p99, cpu } = await time(side, { calls: 500 });
      return { p50, p99, cpu };
    },
  },
  {
    name: "32 at once",
    sides: ALL,
    async take(side) {
      const { p50, p99, cpu, per_second } = await time(side, { calls: 3_000, in_flight: 32 });
      return { p50, p99, cpu, "calls/s": per_second };
    },
  },
  {
    name: "10,000 at once",
    sides: ["python", "bridge"],
    async take(side) {
      const { max, cpu, per_second } = await time(side, { calls: 10_000, in_flight: 10_000 });
      return { max, cpu, "calls/s": per_second };
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
    sides: ["none", "python", "http", "bridge", "filtered"],
    async take(side) {
      return { cpu: await sendMessages(side, 100) };
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

/** The figures by `<measurement>, <side>, <figure>`. The first round warms up and is thrown away. */
export async function runRounds(sides: Sides, rounds: number): Promise<Figures> {
  const figures = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    process.stdout.write(round === 0 ? "Warming up" : `\rRound ${round} of ${rounds} `);
    for (const { name, sides: wanted, take } of measurements) {
      // Another order each time: nobody is always the first after a pause.
      const order = wanted.map((_, index) => wanted[(index + round) % wanted.length] as SideName);
      for (const side of order) {
        const taken = await take(sides.of(side));
        if (round === 0) continue;
        for (const [figure, value] of Object.entries(taken)) {
          const key = keyOf(name, side, figure);
          figures.set(key, [...(figures.get(key) ?? []), value]);
        }
      }
    }
  }
  process.stdout.write("\n");
  return figures;
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
  return measurements.map(({ name }) => name);
}
