// Runs every measurement once a round, the variants taking turns, so that a noisy machine is noisy to all of them alike.
import { setTimeout } from "node:timers/promises";
import { answersByPolicy, echo, sendMessage, sendMessages, time } from "./measure.js";
import type { Variant, VariantName, Variants } from "./variants.js";

/** A figure, and its value in each round. Lower is better unless its name ends in `/s`. */
export type Figures = ReadonlyMap<string, readonly number[]>;

interface Measurement {
  readonly name: string;
  readonly variants: readonly VariantName[];
  /** In so many parts, between which the variants take turns: what is taken is their median. */
  readonly parts?: number;
  take(variant: Variant): Promise<Readonly<Record<string, number>>>;
}

const ALL: readonly VariantName[] = ["none", "python", "http", "bare", "bridge", "filtered"];
const CHAINS: readonly VariantName[] = ["bridge", "bridge5", "bridge20"];
// Into the burst: long enough that it has begun, short enough that it has not ended.
export const SEND_AFTER_MS = 100;
const MEMBERS = [10, 1_000, 10_000];
const KILOBYTES = [10, 64];

const measurements: readonly Measurement[] = [
  {
    name: "alone",
    variants: ALL,
    parts: 4,
    async take(variant) {
      const { p50, p99, cpu } = await time(variant, { calls: 500 });
      return { p50, p99, cpu };
    },
  },
  {
    name: "32 at once",
    variants: ALL,
    parts: 4,
    async take(variant) {
      const { p50, p99, cpu, per_second } = await time(variant, { calls: 3_000, in_flight: 32 });
      return { p50, p99, cpu, "calls/s": per_second };
    },
  },
  {
    name: "modules in a row",
    variants: CHAINS,
    async take(variant) {
      const { p50, p99, cpu } = await time(variant, { calls: 300 });
      return { p50, p99, cpu };
    },
  },
  ...KILOBYTES.map((kilobytes) => ({
    name: `${kilobytes} KB event`,
    variants: ["python", "bridge"] as const,
    async take(variant: Variant) {
      const { p50, cpu } = await time(variant, { calls: 300, kilobytes });
      return { p50, cpu };
    },
  })),
  ...MEMBERS.map((members) => ({
    name: `check_event_allowed, ${members} members`,
    variants: ["python", "bridge"] as const,
    async take(variant: Variant) {
      const { p50, cpu } = await time(variant, { calls: 300, members });
      return { p50, cpu };
    },
  })),
  {
    name: "message of a client",
    variants: ALL,
    parts: 12,
    async take(variant) {
      const { asked, none } = await sendMessages(variant, 5);
      return { cpu: asked, "unasked cpu": none };
    },
  },
  {
    name: "blocking echo over a pipe",
    variants: ["none"],
    async take(variant) {
      const { p50, p99 } = await echo(variant, 2_000);
      return { p50, p99 };
    },
  },
];

// What it leaves behind would spoil the others, so it comes after them.
const burst: Measurement = {
  name: "10,000 at once",
  variants: ["python", "bare", "bridge", "http"],
  async take(variant) {
    const isBridge = variant.name === "bridge";
    const before = isBridge ? answersByPolicy(variant) : 0;
    const [{ max, cpu, per_second, begun }, send] = await Promise.all([
      time(variant, { calls: 10_000, in_flight: 10_000, federated: "yes" }),
      setTimeout(SEND_AFTER_MS).then(() => sendMessage(variant)),
    ]);
    const byPolicy = isBridge && { "by policy": answersByPolicy(variant) - before };
    return { max, cpu, "calls/s": per_second, begun, send, ...byPolicy };
  },
};

/** The figures by `<measurement>, <variant>, <figure>`. The first round warms up and is thrown away. */
export async function runRounds(variants: Variants, rounds: number): Promise<Figures> {
  const figures = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    process.stdout.write(round === 0 ? "Warming up" : `\rRound ${round} of ${rounds} `);
    for (const measurement of measurements) {
      const taken = await takeTurns(measurement, variants, round);
      if (round > 0) note(figures, taken);
    }
  }
  console.log("\nBursts");
  for (let round = 0; round < rounds; round++) note(figures, await takeTurns(burst, variants, round));
  return figures;
}

/** Adds what one round has taken. */
export function note(figures: Map<string, number[]>, taken: ReadonlyMap<string, number>): void {
  for (const [key, value] of taken) figures.set(key, [...(figures.get(key) ?? []), value]);
}

async function takeTurns(
  { name, variants: wanted, parts = 1, take }: Measurement,
  variants: Variants,
  round: number,
): Promise<Map<string, number>> {
  const taken = new Map<string, number[]>();
  for (let part = 0; part < parts; part++) {
    // Another order each time: nobody is always the first after a pause.
    const order = wanted.map((_, index) => wanted[(index + part + round) % wanted.length] as VariantName);
    for (const variant of order) {
      for (const [figure, value] of Object.entries(await take(variants.of(variant)))) {
        note(taken, new Map([[keyOf(name, variant, figure), value]]));
      }
    }
  }
  return new Map([...taken].map(([key, values]) => [key, median(values)]));
}

export const keyOf = (measurement: string, variant: VariantName, figure: string) =>
  `${measurement}|${variant}|${figure}`;

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
